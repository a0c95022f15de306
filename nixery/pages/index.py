"""The index page."""

import re
from importlib import resources

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Tag, XMLString, flattenString, renderer

PLACEHOLDER = "registry.example"
"""Stands for the registry's host where the client did not say a usable one."""

# A name, an IPv4 address or a bracketed IPv6 address, and perhaps a port (RFC 9110, 7.2).
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)

_TEMPLATE = XMLString(resources.files("nixery.pages").joinpath("templates/index.html").read_text("utf-8"))


def parse_host(header: str | None) -> str:
    """The host to pull from, by the Host header of the request; the placeholder where that is not one."""
    return header if header is not None and _HOST.fullmatch(header) else PLACEHOLDER


def page(host: str, builds: bool) -> Deferred[bytes]:
    """The page as HTML in UTF-8; `builds`: whether images are built when they are pulled."""
    return flattenString(None, _Index(host, builds)).addCallback(lambda html: b"<!DOCTYPE html>\n" + html)


@frozen(eq=False)
class _Index(Element):
    host_name: str
    builds: bool

    loader = _TEMPLATE

    @renderer
    def host(self, request: IRequest | None, tag: Tag) -> Tag:
        return tag(self.host_name)

    @renderer
    def builder(self, request: IRequest | None, tag: Tag) -> Tag | str:
        return tag if self.builds else ""

    @renderer
    def reader(self, request: IRequest | None, tag: Tag) -> Tag | str:
        return "" if self.builds else tag
