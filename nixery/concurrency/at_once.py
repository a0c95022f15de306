"""What is known without waiting."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


def at_once(asking: Coroutine[Any, Any, T]) -> T | None:
    """What it comes to, if it need not wait for anything; else it is cancelled. None, too, for what it raises."""
    found: list[T] = []
    asked = Deferred.fromCoroutine(asking).addCallbacks(found.append, _passed_over)
    if not asked.called:
        asked.cancel()
    return found[0] if found else None


def _passed_over(failure: Failure) -> None:
    """Leave it to whoever asks again, and waits."""
