"""Where something is fetched: an http or https URL, with the user and password that may stand in it kept apart."""

from base64 import b64encode
from typing import Self
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from attrs import field, frozen

from nixery.errors import SourceUnavailable

_SCHEMES = ("http", "https")


@frozen
class Address:
    """One address.

    `url`: as it is asked for, without user, password and fragment; `authorization`: the header's value that stands for
    user and password (RFC 7617), or None.
    """

    url: str
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The address in a URL; raises SourceUnavailable, without a word of the user and password."""
        if not text.isprintable() or " " in text:
            raise SourceUnavailable("a URL with spaces or control characters in it cannot be fetched")
        try:
            parts = urlsplit(text)
            parts.port  # noqa: B018  # raises ValueError for one that is none
        except ValueError as error:
            raise SourceUnavailable(f"{shown(text)} cannot be fetched: it is no URL") from error
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise SourceUnavailable(f"{shown(text)} cannot be fetched: it is no http or https URL with a host")
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
        return cls(bare.geturl(), _authorization(parts))

    @property
    def shown(self) -> str:
        """The address for a person: without the query, which may be a secret too."""
        return self.url.partition("?")[0]

    def follow(self, location: str) -> "Address":
        """Where a redirect from here leads; raises SourceUnavailable. Another host is told no user and password."""
        try:
            there = Address.parse(urljoin(self.url, location))
        except ValueError as error:
            raise SourceUnavailable(f"{self.shown} leads to an address that is no URL") from error
        if there.authorization is None and there._origin == self._origin:
            return Address(there.url, self.authorization)
        return there

    @property
    def _origin(self) -> tuple[str, str]:
        parts = urlsplit(self.url)
        return parts.scheme, parts.netloc


def shown(text: str) -> str:
    """What a person may see of a URL, be it malformed: nothing before the last @, no query, no fragment."""
    before, slashes, rest = text.partition("//")
    shown = rest.rpartition("@")[2].partition("?")[0].partition("#")[0]
    return f"{before}{slashes}{shown}"[:400] if slashes else "a URL without a scheme"


def _authorization(parts: SplitResult) -> str | None:
    if parts.username is None and parts.password is None:
        return None
    words = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return "Basic " + b64encode(words.encode()).decode()
