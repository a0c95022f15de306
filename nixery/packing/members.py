"""Gzip members: each piece of a tar compressed on its own, the same bytes on every CPU and in any number of threads.

RFC 1952, section 2.2: a gzip file is a series of members. The encoder is libdeflate, by the package `deflate`.
"""

import hashlib
from functools import cache
from zlib import crc32

import deflate

from nixery.packing.pieces import PIECE

_LEVELS = 7 * (3,) + 9 * (5,)
"""libdeflate's: 3 makes layers up to 2.4 % larger than `gzip -6` does, 5 makes them 0.4 to 1.6 % smaller for a quarter
more CPU. With nine pieces of sixteen at 5, layers are no larger, within a hundredth, for less CPU than any level takes
that does it alone. A checksum of the piece chooses, so that the same piece always comes out the same."""

_DECISIVE = 4096
"""The first bytes of a piece, by whose checksum its level is chosen."""

_SAMPLE = 128 << 10


def compress(piece: memoryview | bytes) -> bytearray:
    """One gzip member with the content `piece`; does not hold the GIL."""
    member: bytearray = deflate.gzip_compress(piece, _LEVELS[crc32(piece[:_DECISIVE]) % len(_LEVELS)])
    return member


@cache
def encoder_fingerprint() -> str:
    """What tells encoders apart, part of a layer's cache key: the SHA-256 of what this one makes of fixed samples."""
    members = hashlib.sha256(f"{PIECE} {_LEVELS}".encode())
    for start in range(4):  # of which each level gets some
        members.update(compress(sample()[start:]))
    return members.hexdigest()


def sample() -> bytes:
    """What encoders are told apart by: 128 KiB with runs, text, repetitions near and far, and noise."""
    data = bytearray()
    number = 0
    while len(data) < _SAMPLE:
        noise = hashlib.sha256(b"%d" % number).digest()
        near, far = noise[0] + 1, int.from_bytes(noise[1:3], "big")
        data += noise + noise.hex().encode() * (near % 3) + data[-far:][:near] + bytes(near)
        number += 1
    return bytes(data[:_SAMPLE])
