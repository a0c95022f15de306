"""Gzip members: each piece of a tar compressed on its own, the same bytes on every CPU and in any number of threads.

RFC 1952, section 2.2: a gzip file is a series of members. The encoder is libdeflate, by the package `deflate`.
"""

import hashlib
from functools import cache

import deflate

from nixery.packing.pieces import PIECE

_LEVEL = 4


def compress(piece: memoryview | bytes) -> bytearray:
    """One gzip member with the content `piece`; does not hold the GIL."""
    member: bytearray = deflate.gzip_compress(piece, _LEVEL)
    return member


@cache
def encoder_fingerprint() -> str:
    """What tells encoders apart, part of a layer's cache key: the SHA-256 of what this one makes of a fixed sample."""
    return hashlib.sha256(compress(sample())).hexdigest()


def sample() -> bytes:
    """What encoders are told apart by: a piece with runs, text, repetitions near and far, and noise."""
    data = bytearray()
    number = 0
    while len(data) < PIECE:
        noise = hashlib.sha256(b"%d" % number).digest()
        near, far = noise[0] + 1, int.from_bytes(noise[1:3], "big")
        data += noise + noise.hex().encode() * (near % 3) + data[-far:][:near] + bytes(near)
        number += 1
    return bytes(data[:PIECE])
