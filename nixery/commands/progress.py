"""Progress on a stream: one line that changes on a terminal, lines elsewhere."""

from collections.abc import Callable
from typing import TextIO

_WIDTH = 30  # characters
_TERMINAL_SECONDS = 0.1
_LINES_SECONDS = 10.0


def progress_on(stream: TextIO) -> Callable[[str, bool], None]:
    """Shows words, and takes whether they are the last of their kind: a line for each phase where it is no terminal."""
    if not stream.isatty():
        return lambda words, last: print(words, file=stream, flush=True)
    return lambda words, last: print(f"\r\x1b[K{words}", end="\n" if last else "", file=stream, flush=True)


class Bar:
    """A bar of how many are done of how many there are; where it is no terminal, a line every ten seconds.

    `seconds`: a clock.
    """

    def __init__(self, stream: TextIO, what: str, seconds: Callable[[], float]) -> None:
        self._show = progress_on(stream)
        self._terminal = stream.isatty()
        self._what = what
        self._seconds = seconds
        self._pause = _TERMINAL_SECONDS if self._terminal else _LINES_SECONDS
        self._shown = seconds()

    def __call__(self, done: int, total: int) -> None:
        """So many are done; shown when it is time."""
        if self._seconds() - self._shown >= self._pause:
            self._shown = self._seconds()
            self._show(self._words(done, total), False)

    def end(self, done: int, total: int) -> None:
        """All is done."""
        self._show(self._words(done, total), True)

    def _words(self, done: int, total: int) -> str:
        full = _WIDTH * done // total if total else _WIDTH
        bar = f"[{'#' * full}{'.' * (_WIDTH - full)}] " if self._terminal else ""
        return f"{bar}{done} of {total} {self._what}"
