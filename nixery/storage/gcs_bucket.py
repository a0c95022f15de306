"""A bucket of Google Cloud Storage, by Google's own library.

What each call does: https://cloud.google.com/storage/docs/json_api/v1/objects.
"""

import base64
import os
import uuid
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import BinaryIO

import google_crc32c
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.auth.credentials import Signing
from google.cloud.storage import Client
from google.cloud.storage.retry import DEFAULT_RETRY

from nixery.images.digest import Digest
from nixery.storage.bucket import LINK_SECONDS, SMALL, VOUCHED, BucketError, Object
from nixery.storage.gcs_failures import again, failures
from nixery.storage.spool import Wanted

_ASK, _FIRST_ASK, _SEND = (5.0, 20.0), (5.0, 5.0), (20.0, 60.0)
"""Seconds to connect, and to hear something. The first counts for sending a part of a file, too (urllib3)."""

_PART = 8 << 20
"""Bytes that are sent at once: what the library sends in one request, and the parts in which it sends more."""

_RETRY = DEFAULT_RETRY.with_timeout(30.0).with_predicate(again)
"""How a part is sent again: only the library knows how far an upload came. Seconds."""


class GcsBucket:
    """See Bucket. A version is a generation; what vouches for an object is in its metadata.

    `signer`: signs links; None where objects are open to all. One client is shared by all threads: no call changes it.
    """

    def __init__(self, client: Client, name: str, signer: Signing | None) -> None:
        self._client = client
        self._bucket = client.bucket(name)
        self._signer = signer

    def probe(self, read_only: bool) -> None:
        """See whether there is such a bucket and we may use it; raises BucketError."""
        self._list("layers/", "", 1, _FIRST_ASK)
        if not read_only:
            key = f"v1/probe/{uuid.uuid4().hex}"
            self.write(key, b"", None)
            found = self.look(key)
            if found is not None:
                self.remove(key, found.version)

    def look(self, key: str) -> Object | None:
        """See Bucket."""
        with failures(f"looking at {key}"):
            blob = self._bucket.get_blob(key, timeout=_ASK, retry=None)
        if blob is None:
            return None
        return Object(blob.size, str(blob.generation), (blob.metadata or {}).get(VOUCHED))

    def read(self, key: str) -> tuple[bytes, str] | None:
        """See Bucket."""
        blob, data = self._bucket.blob(key), _Small(key)
        with failures(f"reading {key}"):
            try:
                blob.download_to_file(data, raw_download=True, timeout=_ASK, retry=None)
            except NotFound:
                return None
        return data.getvalue(), str(blob.generation)

    def read_part(self, key: str, version: str, offset: int, length: int) -> bytes | None:
        """See Bucket."""
        if not length:
            return b""
        blob, part = self._bucket.blob(key, generation=int(version)), BytesIO()
        with failures(f"reading {key}"):
            try:
                blob.download_to_file(
                    part, start=offset, end=offset + length - 1, raw_download=True, timeout=_ASK, retry=None
                )
            except NotFound:
                return None
        if len(part.getbuffer()) != length:
            raise BucketError(f"reading {key}: {len(part.getbuffer())} bytes came instead of {length}", True)
        return part.getvalue()

    def write(self, key: str, data: bytes, replaced: str | None) -> bool:
        """See Bucket."""
        with BytesIO(data) as file:
            return self._send(key, file, len(data), {}, replaced)

    def upload(self, key: str, path: str, digest: Digest, replaced: str | None) -> bool:
        """See Bucket."""
        with failures(f"uploading {key} from {path}"), Wanted(path) as file:
            return self._send(key, file, os.fstat(file.fileno()).st_size, {VOUCHED: digest.hex}, replaced)

    def _send(self, key: str, file: BinaryIO, size: int, metadata: Mapping[str, str], replaced: str | None) -> bool:
        """Upload a file as one object. The server makes it only if it has our checksum; not all emulators look."""
        blob = self._bucket.blob(key, chunk_size=_PART)
        checksum = _checksum(file)
        blob.crc32c, blob.metadata = checksum, metadata
        with failures(f"writing {key}"):
            try:
                blob.upload_from_file(
                    file,
                    size=size,
                    content_type="application/octet-stream",
                    if_generation_match=int(replaced or 0),
                    checksum=None,
                    timeout=_SEND,
                    retry=_RETRY if size > _PART else None,
                )
            except PreconditionFailed:
                return False
        if blob.crc32c != checksum:
            self.remove(key, str(blob.generation))
            raise BucketError(f"writing {key}: what arrived is not what was sent", True)
        return True

    def remove(self, key: str, version: str) -> bool:
        """See Bucket."""
        with failures(f"removing {key}"):
            try:
                self._bucket.blob(key).delete(if_generation_match=int(version), timeout=_ASK, retry=None)
            except (NotFound, PreconditionFailed):
                return False
        return True

    def vouch(self, key: str, version: str, digest: Digest) -> None:
        """See Bucket. A patch leaves other metadata as they are, so that no rival's are lost."""
        blob = self._bucket.blob(key)
        blob.metadata = {VOUCHED: digest.hex}
        with failures(f"vouching for {key}"):
            try:
                blob.patch(if_generation_match=int(version), timeout=_ASK, retry=None)
            except (NotFound, PreconditionFailed):
                return

    def list(self, folder: str, after: str, most: int) -> Sequence[tuple[str, int]]:
        """See Bucket."""
        return self._list(f"{folder}/", after, most, _ASK)

    def _list(self, start: str, after: str, most: int, timeout: tuple[float, float]) -> Sequence[tuple[str, int]]:
        """What begins with `start` and has no further slash; the server begins at `after` itself."""
        with failures(f"listing {start}"):
            blobs = self._bucket.list_blobs(
                prefix=start,
                delimiter="/",
                start_offset=f"{start}{after}",
                max_results=most + 1,
                fields="items(name,size),nextPageToken",
                timeout=timeout,
                retry=None,
            )
            words = [(blob.name.removeprefix(start), blob.size) for blob in blobs]
        return [entry for entry in words if entry[0] > after][:most]

    def link(self, key: str) -> str:
        """See Bucket. V4 signing: https://cloud.google.com/storage/docs/access-control/signed-urls."""
        blob = self._bucket.blob(key)
        if self._signer is None:
            return blob.public_url
        with failures(f"signing a link to {key}"):
            return blob.generate_signed_url(
                expiration=LINK_SECONDS, method="GET", version="v4", credentials=self._signer
            )

    def close(self) -> None:
        """See Bucket."""
        self._client.close()


class _Small(BytesIO):
    """Takes no more than a small object."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def write(self, data: bytes) -> int:  # type: ignore[override]  # the library writes bytes alone
        if self.tell() + len(data) > SMALL:
            raise BucketError(f"reading {self._key}: it has more than {SMALL} bytes", False)
        return super().write(data)


def _checksum(file: BinaryIO) -> str:
    """The CRC32C of a file, as the JSON API has it; leaves the file at its beginning."""
    checksum = google_crc32c.Checksum()
    while data := file.read(1 << 20):
        checksum.update(data)
    file.seek(0)
    return base64.b64encode(checksum.digest()).decode()
