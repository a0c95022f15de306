from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

def ensureDeferred(test: Callable[P, Awaitable[T]]) -> Callable[P, T]: ...
def blockon(awaitable: Awaitable[T]) -> T: ...
