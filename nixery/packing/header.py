"""Headers of tar entries: ustar, with PAX records before it for what ustar cannot say.

Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header". Owner, group and time are constants.
"""

from collections.abc import Iterator
from struct import Struct

BLOCK = 512
"""Bytes that headers and contents are padded to."""

FILE, LINK, DIRECTORY = b"0", b"2", b"5"
_EXTENDED = b"x"

_NAME, _PREFIX = 100, 155
_SIZE = 8**11  # eleven octal digits
# name, mode, uid and gid, size, mtime, checksum, type, link's target, magic, owner's names, device, prefix
_USTAR = Struct("100s8s16s12s12s8s1s100s8s64s16s155s12x")
_NOBODY = b"0000000\0" * 2
_TIME = b"00000000001\0"
_MAGIC = b"ustar\x0000"
_ALWAYS = sum(_NOBODY) * 2 + sum(_TIME) + sum(_MAGIC) + 8 * ord(" ")
"""What all headers have in their checksums; the checksum itself counts as spaces."""
_ASCII = bytes(range(128)) + b"_" * 128


def header(name: bytes, kind: bytes, mode: int, size: int = 0, target: bytes = b"") -> bytes:
    """The blocks before an entry's content of `size` bytes.

    `kind` is FILE, LINK or DIRECTORY; a directory's `name` ends with a slash; `target` is a link's.
    """
    prefix, rest = _split(name)
    if len(rest) <= _NAME and len(target) <= _NAME and size < _SIZE and name.isascii() and target.isascii():
        return _ustar(prefix, rest, kind, mode, size, target)
    records = b"".join(_record(key, value) for key, value in _records(name, rest, size, target))
    return (
        _ustar(b"", b"././@PaxHeader", _EXTENDED, 0o644, len(records), b"")
        + records
        + padding(len(records))
        + _ustar(b"", name.translate(_ASCII), kind, mode, size if size < _SIZE else 0, target.translate(_ASCII))
    )


def padding(size: int) -> bytes:
    """The zeros after a content of `size` bytes."""
    return bytes(-size % BLOCK)


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Prefix and name where ustar has room for them; else nothing and all of it."""
    if len(name) <= _NAME:
        return b"", name
    slash = name.rfind(b"/", 0, min(_PREFIX + 1, len(name) - 1))
    if slash > 0 and len(name) - slash - 1 <= _NAME:
        return name[:slash], name[slash + 1 :]
    return b"", name


def _records(name: bytes, rest: bytes, size: int, target: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What ustar cannot say, in PAX's words; `rest` is what would stand in its name field."""
    texts = []
    if len(rest) > _NAME or not name.isascii():
        texts.append((b"path", name))
    if len(target) > _NAME or not target.isascii():
        texts.append((b"linkpath", target))
    if not all(_is_utf8(text) for _, text in texts):
        yield b"hdrcharset", b"BINARY"
    yield from texts
    if size >= _SIZE:
        yield b"size", b"%d" % size


def _record(key: bytes, value: bytes) -> bytes:
    """`<length> <key>=<value>` and a newline, where the length counts its own digits."""
    body = b" %b=%b\n" % (key, value)
    length = len(body) + len(str(len(body)))
    return b"%d%b" % (len(body) + len(str(length)), body)


def _ustar(prefix: bytes, name: bytes, kind: bytes, mode: int, size: int, target: bytes) -> bytes:
    digits = b"%07o" % mode, b"%011o" % size
    checksum = _ALWAYS + sum(b"".join((prefix, name[:_NAME], kind, target[:_NAME], *digits)))
    return _USTAR.pack(
        name,
        digits[0],
        _NOBODY,
        digits[1],
        _TIME,
        b"%06o\0 " % checksum,
        kind,
        target,
        _MAGIC,
        b"",
        _NOBODY,
        prefix,
    )


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
