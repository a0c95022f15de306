"""The S3 backend: from settings to a storage, in a bucket that was seen to do what a storage needs."""

import re
import uuid
from collections.abc import Mapping
from contextlib import suppress

import boto3
from attrs import frozen
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from twisted.logger import Logger

from nixery.errors import ConfigError
from nixery.images.digest import Digest
from nixery.storage.bucket import CALLS, Bucket, BucketError
from nixery.storage.interfaces import IStorage, Surroundings
from nixery.storage.objects import object_storage
from nixery.storage.s3_bucket import S3Bucket

_CONNECT_SECONDS, _READ_SECONDS = 5, 20

_NO_VERSION = '"00000000000000000000000000000000"'
"""An ETag that no content has."""

_ENDPOINT = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?", re.ASCII | re.IGNORECASE)

_log = Logger()


def make(settings: Mapping[str, str], surroundings: Surroundings) -> IStorage:
    """See IStorageBackend; docs/configuration.md has the settings. Credentials are found as boto3 finds them."""
    place = Place.of(settings)
    bucket = place.bucket()
    try:
        bucket.list("layers", "", 1)
        if not surroundings.read_only:
            require_preconditions(bucket, place.words)
            _clear(bucket)
    except BucketError as error:
        raise ConfigError(f"{place.words} cannot be used: {error}") from None
    return object_storage(bucket, place.words, settings, surroundings)


@frozen
class Place:
    """Where a bucket is, as the settings have it."""

    name: str
    endpoint: str | None
    region: str | None
    path_style: bool

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> "Place":
        """Raises ConfigError."""
        name, endpoint, region = (settings.get(f"S3_{word}", "") for word in ("BUCKET", "ENDPOINT", "REGION"))
        style = settings.get("S3_PATH_STYLE") or ("yes" if endpoint else "no")
        if re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]{1,254}", name) is None:
            raise ConfigError(f"S3_BUCKET is {name!r}; the s3 backend needs the name of a bucket")
        if endpoint and not _is_endpoint(endpoint):
            raise ConfigError("S3_ENDPOINT is to be a URL such as https://s3.example.org:9000, with no more than that")
        if region and re.fullmatch("[a-z0-9-]{1,63}", region) is None:
            raise ConfigError(f"S3_REGION is {region!r}; it may be a region's name, such as eu-central-1")
        if style not in ("yes", "no"):
            raise ConfigError(f"S3_PATH_STYLE is {style!r}; it may be one of: yes, no")
        return cls(name, endpoint or None, region or None, style == "yes")

    @property
    def words(self) -> str:
        """How messages call it."""
        return f"the bucket {self.name}" + (f" at {self.endpoint}" if self.endpoint else "")

    def bucket(self) -> S3Bucket:
        """The bucket; it is not asked for anything yet. Raises ConfigError."""
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if self.path_style else "virtual"},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": 1},
            max_pool_connections=CALLS,
            # Checksums in trailers are not what every server understands; there is Content-MD5.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            session = boto3.session.Session()
            region = self.region or session.region_name or "us-east-1"
            return S3Bucket(session.client("s3", region, endpoint_url=self.endpoint, config=config), self.name)
        except (BotoCoreError, ValueError) as error:
            raise ConfigError(f"{self.words} cannot be used: {error}") from None


def _is_endpoint(text: str) -> bool:
    found = _ENDPOINT.fullmatch(text)
    return found is not None and 0 < int(found[1] or 443) < 65536


def require_preconditions(bucket: Bucket, where: str) -> None:
    """Raise ConfigError unless the server writes where a write's precondition holds, and only there.

    Else instances would write over each other's records. Raises BucketError.
    """
    key = f"v1/probe/{uuid.uuid4().hex}"
    try:
        fault = _fault(bucket, key)
    finally:
        with suppress(BucketError):
            found = bucket.look(key)
            if found is not None:
                bucket.remove(key, found.version)
    if fault is not None:
        raise ConfigError(f"{where} cannot be used: its server {fault}; choose one that honours it")


def _fault(bucket: Bucket, key: str) -> str | None:
    """What the server does with a precondition and should not, None where it does nothing wrong."""
    bucket.write(key, b"first", None)
    if bucket.write(key, b"second", None):
        return "ignores If-None-Match"
    if bucket.write(key, b"third", _NO_VERSION):
        return "ignores If-Match"
    bucket.vouch(key, _NO_VERSION, Digest.of(b"third"))
    found = bucket.look(key)
    if found is not None and found.vouched is not None:
        return "ignores x-amz-copy-source-if-match"
    if found is None or not bucket.write(key, b"fourth", found.version):
        return "refuses a write although its If-None-Match or If-Match holds"
    return None


def _clear(bucket: S3Bucket) -> None:
    """Remove what killed processes left. Some servers and policies do not allow that: then it stays."""
    try:
        bucket.abort_forgotten()
    except BucketError as error:
        _log.warn("unfinished uploads stay in the bucket: {error}", error=error)
