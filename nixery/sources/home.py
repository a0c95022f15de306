"""Where a package set is developed, as its images tell everybody: an address without anything that may be secret."""

from urllib.parse import urlsplit, urlunsplit

_SCHEMES = ("http", "https", "ssh")


def home_of(url: str) -> str | None:
    """A repository's URL without login, query and fragment; None for another kind of address, or a malformed one."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises ValueError for one that is none, such as half of a login
    except ValueError:
        return None
    # An @ behind the host: a password with a slash in it, which ends the host too early.
    if parts.scheme not in _SCHEMES or not parts.hostname or "@" in parts.path + parts.query + parts.fragment:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
