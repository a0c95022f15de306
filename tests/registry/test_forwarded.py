from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import LogEvent, formatEvent

from nixery.registry.forwarded import client
from tests.registry.wire import World

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7, 10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7", "10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["192.0.2.7:4711"], "192.0.2.7"),
        ("fd00::1", ["[2001:db8::7]:4711, fd00::2"], "2001:db8::7"),
        ("fd00::1", ["2001:DB8:0::7"], "2001:db8::7"),
        ("fd00::1", ["[2001:db8::7]"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:192.0.2.7"], "192.0.2.7"),
    ],
)
def test_a_trusted_proxys_word_is_believed(peer: str, forwarded: list[str], found: str) -> None:
    assert client(peer, forwarded, PROXIES) == found


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["10.0.0.9, 192.0.2.7, 10.0.0.2"], "192.0.2.7"),
    ],
)
def test_what_a_client_says_of_itself_is_not(peer: str, forwarded: list[str], found: str) -> None:
    assert client(peer, forwarded, PROXIES) == found


@pytest.mark.parametrize(
    "hop", ["", "unknown", "_hidden", "10.0.0", "1.2.3.4.5", "fe80::1%\x1b[31m", "[::1", "::1]", "\u0661"]
)
def test_a_hop_that_is_no_address_ends_the_search(hop: str) -> None:
    assert client("10.0.0.1", [f"192.0.2.7, {hop}"], PROXIES) == "10.0.0.1"


def test_a_unix_sockets_other_end_is_a_proxy_where_there_are_any() -> None:
    assert client(None, ["192.0.2.7"], PROXIES) == "192.0.2.7"
    assert client(None, ["192.0.2.7"], []) == "-"


@given(st.lists(st.text()), st.ip_addresses().filter(lambda ip: not any(ip in network for network in PROXIES)))
def test_whatever_a_client_sends_it_is_its_own_address(forwarded: list[str], peer: object) -> None:
    plain = getattr(peer, "ipv4_mapped", None) or peer
    if not any(plain in network for network in PROXIES):
        assert client(str(peer), forwarded, PROXIES) == str(plain)


@given(st.lists(st.text(st.characters(max_codepoint=0x2FF))))
def test_whatever_a_proxy_sends_the_log_has_an_address(forwarded: list[str]) -> None:
    assert ip_address(client("10.0.0.1", forwarded, PROXIES))


def test_the_log_says_who_asked(events: Sequence[LogEvent]) -> None:
    headers = {"X_Forwarded_For": "198.51.100.1"}
    World(proxies=[ip_network("192.0.2.0/24")]).ask("/v2/", **headers)
    World().ask("/v2/", **headers)
    access = [formatEvent(event) for event in events if event["log_namespace"] == "nixery.registry.access"]
    assert [line.split()[0] for line in access] == ["198.51.100.1", "192.0.2.7"]
