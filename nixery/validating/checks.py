"""What was checked, and what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field, frozen

from nixery.errors import NixeryError

_MOST = 500  # characters


@frozen
class Check:
    """One check. `where`: what was looked at; `what`: what must hold; `fault`: what was found instead, or None."""

    where: str
    what: str
    fault: str | None = None


@define
class Checks:
    """All checks so far, in their order."""

    all: list[Check] = field(factory=list)

    @property
    def failed(self) -> list[Check]:
        """Those that found a fault."""
        return [check for check in self.all if check.fault is not None]

    def at(self, where: str) -> "Place":
        """For the checks of one thing."""
        return Place(self, _plain(where))


@frozen
class Place:
    """Where checks are made."""

    checks: Checks
    where: str

    def equal(self, what: str, found: object, wanted: object) -> bool:
        """Check that something is what it should be; gives whether."""
        return self.true(what, found == wanted, f"{_shown(found)} instead of {_shown(wanted)}")

    def true(self, what: str, holds: bool, fault: str) -> bool:
        """Check that something holds; `fault`: what is said otherwise."""
        self.checks.all.append(Check(self.where, what, None if holds else _plain(fault)))
        return holds

    @contextmanager
    def fetched(self) -> Iterator[None]:
        """Take it for a fault of this place when something cannot be fetched."""
        try:
            yield
        except NixeryError as error:
            self.true("can be fetched", False, error.message)


def _shown(value: object) -> str:
    return "nothing" if value is None else ascii(value)


def _plain(words: str) -> str:
    """Words that may come from the registry, for any terminal: printable ASCII on one line, and not endless."""
    return "".join(c if " " <= c <= "~" else "?" for c in words[:_MOST])
