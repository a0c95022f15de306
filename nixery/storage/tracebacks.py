"""What errors hold in memory: all that the functions had that they came through, such as parts of blobs."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_DEPTH = 10


@contextmanager
def emptied() -> Iterator[None]:
    """Have an error that passes hold nothing: clear the frames that it and what led to it came through.

    The libraries' errors are in cycles with their frames, which the collector comes for when megabytes of them for
    each upload that failed have piled up.
    """
    try:
        yield
    except Exception as error:
        empty(error)
        raise


def empty(error: BaseException) -> None:
    """Clear the frames that an error and what led to it came through."""
    for cause in causes(error):
        for frame, _ in traceback.walk_tb(cause.__traceback__):
            _empty(frame)


def _empty(frame: FrameType | None) -> None:
    """Clear a frame, and those that called it, up to the first that still runs."""
    with suppress(RuntimeError):
        while frame is not None:
            frame.clear()
            frame = frame.f_back


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and what led to it, the nearest first."""
    cause: BaseException | None = error
    for _ in range(_DEPTH):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
