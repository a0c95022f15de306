"""Where daemons store: a folder, a bucket of S3's, a bucket of Google's; for tests that hold wherever that is."""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlsplit

import boto3
from attrs import define, field, frozen
from inotify_simple import INotify, flags

from tests.integration.conftest import need
from tests.integration.daemon import Answer
from tests.integration.fake_gcs import fake_gcs
from tests.integration.gcs_front import Front, front
from tests.integration.recording_proxy import Record, recording
from tests.integration.versitygw import ENVIRONMENT, KEY, REGION, SECRET, serving
from tests.storage.google_account import key_file

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_BUCKET = "nixery-tests"


class Place(Protocol):
    """A storage as its operator sees it. Names are such as `layers/<sha256>`."""

    @property
    def settings(self) -> dict[str, str]:
        """What daemons are told of it."""

    def put(self, name: str, data: bytes) -> None:
        """Write what is called so, whatever was there."""

    def remove(self, name: str) -> None:
        """Remove what is called so."""

    def names(self) -> set[str]:
        """What is there."""

    def reads(self, name: str) -> int:
        """How often daemons have read what was put there, not counting those who followed a link."""


@define
class SharedFolder:
    """See Place. `watched`: names by what inotify calls them; `opened`: how often what was put there was opened."""

    folder: Path
    inotify: INotify = field(factory=INotify)
    watched: dict[int, str] = field(factory=dict)
    opened: Counter[str] = field(factory=Counter)

    @property
    def settings(self) -> dict[str, str]:
        return {"STORAGE_PATH": str(self.folder)}

    def put(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        # With what comes between: the kernel makes one of two events that are equal.
        self.watched[self.inotify.add_watch(str(path), flags.OPEN | flags.CLOSE_NOWRITE)] = name

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def names(self) -> set[str]:
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.name != ".lock")
        return {str(path.relative_to(self.folder)) for path in files}

    def reads(self, name: str) -> int:
        opened = (event for event in self.inotify.read(timeout=0) if event.mask & flags.OPEN)
        self.opened.update(self.watched[event.wd] for event in opened)
        return self.opened[name]


@frozen
class S3:
    """See Place. `record`: of what the daemons ask; `client`: one that asks the server itself."""

    record: Record
    client: "S3Client"

    @property
    def settings(self) -> dict[str, str]:
        bucket = {"S3_BUCKET": _BUCKET, "S3_ENDPOINT": self.record.url}
        return {"NIXERY_STORAGE_BACKEND": "s3", **ENVIRONMENT, **bucket}

    def put(self, name: str, data: bytes) -> None:
        self.client.put_object(Bucket=_BUCKET, Key=name, Body=data)

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=_BUCKET, Key=name)

    def names(self) -> set[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET)
        return {entry["Key"] for page in pages for entry in page.get("Contents", ())}

    def reads(self, name: str) -> int:
        path = f"/{_BUCKET}/{name}"
        gets = [one.target for one in self.record.passed if (one.method, one.path) == ("GET", path)]
        return sum("X-Amz-Signature" not in target for target in gets)


@frozen
class Gcs:
    """See Place. `front`: what the daemons ask; `key`: the file that they sign with; `port`: the server's own."""

    front: Front
    key: Path
    port: int

    @property
    def settings(self) -> dict[str, str]:
        told = {"GCS_BUCKET": _BUCKET, "STORAGE_EMULATOR_HOST": self.front.url}
        return {"NIXERY_STORAGE_BACKEND": "gcs", "GOOGLE_APPLICATION_CREDENTIALS": str(self.key), **told}

    def put(self, name: str, data: bytes) -> None:
        self._ask("POST", f"/upload/storage/v1/b/{_BUCKET}/o?uploadType=media&name={quote(name, '')}", data)

    def remove(self, name: str) -> None:
        self._ask("DELETE", f"/storage/v1/b/{_BUCKET}/o/{quote(name, '')}")

    def names(self) -> set[str]:
        listed = json.loads(self._ask("GET", f"/storage/v1/b/{_BUCKET}/o"))
        return {entry["name"] for entry in listed.get("items", ())}

    def reads(self, name: str) -> int:
        start = f"GET /download/storage/v1/b/{_BUCKET}/o/{quote(name, '')}?"
        return sum(request.startswith(start) for request in self.front.requests)

    def _ask(self, method: str, target: str, data: bytes = b"") -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, target, data)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status in (200, 204), body
        return body


@contextmanager
def shared_folder(folder: Path) -> Iterator[Place]:
    place = SharedFolder(folder / "storage")
    with place.inotify:
        yield place


@contextmanager
def s3(folder: Path) -> Iterator[Place]:
    need("versitygw")
    with serving(folder / "versitygw") as gateway, recording(gateway.port) as record:
        gateway.bucket(_BUCKET)
        client = boto3.session.Session(KEY, SECRET, region_name=REGION).client("s3", endpoint_url=gateway.url)
        yield S3(record, client)
        client.close()


@contextmanager
def gcs(folder: Path) -> Iterator[Place]:
    need("fake-gcs-server")
    with fake_gcs(_BUCKET) as port, front(port) as proxy:
        yield Gcs(proxy, key_file(folder), port)


PLACES: dict[str, Callable[[Path], AbstractContextManager[Place]]] = {"folder": shared_folder, "s3": s3, "gcs": gcs}


def followed(answer: Answer) -> Answer:
    """What a client gets that goes where it is sent."""
    if answer.status != 307:
        return answer
    url = urlsplit(answer.headers["Location"])
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    connection.request("GET", f"{url.path}?{url.query}")
    found = connection.getresponse()
    received = Answer(found.status, dict(found.getheaders()), found.read())
    connection.close()
    return received
