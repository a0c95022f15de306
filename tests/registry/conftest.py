from collections.abc import Iterator, Sequence

import pytest
from twisted.logger import LogEvent, capturedLogs


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
