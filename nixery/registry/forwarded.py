"""Who a client is, behind proxies that are trusted to say so in X-Forwarded-For.

RFC 7239's Forwarded is not read: most proxies pass a client's own on as it came, and it would be believed.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Some proxies add the port; a zone (fe80::1%eth0) may hold any text, and none comes from afar.
_HOP = re.compile(r"\s*(?:([0-9.]+)(?::[0-9]+)?|([0-9A-Fa-f:.]+)|\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?)\s*", re.ASCII)


def client(peer: str | None, forwarded: Sequence[str], proxies: Collection[Network]) -> str:
    """The client's address for the log, `-` where it has none.

    `peer`: the connection's other end, None for a UNIX socket, which counts as a trusted proxy where there are any;
    `forwarded`: the X-Forwarded-For headers; `proxies`: whose word on the hop before them is believed.
    """
    if not forwarded or not proxies:
        return "-" if peer is None else _shown(peer)
    hops = [hop for header in forwarded for hop in header.split(",")]
    address = None if peer is None else _address(peer)
    while hops and _trusted(address, proxies):
        hop = _parse(hops.pop())
        if hop is None:
            break
        address = hop
    return "-" if address is None else str(address)


def _trusted(address: Address | None, proxies: Collection[Network]) -> bool:
    return bool(proxies) if address is None else any(address in network for network in proxies)


def _parse(hop: str) -> Address | None:
    found = _HOP.fullmatch(hop)
    try:
        return None if found is None else _address(found[1] or found[2] or found[3])
    except ValueError:
        return None


@lru_cache(maxsize=1000)
def _shown(peer: str) -> str:
    return str(_address(peer))


def _address(text: str) -> Address:
    """An address, and an IPv4 address that came to an IPv6 socket as what it is; raises ValueError."""
    address = ip_address(text)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
