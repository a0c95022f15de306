"""What a record says, and what it names: blobs, and other records."""

import json
from collections.abc import Callable, Mapping

from attrs import frozen

from nixery.images.digest import Digest
from nixery.images.index import IndexRecord
from nixery.images.manifest import ImageRecord, decode_blob, decode_layer


@frozen
class Named:
    """What is there where a record holds. `blobs`: with sizes in bytes, None where the record does not say one."""

    blobs: Mapping[Digest, int | None]
    records: tuple[str, ...] = ()


def _layer(data: bytes) -> Named:
    return Named({blob.digest: blob.size for blob in decode_layer(json.loads(data)).blobs})


def _zstd(data: bytes) -> Named:
    blob = decode_blob(json.loads(data))
    return Named({blob.digest: blob.size})


def _image(data: bytes) -> Named:
    return Named(dict(ImageRecord.decode(data).blobs()))


def _index(data: bytes) -> Named:
    images = IndexRecord.decode(data).images
    return Named({manifest: None for _, manifest in images}, tuple(f"v1/images/{key}" for key, _ in images))


NAMED: Mapping[str, Callable[[bytes], Named]] = {
    "v1/layers": _layer,
    "v1/zstd": _zstd,
    "v1/images": _image,
    "v1/indexes": _index,
}
"""By folder; each raises what nixery.storage.records.NOT_OURS lists for what no version of ours wrote."""
