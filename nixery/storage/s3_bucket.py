"""A bucket of an S3-compatible store (Amazon S3 API reference)."""

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from os import fstat
from typing import TYPE_CHECKING

from nixery.images.digest import Digest
from nixery.storage.bucket import LINK_SECONDS, SMALL, VOUCHED, BucketError, Object
from nixery.storage.s3_failures import Absent, failures
from nixery.storage.s3_parts import PART, PartedUpload, abort_forgotten, md5, precondition, require
from nixery.storage.spool import Wanted

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef, ListObjectsV2RequestTypeDef

_LISTED_AT_ONCE = 1000


class S3Bucket:
    """See Bucket. Versions are ETags, with their quotes. `client`: one that does not try again by itself."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self._name = name

    def look(self, key: str) -> Object | None:
        """See Bucket."""
        with suppress(Absent), failures(f"looking at {key}"):
            head = self._client.head_object(Bucket=self._name, Key=key)
            return Object(head["ContentLength"], head["ETag"], _vouched(head["Metadata"]))
        return None

    def read(self, key: str) -> tuple[bytes, str] | None:
        """See Bucket."""
        with suppress(Absent), failures(f"reading {key}"):
            answer = self._client.get_object(Bucket=self._name, Key=key)
            with closing(answer["Body"]) as body:
                size = answer["ContentLength"]
                if size > SMALL:
                    raise BucketError(f"{key} has {size} bytes, and at most {SMALL} were expected", passing=False)
                return body.read(), answer["ETag"]
        return None

    def read_part(self, key: str, version: str, offset: int, length: int) -> bytes | None:
        """See Bucket."""
        if not length:  # which no Range can say
            return b""
        span = f"bytes={offset}-{offset + length - 1}"
        with suppress(Absent), failures(f"reading {key}"):
            answer = self._client.get_object(Bucket=self._name, Key=key, IfMatch=version, Range=span)
            with closing(answer["Body"]):
                return _part(key, answer, length) if answer["ETag"] == version else None
        return None

    def write(self, key: str, data: bytes, replaced: str | None) -> bool:
        """See Bucket."""
        return self._put(key, data, {}, replaced)

    def remove(self, key: str, version: str) -> bool:
        """See Bucket. MinIO, for one, ignores If-Match here: so it is looked first."""
        found = self.look(key)
        if found is not None and found.version == version:
            with suppress(Absent), failures(f"removing {key}"):
                self._client.delete_object(Bucket=self._name, Key=key, IfMatch=version)
                return True
        return False

    def upload(self, key: str, path: str, digest: Digest, replaced: str | None) -> bool:
        """See Bucket."""
        vouched = {VOUCHED: digest.hex}
        with suppress(Absent), failures(f"uploading {key}"), Wanted(path) as file:
            if fstat(file.fileno()).st_size > PART:
                PartedUpload(self._client, self._name, key, file, digest).run(vouched, replaced)
                return True
            data = file.read(PART)
            require(key, Digest.of(data).hex, digest)
            return self._put(key, data, vouched, replaced)
        return False

    def vouch(self, key: str, version: str, digest: Digest) -> None:
        """See Bucket. An object is copied onto itself, which servers refuse for those above 5 GiB."""
        with suppress(Absent), failures(f"vouching for {key}"):
            self._client.copy_object(
                Bucket=self._name,
                Key=key,
                CopySource={"Bucket": self._name, "Key": key},
                CopySourceIfMatch=version,
                MetadataDirective="REPLACE",
                Metadata={VOUCHED: digest.hex},
            )

    def list(self, folder: str, after: str, most: int) -> Sequence[tuple[str, int]]:
        """See Bucket."""
        start = f"{folder}/"
        found: list[tuple[str, int]] = []
        asked: ListObjectsV2RequestTypeDef = {"Bucket": self._name, "Prefix": start, "Delimiter": "/"}
        asked["StartAfter"] = start + after
        while len(found) < most:
            asked["MaxKeys"] = min(_LISTED_AT_ONCE, most - len(found))
            with failures(f"listing {folder}"):
                listed = self._client.list_objects_v2(**asked)
                found += ((entry["Key"].removeprefix(start), entry["Size"]) for entry in listed.get("Contents", ()))
                if not listed["IsTruncated"]:
                    break
                asked["ContinuationToken"] = listed["NextContinuationToken"]
        return found

    def link(self, key: str) -> str:
        """See Bucket. Signed with our credentials: of temporary ones, it ends with them."""
        with failures(f"signing a link to {key}"):
            object_ = {"Bucket": self._name, "Key": key}
            return self._client.generate_presigned_url("get_object", Params=object_, ExpiresIn=LINK_SECONDS)

    def abort_forgotten(self) -> None:
        """Remove parts of blobs that processes left which were killed."""
        abort_forgotten(self._client, self._name, "layers/", datetime.now(UTC))

    def close(self) -> None:
        """See Bucket."""
        self._client.close()

    def _put(self, key: str, data: bytes, metadata: Mapping[str, str], replaced: str | None) -> bool:
        with suppress(Absent), failures(f"writing {key}"):
            self._client.put_object(
                Bucket=self._name,
                Key=key,
                Body=data,
                ContentMD5=md5(data),
                Metadata=metadata,
                **precondition(replaced),
            )
            return True
        return False


def _vouched(metadata: Mapping[str, str]) -> str | None:
    """What the metadata vouch for. They are headers, whose names MinIO and proxies write as `Nixery-Sha256`."""
    return next((value for name, value in metadata.items() if name.lower() == VOUCHED), None)


def _part(key: str, answer: "GetObjectOutputTypeDef", length: int) -> bytes:
    """The body, which is looked at only when it is as long as was asked for."""
    size = answer["ContentLength"]
    if size != length:
        raise BucketError(f"reading {key}: {size} bytes came where {length} were asked for", passing=True)
    return answer["Body"].read()
