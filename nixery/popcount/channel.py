"""The store paths of a channel: the store-paths.xz of its newest release."""

import lzma
import re

from nixery.errors import SourceUnavailable
from nixery.fetching.address import Address, shown
from nixery.fetching.web import Web
from nixery.popcount.base import BASE, digest_of

_REVISION = re.compile(rb"[0-9a-f]{40}\s*")
_PATH = re.compile(rb"/.*/" + BASE.encode())
_MOST_REVISION = 1 << 16  # bytes: a page that says that there is nothing is longer than a commit's id
_MOST_PACKED = 64 << 20
_MOST = 1 << 30
_PIECE = 1 << 20
_MEMORY = 256 << 20  # for one dictionary of xz, whatever the file asks for


async def store_paths(web: Web, url: str, channel: str) -> list[str]:
    """The digests of a channel's paths; raises SourceUnavailable. `url`: where channels are, such as NixOS' own."""
    paths = await _release(web, f"{url.rstrip('/')}/{channel}") + "/store-paths.xz"
    page = await web.get(paths, _MOST_PACKED)
    if page.status != 200:
        raise SourceUnavailable(f"{shown(paths)} is answered with status {page.status}")
    try:
        return digests(page.body)
    except (ValueError, lzma.LZMAError) as error:
        raise SourceUnavailable(f"{shown(paths)} cannot be made sense of: {error}") from error


async def _release(web: Web, channel: str) -> str:
    """Where the release is that the channel is at: it may move while we look."""
    asked = f"{channel}/git-revision"
    page = await web.get(asked, _MOST_REVISION)
    if page.status != 200 or _REVISION.fullmatch(page.body) is None:
        raise SourceUnavailable(f"{shown(channel)} is no channel: its git-revision is no commit (status {page.status})")
    if page.url == Address.parse(asked).url:
        return channel  # with the user and password that may be in it
    return page.url.removesuffix("/git-revision")


def digests(packed: bytes) -> list[str]:
    """The digests of the store paths in an xz file that has one in a line; raises ValueError and LZMAError."""
    found: list[str] = []
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    size, rest, piece = 0, b"", unpacker.decompress(packed, _PIECE)
    while True:
        size += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        found += [_digest(line) for line in lines if line]
        if size > _MOST or len(rest) > _PIECE:
            raise ValueError("it is too long")
        if unpacker.eof:
            return found + ([_digest(rest)] if rest else [])
        if unpacker.needs_input:
            raise ValueError("it ends in the middle")
        piece = unpacker.decompress(b"", _PIECE)


def _digest(line: bytes) -> str:
    if _PATH.fullmatch(line) is None:
        raise ValueError(f"{line[:100]!r} is no store path")
    return digest_of(line.rpartition(b"/")[2].decode())
