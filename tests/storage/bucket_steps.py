"""What the cases of BucketContract are made of."""

import random
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nixery.images.digest import Digest
from nixery.storage.bucket import Bucket

RIVALS = 20


def file_of(folder: Path, data: bytes) -> tuple[str, Digest]:
    """A file to upload, and its digest."""
    path = folder / Digest.of(data).hex
    path.write_bytes(data)
    return str(path), Digest.of(data)


def noise(size: int) -> bytes:
    """Bytes, the same each time, no part of which is like another."""
    return random.Random(size).randbytes(size)


def version_of(bucket: Bucket, key: str) -> str:
    found = bucket.look(key)
    assert found is not None
    return found.version


def written(bucket: Bucket, key: str, data: bytes) -> str:
    """The version of an object that is made now."""
    assert bucket.write(key, data, None)
    return version_of(bucket, key)


def fetched(url: str, **headers: str) -> tuple[int, bytes]:
    """A plain GET: status and body."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        return answer.status, answer.read()


def listed_in(bucket: Bucket, folder: str, after: str, most: int) -> list[tuple[str, int]]:
    return list(bucket.list(folder, after, most))


def at_once(work: Callable[[int], bool]) -> list[bool]:
    """What the rivals get, each in a thread of its own."""
    with ThreadPoolExecutor(RIVALS) as threads:
        return list(threads.map(work, range(RIVALS)))
