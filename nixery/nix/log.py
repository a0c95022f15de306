"""Nix's log as it comes: `--log-format internal-json`, a JSON value a line, which Nix writes to its stderr.

Nix manual, "nix-build", --log-format; the numbers are those of Nix's logging.hh.
"""

import json
import re
from collections.abc import Callable

from nixery.concurrency.output import Capped, Lines
from nixery.nix.report import MARKER

_BUILD = 105
_ERROR = 0
_PREFIX = b"@nix "
_REPORT = f"trace: {MARKER}"
_MAX_LINE = 32 << 20
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Log:
    """A sink for nix-build's stderr. `progress` is called with the name of each derivation whose build begins.

    Bounded: one report, the head and tail of what went wrong, and of what was no JSON.
    """

    def __init__(self, progress: Callable[[str], None]) -> None:
        self.report: str | None = None
        self._errors = Capped(8192)
        self._plain = Capped(8192)
        self._progress = progress
        self._lines = Lines(self._line, _MAX_LINE)

    def write(self, data: bytes) -> None:
        """See Sink."""
        self._lines.write(data)

    @property
    def error(self) -> str:
        """What Nix said went wrong, in its own words; empty when it said nothing."""
        self._lines.end()
        text = self._errors.text().strip() or self._plain.text().strip()
        return text.removeprefix("error:").strip()

    def _line(self, line: bytes) -> None:
        if not line.startswith(_PREFIX):
            self._plain.write(line + b"\n")
            return
        try:
            value = json.loads(line.removeprefix(_PREFIX))
        except (ValueError, RecursionError):
            return
        match value:
            case {"action": "msg", "level": int(level), "msg": str(text)}:
                self._message(level, _COLOUR.sub("", text))
            case {"action": "start", "type": int(kind), "fields": [str(derivation), *_]} if kind == _BUILD:
                self._progress(derivation_name(derivation))

    def _message(self, level: int, text: str) -> None:
        if text.startswith(_REPORT):
            self.report = text.removeprefix(_REPORT)
        elif level == _ERROR:
            self._errors.write(text.encode(errors="replace") + b"\n")


def derivation_name(path: str) -> str:
    """The name in the path of a derivation."""
    return path.rpartition("/")[2][33:].removesuffix(".drv")
