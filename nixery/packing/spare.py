"""Cores that nobody packs with at this moment, counted among processes (eventfd(2)): who takes one gives it back."""

import os
from collections.abc import Callable

Spare = Callable[[], Callable[[], None] | None]
"""Takes a core: gives what gives it back, or None where there is none."""


def none() -> None:
    """No core is ever spare."""


def counter(cores: int) -> int:
    """A descriptor that counts so many cores, for `spare` here and in processes that inherit it."""
    return os.eventfd(cores, os.EFD_SEMAPHORE | os.EFD_NONBLOCK | os.EFD_CLOEXEC)


def spare(descriptor: int) -> Spare:
    """The cores that a descriptor counts."""

    def give_back() -> None:
        os.eventfd_write(descriptor, 1)

    def take() -> Callable[[], None] | None:
        try:
            os.eventfd_read(descriptor)
        except BlockingIOError:
            return None
        return give_back

    return take
