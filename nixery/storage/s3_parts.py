"""Uploads of large files to S3, in parts.

Amazon S3 user guide, "Uploading and copying objects using multipart upload".
"""

import hashlib
import random
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, TypedDict

from attrs import define, field

from nixery.images.digest import Digest
from nixery.storage.bucket import BucketError
from nixery.storage.s3_failures import failures

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

PART = 8 << 20
"""Bytes of a part, and of the largest file that goes in one piece. There may be 10,000 parts."""

_WAITS = 0.2, 0.4, 0.8, 1.6
"""Seconds that the waits between tries to send one part may take at most. Without them each connection that is cut
would cost all of an upload, and where some are, a large one would never end."""

_SOON = 10.0
"""Seconds after which a part is not tried again: what says nothing for long is away."""

_FORGOTTEN = timedelta(days=1)
"""Age of an upload that nobody goes on with."""


class Precondition(TypedDict, total=False):
    """The arguments that say what is to be there for an object to be written."""

    IfMatch: str
    IfNoneMatch: str


def precondition(replaced: str | None) -> Precondition:
    """That version, or nothing."""
    return {"IfNoneMatch": "*"} if replaced is None else {"IfMatch": replaced}


def md5(data: bytes) -> str:
    """A Content-MD5 (RFC 1864): the checksum of a body that every S3 server looks at."""
    return b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


@define
class PartedUpload:
    """One upload: of a file, unbuffered, whose bytes have that digest. One part of it is in memory at a time."""

    client: "S3Client"
    bucket: str
    key: str
    file: BinaryIO
    digest: Digest
    parts: "list[CompletedPartTypeDef]" = field(factory=list)
    hashed: "hashlib._Hash" = field(factory=hashlib.sha256)

    def run(self, metadata: Mapping[str, str], replaced: str | None) -> None:
        """Upload; the parts are given back when that fails. To be called within `failures`, whose errors are raised."""
        begun = self.client.create_multipart_upload(Bucket=self.bucket, Key=self.key, Metadata=metadata)
        upload = begun["UploadId"]
        try:
            while self._send(upload):
                pass
            self._complete(upload, replaced)
        except BaseException:
            abort(self.client, self.bucket, self.key, upload)
            raise

    def _send(self, upload: str) -> bool:
        """Send the next part; says whether there was one."""
        data = self.file.read(PART)
        if not data:
            return False
        self.hashed.update(data)
        number = len(self.parts) + 1
        self.parts.append({"PartNumber": number, "ETag": self._sent(upload, number, data)})
        return True

    def _sent(self, upload: str, number: int, data: bytes) -> str:
        """Send a part, again where that fails soon and in passing; gives its ETag."""
        end = time.monotonic() + _SOON
        for wait in _WAITS:
            try:
                with failures(f"uploading {self.key}"):
                    return self._put(upload, number, data)
            except BucketError as error:
                if not error.passing or time.monotonic() > end:
                    raise
            time.sleep(random.uniform(0, wait))  # noqa: S311  # so that many do not try in step
        return self._put(upload, number, data)

    def _put(self, upload: str, number: int, data: bytes) -> str:
        return self.client.upload_part(
            Bucket=self.bucket, Key=self.key, UploadId=upload, PartNumber=number, Body=data, ContentMD5=md5(data)
        )["ETag"]

    def _complete(self, upload: str, replaced: str | None) -> None:
        require(self.key, self.hashed.hexdigest(), self.digest)
        self.client.complete_multipart_upload(
            Bucket=self.bucket,
            Key=self.key,
            UploadId=upload,
            MultipartUpload={"Parts": self.parts},
            **precondition(replaced),
        )


def require(key: str, hexadecimal: str, digest: Digest) -> None:
    """Raise BucketError unless what was read of a file has its digest."""
    if hexadecimal != digest.hex:
        raise BucketError(f"uploading {key}: the file has another digest, sha256:{hexadecimal}", passing=False)


def abort(client: "S3Client", bucket: str, key: str, upload: str) -> None:
    """Have the parts of an upload removed, if that can be done: what is left is removed when it has aged."""
    with suppress(BucketError), failures(f"ending the upload of {key}"):
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)


def abort_forgotten(client: "S3Client", bucket: str, prefix: str, now: datetime) -> None:
    """Abort uploads that dead processes left: of the first thousand below `prefix`, those older than a day."""
    with failures("listing unfinished uploads"):
        listed = client.list_multipart_uploads(Bucket=bucket, Prefix=prefix)
    for upload in listed.get("Uploads", []):
        if now - upload["Initiated"] > _FORGOTTEN:
            abort(client, bucket, upload["Key"], upload["UploadId"])
