from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from twisted.logger import LogEvent, capturedLogs

from tests.registry.faces import skip_where_nothing_is_known


@pytest.fixture(autouse=True)
def events() -> Iterator[Sequence[LogEvent]]:
    """What is logged."""
    with capturedLogs() as captured:
        yield captured


@pytest.fixture(autouse=True)
def failures(events: Sequence[LogEvent]) -> Iterator[list[BaseException]]:
    """To be filled with the errors whose tracebacks a test expects in the log: there are to be no others."""
    expected: list[BaseException] = []
    yield expected
    assert [repr(event["log_failure"].value) for event in events if "log_failure" in event] == list(map(repr, expected))


@pytest.fixture
def knowing(tmp_path: Path) -> None:
    """Be where the kernel sends files."""
    skip_where_nothing_is_known(tmp_path)
