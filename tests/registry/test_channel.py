import pytest

from tests.registry.wire import World, parse

HELLO = bytes.fromhex("16030100a5010000a1")


@pytest.mark.parametrize("rest", [b"", b"\x00" * 200, b"\r\n\r\n"])
def test_a_client_that_tries_tls_first_is_refused_at_once(rest: bytes) -> None:
    wire = World().connect()
    wire.send(HELLO + rest)
    assert parse(wire.received).body == b"This port speaks HTTP, and not HTTPS.\n"
    assert wire.received.startswith(b"HTTP/1.0 400 ")


def test_the_same_byte_later_is_no_handshake() -> None:
    wire = World().connect()
    wire.send(b"GET /v2/ HT")
    wire.send(b"\x16")
    assert b"not HTTPS" not in wire.received
