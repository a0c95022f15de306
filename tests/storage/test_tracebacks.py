"""What is left of calls that failed, before the collector has come."""

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from nixery.storage import gcs_failures, s3_failures
from nixery.storage.bucket import BucketError
from nixery.storage.gcs_failures import again
from nixery.storage.tracebacks import emptied


class Part:
    """A part of a blob."""


def keeps_its_error(part: Part) -> None:
    try:
        raise ConnectionError("cut")
    except ConnectionError as error:
        kept = error
        raise kept from None


def returns_its_error(part: Part) -> Exception | None:
    try:
        raise ConnectionError("cut")
    except ConnectionError as error:
        return error


def raises_what_was_returned(part: Part) -> None:
    def asked(body: Part) -> Exception | None:
        error = returns_its_error(body)
        return error  # noqa: RET504  # kept in this frame too, as botocore does

    error = asked(part)
    assert error is not None
    raise error


def keeps_what_led_to_it(part: Part) -> None:
    try:
        keeps_its_error(part)
    except ConnectionError as error:
        raise OSError("failed") from error


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("call", [keeps_its_error, raises_what_was_returned, keeps_what_led_to_it])
@pytest.mark.parametrize("within", [gcs_failures.failures, s3_failures.failures])
def test_nothing_of_a_call_that_failed_stays_in_memory(
    call: Callable[[Part], None], within: Callable[[str], AbstractContextManager[None]]
) -> None:
    part = Part()
    seen = weakref.ref(part)
    with pytest.raises(BucketError), within("uploading layers/x"):
        call(part)
    del part
    assert seen() is None


def test_nothing_of_a_try_stays_in_memory_when_google_s_library_tries_again() -> None:
    part = Part()
    seen = weakref.ref(part)
    with pytest.raises(ConnectionError) as caught:
        keeps_its_error(part)
    assert again(caught.value)
    del part
    assert seen() is None


def test_the_callers_that_go_on_keep_what_they_have() -> None:
    part = Part()
    for _ in range(2):
        with pytest.raises(ConnectionError), emptied():
            keeps_its_error(part)
    assert isinstance(part, Part)
