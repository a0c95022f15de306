"""The gcs backend: a bucket of Google Cloud Storage. What its settings say is in docs/configuration.md."""

import os
import re
from collections.abc import Mapping

from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from nixery.errors import ConfigError
from nixery.storage.bucket import BucketError
from nixery.storage.gcs_account import account, session
from nixery.storage.gcs_bucket import GcsBucket
from nixery.storage.gcs_signing import PUBLIC, signer, way
from nixery.storage.interfaces import IStorage, Surroundings
from nixery.storage.objects import object_storage

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
"""https://cloud.google.com/storage/docs/buckets#naming"""


def make(settings: Mapping[str, str], surroundings: Surroundings) -> IStorage:
    """See IStorageBackend."""
    bucket = gcs_bucket(settings, surroundings.read_only)
    where = f"the bucket {_name(settings)} of Google Cloud Storage"
    try:
        bucket.probe(surroundings.read_only)
    except BucketError as error:
        bucket.close()
        raise ConfigError(f"{where} cannot be used: {error}") from None
    return object_storage(bucket, where, settings, surroundings)


def gcs_bucket(settings: Mapping[str, str], read_only: bool) -> GcsBucket:
    """The bucket that the settings name, which is not asked yet; raises ConfigError.

    `read_only`: whether a bucket that is open to all is enough. An emulator is asked by nobody in particular.
    """
    name, signing = _name(settings), way(settings)
    emulator = settings.get("STORAGE_EMULATOR_HOST")
    who = account(settings, bool(emulator) and signing == PUBLIC, read_only)
    signs = signer(signing, who)
    # Else newer versions of the library ask for the bucket, in a thread of their own, for traces that nobody reads.
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    asking = AnonymousCredentials() if emulator else who
    options = {"api_endpoint": emulator} if emulator else {}
    client = Client(project=None, credentials=asking, _http=session(asking), client_options=options)
    return GcsBucket(client, name, signs)


def _name(settings: Mapping[str, str]) -> str:
    name = settings.get("GCS_BUCKET") or settings.get("BUCKET") or ""
    if not name:
        raise ConfigError("the gcs backend needs GCS_BUCKET, the name of a bucket of Google Cloud Storage")
    if _NAME.fullmatch(name) is None:
        raise ConfigError(f"GCS_BUCKET is {name[:200]!r}, which cannot be a bucket's name")
    return name
