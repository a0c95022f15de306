"""Which alternatives a package would register, read from its postinst without running it.

Source: update-alternatives(1). Maintainer scripts mostly call it with literal words, with variables that were set to
literal words, or in a `for` loop over words; other calls are left out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

_ASSIGNMENT = re.compile(
    r"""\s*(?:export\s+|readonly\s+|local\s+)?(\w+)=(?:"([^"`]*)"|'([^']*)'|([^\s"'`();|&<>]*))\s*;?\s*"""
)
_LOOP = re.compile(r"\s*for\s+(\w+)\s+in\s+(.*?)\s*;?\s*(?:do)?\s*")
_DONE = re.compile(r"\s*done\b.*")
_INSTALL = re.compile(r".*\bupdate-alternatives\b.*?--install\s(.*)")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_MULTIARCH = ("DEB_HOST_MULTIARCH", "DPKG_MULTIARCH", "multiarch")
_ENDS = tuple("();<>|&")


def alternatives(postinst: str, multiarch: str) -> list[str]:
    """Lines of `priority TAB name TAB link TAB path [TAB slave link TAB slave name TAB slave path]...`."""
    script = _Script(multiarch)
    lines = re.sub(r"\\\n\s*", " ", postinst).split("\n")
    return [row for line in lines for row in script.rows(line)]


class _Script:
    """What is known of a script's variables and loops, line after line."""

    def __init__(self, multiarch: str) -> None:
        self._variables = dict.fromkeys(_MULTIARCH, multiarch)
        self._loops: list[tuple[str, list[str]]] = []

    def rows(self, line: str) -> Iterator[str]:
        """The alternatives that `line` installs: one for each turn of the innermost loop, or one."""
        if assignment := _ASSIGNMENT.fullmatch(line):
            name, *values = assignment.groups("")
            self._variables.setdefault(name, _expanded("".join(values), self._variables))
        elif loop := _LOOP.fullmatch(line):
            self._loops.append((loop.group(1), _expanded(loop.group(2), self._variables).split()))
        elif self._loops and _DONE.fullmatch(line):
            self._loops.pop()
        elif install := _INSTALL.match(line):
            name, words = self._loops[-1] if self._loops else ("", [""])
            for word in words:
                yield from _row(_words(_expanded(install.group(1), {**self._variables, name: word})))


def _words(call: str) -> list[str]:
    """The words of a call, up to what ends it."""
    lexer = shlex.shlex(call, posix=True, punctuation_chars="".join(_ENDS))
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # quotes that end in another line
        return []
    return words[: next((place for place, word in enumerate(words) if word.startswith(_ENDS)), len(words))]


def _row(words: list[str]) -> Iterator[str]:
    """The row of `link name path priority [--slave link name path]...`, or nothing if it is not literal."""
    master, rest = words[:4], words[4:]
    if len(master) < 4 or not all(map(_is_literal, master)) or not re.fullmatch(r"-?\d+", master[3]):
        return
    link, name, path, priority = master
    fields = [priority, name, link, path]
    while len(rest) >= 4 and rest[0] == "--slave":
        if all(map(_is_literal, rest[1:4])):
            fields += rest[1:4]
        rest = rest[4:]
    yield "\t".join(fields)


def _is_literal(word: str) -> bool:
    return bool(word) and not set(word) & set("$`\t\n*?")


def _expanded(text: str, variables: dict[str, str]) -> str:
    """Twice, for variables made of variables; what is not known stays as it is."""
    for _ in range(2):
        text = _VARIABLE.sub(lambda found: variables.get(found.group(1) or found.group(2), found.group(0)), text)
    return text
