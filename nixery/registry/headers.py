"""A request's headers as text, whatever bytes they hold (RFC 9110, 5.5: what is beyond ASCII is opaque)."""

from twisted.web.iweb import IRequest


def values(request: IRequest, name: str) -> list[str]:
    """The values of all headers of that name."""
    raw: list[bytes] = request.requestHeaders.getRawHeaders(name.encode(), [])
    return [value.decode("latin-1") for value in raw]


def last(request: IRequest, name: str) -> str | None:
    """The value of the last header of that name, or None."""
    found = values(request, name)
    return found[-1] if found else None
