"""Where a registry listens that was told no more than a port."""

import socket


def everywhere(port: int) -> str:
    """The Twisted endpoint for all addresses of this host, IPv6 and IPv4, by one socket.

    For IPv4 alone where the kernel has no IPv6, or keeps IPv4 from such sockets (net.ipv6.bindv6only, ipv6(7)).
    """
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
            both = not probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:
        both = False
    return rf"tcp6:{port}:interface=\:\:" if both else f"tcp:{port}"
