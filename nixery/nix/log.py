"""Nix's log as it comes: `--log-format internal-json`, a JSON value a line, which Nix writes to its stderr.

Nix manual, "nix-build", --log-format; the numbers are those of Nix's logging.hh.
"""

import json
import re
from collections import OrderedDict, deque
from collections.abc import Callable

from attrs import field, frozen

from nixery.concurrency.output import Capped, Lines

_BUILD = 105  # actBuild
_LOG_LINE = 101  # resBuildLogLine
_ERROR = 0  # lvlError
_PREFIX = b"@nix "
_MAX_LINE = 32 << 20
_TAIL_LINES, _TAIL_CHARACTERS, _TAILS = 10, 300, 64
_DERIVATION = re.compile(r"/[^'\s]*\.drv")
_NO_CAUSE = re.compile(
    r"^warning:|^disabling binary cache|\d+ dependenc(?:y|ies) of derivation '.*' failed|build of '.*' failed"
)
_FETCH_FAILED = "error: unable to download "
_ABOVE_CAUSE = re.compile(r"\n\s*error:")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Log:
    """A sink for nix-build's stderr.

    `marker`: what the report begins with; `progress`: called with the name of each derivation whose build begins;
    `forged`: whether more was said in the report's name after it.

    Bounded: one report, the head and tail of what went wrong and of what was no JSON, and the last lines of the last
    builds (in this format Nix leaves it to us to show them with the error).
    """

    def __init__(self, marker: str, progress: Callable[[str], None]) -> None:
        self.report: str | None = None
        self.forged = False
        self._trace = f"trace: {marker}"
        self._errors = Capped(8192)
        self._plain = Capped(8192)
        self._progress = progress
        self._builds: OrderedDict[int, _Build] = OrderedDict()
        self._lines = Lines(self._line, _MAX_LINE)

    def write(self, data: bytes) -> None:
        """See Sink."""
        self._lines.write(data)

    @property
    def error(self) -> str:
        """What Nix said went wrong, in its own words, and the last lines of the builds that it names; may be empty.

        One line, without warnings, and without what merely depends on a failed build.
        """
        self._lines.end()
        text = self._errors.text().strip() or self._plain.text().strip()
        lines = [_printable(" ".join(line.split())).removeprefix("error:").strip() for line in text.splitlines()]
        text = "; ".join([line for line in lines if line and not _NO_CAUSE.search(line)] or lines)
        named = set(_DERIVATION.findall(text))
        tails = [build.told() for build in self._builds.values() if build.lines and build.derivation in named]
        return "; ".join([text, *tails])

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
            case {"action": "start", "type": kind, "id": int(build), "fields": [str(path), *_]} if kind == _BUILD:
                self._begin(build, path)
            case {"action": "result", "type": kind, "id": int(build), "fields": [str(text)]} if kind == _LOG_LINE:
                if build in self._builds:
                    self._builds[build].add(_printable(text)[:_TAIL_CHARACTERS])

    def _begin(self, build: int, derivation: str) -> None:
        self._builds[build] = _Build(derivation)
        while len(self._builds) > _TAILS:
            self._builds.popitem(last=False)
        self._progress(derivation_name(derivation))

    def _message(self, level: int, text: str) -> None:
        if text.startswith(self._trace):
            self._said(text.removeprefix(self._trace))
        elif level == _ERROR:
            cause = _ABOVE_CAUSE.split(text)[-1]  # a newer Nix says first how it got there
            self._errors.write(cause.encode(errors="replace") + b"\n")

    def _said(self, text: str) -> None:
        """Nothing follows the report: where no sandbox hides it, a builder may have read the marker in /proc."""
        if self.report is None or not self.report.startswith("{"):
            self.report = text
        elif text != self.report:
            self.forged = True


@frozen
class _Build:
    derivation: str
    lines: deque[str] = field(factory=lambda: deque(maxlen=_TAIL_LINES))

    def add(self, line: str) -> None:
        """Nix's own fetching says what failed, and then all that the server had to say of it."""
        told = len(self.lines) == _TAIL_LINES and any(_FETCH_FAILED in earlier for earlier in self.lines)
        if not told:
            self.lines.append(line)

    def told(self) -> str:
        return f"the last lines of {derivation_name(self.derivation)}: " + " | ".join(self.lines)


def _printable(line: str) -> str:
    """A builder's line as a person can read it: some write colours, and Nix itself writes exceptions in binary."""
    return "".join(filter(str.isprintable, _COLOUR.sub("", line)))


def derivation_name(path: str) -> str:
    """The name in the path of a derivation."""
    return path.rpartition("/")[2][33:].removesuffix(".drv")
