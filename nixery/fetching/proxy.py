"""Which HTTP proxy leads to a host. The environment says it, read as curl reads it: Nix and git do so too."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self
from urllib.parse import urlsplit

from attrs import field, frozen

from nixery.errors import ConfigError, SourceUnavailable
from nixery.fetching.address import Address, shown

_PORTS = {"http": 1080, "https": 443}  # curl's, for a proxy without one
_PORT = re.compile(r"(?P<host>.+):(?P<port>[0-9]{1,5})")


@frozen
class Proxy:
    """A proxy that is spoken to over plain HTTP, or over TLS where `scheme` is https.

    `authorization`: the value of Proxy-Authorization (RFC 7617), or None; `variable`: the one of the environment that
    names the proxy, to tell a person.
    """

    scheme: str
    host: str
    port: int
    authorization: str | None = field(repr=False)
    variable: str

    @classmethod
    def parse(cls, text: str, variable: str) -> Self:
        """From a URL, or a host with or without a port; raises ConfigError, without a word of user and password."""
        url = text if "://" in text else f"http://{text}"
        try:
            address = Address.parse(url)
            parts = urlsplit(address.url)
            host = (parts.hostname or "").encode("idna").decode()
        except (SourceUnavailable, UnicodeError) as error:
            raise _no_proxy(url, variable) from error
        # Where a password has one of these, unquoted, its beginning would be taken for the host.
        if parts.path not in ("", "/") or "?" in url or "#" in url:
            raise _no_proxy(url, variable)
        return cls(parts.scheme, host, parts.port or _PORTS[parts.scheme], address.authorization, variable)

    @property
    def shown(self) -> str:
        """The proxy for a person, without user and password."""
        return f"{self.scheme}://{authority(self.host, self.port)}"


@frozen
class Exempt:
    """Hosts that are reached without a proxy, by one entry of no_proxy.

    `hosts`: `*` for all; a domain, for itself and what is below it; or a network, for the addresses in it. No name is
    looked up for that. `port`: the only one that is meant, or None.
    """

    hosts: str | IPv4Network | IPv6Network
    port: int | None = None

    @classmethod
    def parse(cls, entry: str) -> Self:
        """From an entry: any text makes one."""
        network = _network(entry)
        if network is not None:
            return cls(network)
        match = _PORT.fullmatch(entry)
        host, port = (match["host"], int(match["port"])) if match else (entry, None)
        return cls(_network(host) or host.lower().removeprefix(".").removesuffix("."), port)

    def covers(self, host: str, port: int) -> bool:
        """Whether a host is meant; `host`: a name in ASCII, or an address without brackets."""
        if self.port not in (None, port):
            return False
        if self.hosts == "*":
            return True
        address = _address(host)
        if isinstance(self.hosts, str) or address is None:
            name = host.lower().removesuffix(".")
            return address is None and (name == self.hosts or name.endswith(f".{self.hosts}"))
        return address in self.hosts


@frozen
class Proxies:
    """The proxies for http and for https URLs, None where there is none, and the hosts that need none."""

    http: Proxy | None = None
    https: Proxy | None = None
    exempt: tuple[Exempt, ...] = ()

    @classmethod
    def parse(cls, environment: Mapping[str, str]) -> Self:
        """From http_proxy, https_proxy, all_proxy and no_proxy; raises ConfigError.

        An empty variable is none. See curl(1), "ENVIRONMENT". All may be in capitals but http_proxy: a web server
        gives CGI programs an HTTP_PROXY that its client chose (CVE-2016-5385).
        """
        of_all = ("all_proxy", "ALL_PROXY")
        exempt = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
        return cls(
            _first(environment, "http_proxy", *of_all),
            _first(environment, "https_proxy", "HTTPS_PROXY", *of_all),
            tuple(map(Exempt.parse, exempt.replace(",", " ").split())),
        )

    def to(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy that leads to a host; None when it is reached straight."""
        if any(exempt.covers(host, port) for exempt in self.exempt):
            return None
        return self.https if scheme == "https" else self.http


STRAIGHT = Proxies()
"""No proxies."""


def authority(host: str, port: int) -> str:
    """Host and port as one (RFC 3986, section 3.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _first(environment: Mapping[str, str], *variables: str) -> Proxy | None:
    for variable in variables:
        if text := environment.get(variable):
            return Proxy.parse(text, variable)
    return None


def _no_proxy(url: str, variable: str) -> ConfigError:
    return ConfigError(f"{variable} is {shown(url)!r}, which is no HTTP proxy such as http://proxy.example:3128")


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
