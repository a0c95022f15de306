import socket
from collections.abc import Callable

import pytest
import pytest_twisted
import treq
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.web.client import Agent, HTTPConnectionPool

from nixery.registry.listening import everywhere
from tests.registry.wire import World

BOTH = r"tcp6:0:interface=\:\:"


class Six:
    """An IPv6 socket of a kernel that says this."""

    def __init__(self, bind: OSError | None = None, only: int = 0) -> None:
        self._bind = bind
        self._only = only

    def __enter__(self) -> "Six":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def bind(self, address: object) -> None:
        if self._bind is not None:
            raise self._bind

    def getsockopt(self, level: int, option: int) -> int:
        assert (level, option) == (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        return self._only


def none(family: int) -> Six:
    raise OSError(97, "Address family not supported by protocol")


@pytest.mark.parametrize(
    ("kernel", "endpoint"),
    [
        (lambda family: Six(), BOTH),
        (lambda family: Six(only=1), "tcp:0"),
        (lambda family: Six(bind=OSError(99, "Cannot assign requested address")), "tcp:0"),
        (none, "tcp:0"),
    ],
)
def test_one_socket_is_for_ipv6_and_ipv4_where_the_kernel_has_both(
    monkeypatch: pytest.MonkeyPatch, kernel: Callable[[int], Six], endpoint: str
) -> None:
    monkeypatch.setattr(socket, "socket", kernel)
    assert everywhere(0) == endpoint


async def got(agent: Agent, url: str) -> bytes:
    body: bytes = await treq.content(await agent.request(b"GET", url.encode()))
    return body


@pytest.mark.skipif(everywhere(0) != BOTH, reason="this host has no IPv6, or keeps IPv4 from its sockets")
@pytest_twisted.ensureDeferred
async def test_a_registry_is_reached_by_both() -> None:
    port = await serverFromString(reactor, everywhere(0)).listen(World().connect().site)
    agent = Agent(reactor, pool=HTTPConnectionPool(reactor, persistent=False))
    try:
        for host in (f"[::1]:{port.getHost().port}", f"127.0.0.1:{port.getHost().port}"):
            assert await got(agent, f"http://{host}/v2/") == b"{}"
            assert f"docker pull {host}/".encode() in await got(agent, f"http://{host}/")
    finally:
        await port.stopListening()
