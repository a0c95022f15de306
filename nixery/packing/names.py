"""File names: bytes on the disk and in a tar, text elsewhere, the same under every locale."""


def to_bytes(text: str) -> bytes:
    """The bytes of a name or path; those that are not UTF-8 are lone surrogates in `text` (PEP 383)."""
    return text.encode("utf-8", "surrogateescape")


def to_text(name: bytes) -> str:
    """What to_bytes takes back without loss."""
    return name.decode("utf-8", "surrogateescape")


def shown(name: bytes) -> str:
    """A name quoted for a message: printable, on one line."""
    return repr(to_text(name))
