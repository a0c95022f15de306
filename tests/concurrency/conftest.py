"""Senders, and sockets for them."""

import socket
from collections.abc import Iterator

import pytest
import pytest_twisted
from twisted.internet import reactor

from nixery.concurrency.senders import Senders
from tests.concurrency.outgoing import Pair


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Four, of which the first sockets do not block."""
    pairs = [socket.socketpair() for _ in range(4)]
    for ours, _ in pairs:
        ours.setblocking(False)
    yield pairs
    for pair in pairs:
        for end in pair:
            end.close()


@pytest.fixture
def senders(request: pytest.FixtureRequest) -> Iterator[Senders]:
    senders = Senders(reactor, getattr(request, "param", 2))  # type: ignore[arg-type]  # a module to mypy
    senders.startService()
    yield senders
    pytest_twisted.blockon(senders.stopService())
