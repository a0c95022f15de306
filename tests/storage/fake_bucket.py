"""A bucket in memory, with links that can be fetched. It passes the suite that real ones pass."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from attrs import evolve, frozen

from nixery.images.digest import Digest
from nixery.storage.bucket import SMALL, Bucket, BucketError, Object
from tests.loopback import Answering, listening

T = TypeVar("T")


@frozen
class Kept:
    """An object's bytes, version, and who vouched for it."""

    data: bytes
    version: str
    vouched: str | None


class FakeBucket:
    """See Bucket. `before`: called with the name of each call and the key, before it does anything; may raise."""

    def __init__(self) -> None:
        self.address = "http://127.0.0.1:1"
        self.objects: dict[str, Kept] = {}
        self.calls: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda call, key: None
        self.after: Callable[[str, str], None] = lambda call, key: None
        self.closed = False
        self._lock = threading.Lock()
        self._versions = 0

    def look(self, key: str) -> Object | None:
        with self._called("look", key):
            found = self.objects.get(key)
            return None if found is None else Object(len(found.data), found.version, found.vouched)

    def read(self, key: str) -> tuple[bytes, str] | None:
        with self._called("read", key):
            found = self.objects.get(key)
            if found is not None and len(found.data) > SMALL:
                raise BucketError(f"{key} has {len(found.data)} bytes", passing=False)
            return None if found is None else (found.data, found.version)

    def read_part(self, key: str, version: str, offset: int, length: int) -> bytes | None:
        with self._called("read_part", key):
            found = self.objects.get(key)
            return None if found is None or found.version != version else found.data[offset : offset + length]

    def write(self, key: str, data: bytes, replaced: str | None) -> bool:
        with self._called("write", key):
            return self._put(key, data, replaced, None)

    def remove(self, key: str, version: str) -> bool:
        with self._called("remove", key):
            found = self.objects.get(key)
            return found is not None and found.version == version and self.objects.pop(key) is found

    def upload(self, key: str, path: str, digest: Digest, replaced: str | None) -> bool:
        with self._called("upload", key), open(path, "rb") as file:
            return self._put(key, file.read(), replaced, digest.hex)

    def vouch(self, key: str, version: str, digest: Digest) -> None:
        with self._called("vouch", key):
            found = self.objects.get(key)
            if found is not None and found.version == version:
                self.objects[key] = evolve(found, vouched=digest.hex, version=self._version())

    def list(self, folder: str, after: str, most: int) -> list[tuple[str, int]]:
        with self._called("list", folder):
            start = f"{folder}/"
            words = (key.removeprefix(start) for key in self.objects if key.startswith(start))
            found = sorted(word for word in words if word > after and "/" not in word)[:most]
            return [(word, len(self.objects[start + word].data)) for word in found]

    def link(self, key: str) -> str:
        with self._called("link", key):
            return f"{self.address}/{key}"

    def close(self) -> None:
        self.closed = True

    def lay(self, key: str, data: bytes) -> None:
        """Put an object there that is not of ours."""
        self.objects[key] = Kept(data, self._version(), None)

    def _put(self, key: str, data: bytes, replaced: str | None, vouched: str | None) -> bool:
        found = self.objects.get(key)
        if (None if found is None else found.version) != replaced:
            return False
        self.objects[key] = Kept(data, self._version(), vouched)
        return True

    def _version(self) -> str:
        self._versions += 1
        return str(self._versions)

    @contextmanager
    def _called(self, call: str, key: str) -> Iterator[None]:
        self.before(call, key)
        with self._lock:
            self.calls.append((call, key))
            yield
        self.after(call, key)


class _Links(Answering[FakeBucket]):
    def do_GET(self) -> None:
        found = self.state.objects.get(self.path[1:])
        if found is None:
            self.send_error(404)
            return
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        data = found.data[int(first) : int(last) + 1 if last else None]
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def served() -> Iterator[FakeBucket]:
    """A bucket whose links work."""
    bucket = FakeBucket()
    with listening(partial(_Links, bucket)) as port:
        bucket.address = f"http://127.0.0.1:{port}"
        yield bucket


_: type[Bucket] = FakeBucket
