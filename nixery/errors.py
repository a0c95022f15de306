"""One tree of errors. Each class carries the registry's error code and HTTP status that a client gets for it.

Codes: OCI distribution-spec 1.1, "Error Codes"; UNKNOWN, UNAVAILABLE, RANGE_INVALID and PAGINATION_NUMBER_INVALID are
of Docker's registry API.
"""

import re
from typing import ClassVar

_LOGIN = re.compile(r"(?<=//)[^/\s]*@")


def public(text: str) -> str:
    """A URL, or words with URLs in them, without user names and passwords."""
    return _LOGIN.sub("", text)


class NixeryError(Exception):
    """Something that went wrong, in words for a person: what, where, and what to do next.

    Logins in URLs are left out: the words of Nix and git repeat the URLs that they were given.
    """

    code: ClassVar[str] = "UNKNOWN"
    status: ClassVar[int] = 500
    retry_after: int | None = None
    """Seconds after which asking again makes sense, or None."""

    def __init__(self, words: str = "") -> None:
        super().__init__(public(words))

    @property
    def message(self) -> str:
        """The words for a person."""
        return str(self)


class ConfigError(NixeryError):
    """A setting, or an argument of a command, is wrong. Raised before anything listens; never sent to a client."""


# What the client asked for is malformed or unknown.


class RequestInvalid(NixeryError):
    """What came is no request as HTTP has it."""

    status = 400


class NameInvalid(NixeryError):
    """The repository name does not follow the grammar."""

    code, status = "NAME_INVALID", 400


class NameUnknown(NixeryError):
    """There is nothing at this address."""

    code, status = "NAME_UNKNOWN", 404


class TagInvalid(NixeryError):
    """The reference is neither a tag nor a digest: no manifest has it."""

    code, status = "MANIFEST_UNKNOWN", 404


class DigestInvalid(NixeryError):
    """The digest is malformed."""

    code, status = "DIGEST_INVALID", 400


class AlgorithmUnknown(DigestInvalid):
    """The digest is well-formed, and of an algorithm by which nothing is stored here: what it names is not here."""


class ManifestUnknown(NixeryError):
    """No manifest has this digest, and none can be made that has."""

    code, status = "MANIFEST_UNKNOWN", 404


class BlobUnknown(NixeryError):
    """No blob with this digest is stored."""

    code, status = "BLOB_UNKNOWN", 404


class PageInvalid(NixeryError):
    """A list was asked for in pages of no number."""

    code, status = "PAGINATION_NUMBER_INVALID", 400


class RangeInvalid(NixeryError):
    """A part was asked for that the content does not have. `size`: the content's bytes."""

    code, status = "RANGE_INVALID", 416

    def __init__(self, words: str, size: int) -> None:
        super().__init__(words)
        self.size = size


class Unsupported(NixeryError):
    """The registry does not offer this operation."""

    code, status = "UNSUPPORTED", 405


# The image cannot be had.


class PackagesUnavailable(NixeryError):
    """Some of the packages cannot be had; the message has a reason for each."""

    code, status = "MANIFEST_UNKNOWN", 404


class EvaluationFailed(NixeryError):
    """Nix could not evaluate the package set at all."""


class BuildFailed(NixeryError):
    """Nix could not build a package."""


class SourceOutdated(BuildFailed):
    """The package set names a file that has left its server since: a newer state of the set may name another."""


class BuildTimedOut(NixeryError):
    """A build overran its time."""

    status = 504


class PackingFailed(NixeryError):
    """A layer could not be packed."""


# Try again.


class Unavailable(NixeryError):
    """It does not work now and may work later."""

    code, status = "UNAVAILABLE", 503
    retry_after = 10


class StillBuilding(Unavailable):
    """The request was held as long as it may be; the build goes on."""


class ShuttingDown(Unavailable):
    """The daemon is stopping."""

    def __init__(self) -> None:
        super().__init__("the registry is stopping; ask again in a moment")


class SourceUnavailable(Unavailable):
    """The package source cannot be read."""


class StillFetching(SourceUnavailable):
    """The request was held as long as it may be; the package source is still being read."""


class StorageUnavailable(Unavailable):
    """The storage cannot be read or written."""


class NixUnavailable(Unavailable):
    """Nix cannot be run, or ended in a way that says nothing about the packages."""
