"""A memory of bounded size: what was not used for longest is forgotten first."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key that weigh at most `most` together; by default as many small ones as are soon asked for again.

    `weigh`: what a key and its value weigh, such as their bytes; the same each time. What weighs more is not kept.
    """

    def __init__(self, most: int = 10_000, weigh: Callable[[K, V], int] = lambda key, value: 1) -> None:
        self._most = most
        self._weigh = weigh
        self._weight = 0
        self._values: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value, or None; either way this key was used just now."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: K, value: V) -> None:
        """Keep a value, whatever was there before."""
        self.drop(key)
        self._values[key] = value
        self._weight += self._weigh(key, value)
        while self._weight > self._most:
            self._weight -= self._weigh(*self._values.popitem(last=False))

    def drop(self, key: K) -> None:
        """Forget a value, if there is one."""
        if key in self._values:
            self._weight -= self._weigh(key, self._values.pop(key))

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()
        self._weight = 0
