"""A registry on loopback with one image, true unless a test has it lie."""

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from nixery.validating.formats import DOCKER, OCI, Family
from tests.zstd import zstd

FAMILIES = {OCI.index: OCI, OCI.manifest: OCI, DOCKER.index: DOCKER, DOCKER.manifest: DOCKER}


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0, **others: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mtime, made.size = kind, target, 1, size
    for attribute, value in others.items():
        setattr(made, attribute, value)
    return made


def folder(name: str) -> tarfile.TarInfo:
    return member(name, tarfile.DIRTYPE)


def tar(*members: tarfile.TarInfo) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w", format=tarfile.PAX_FORMAT) as made:
        for each in members:
            made.addfile(each, io.BytesIO(bytes(each.size)))
    return into.getvalue()


def gzipped(data: bytes) -> bytes:
    """Several members, as Nixery has them."""
    return b"".join(gzip.compress(data[at : at + (1 << 20)], mtime=0) for at in range(0, len(data), 1 << 20))


def frames(data: bytes) -> bytes:
    """The same in zstd, with an empty frame and one to be skipped among them."""
    skipped = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"any"
    parts = [data[at : at + (1 << 20)] for at in range(0, len(data), 1 << 20)]
    return skipped.join(map(zstd.compress, [*parts, b""]))


@define
class Reply:
    """What is about to be answered. `what`: the method and tag, index, manifest, config, layer, part or beyond."""

    what: str
    status: int
    headers: dict[str, str]
    body: bytes


Edit = Callable[[Any], None]


@define
class Fake:
    """The image, and what is changed before it is published."""

    indexed: bool = False
    layers: list[bytes] = field(
        factory=lambda: [
            tar(folder("nix"), folder("nix/store"), member("nix/store/lib", size=(1 << 20) + 5)),
            tar(
                folder("bin"),
                member("bin/sh", tarfile.SYMTYPE, "/nix/store/sh"),
                folder("etc"),
                member("etc/" + "é" * 120),
            ),
        ]
    )
    pack: Callable[[bytes], bytes] = gzipped
    zstd: bool = False
    of_config: list[Edit] = field(factory=list)
    of_manifest: list[Edit] = field(factory=list)
    of_index: list[Edit] = field(factory=list)
    of_reply: list[Edit] = field(factory=list)
    contents: dict[str, tuple[str, str, bytes]] = field(factory=dict)

    def publish(self) -> "Fake":
        """Have the documents and blobs in `contents`: by the end of the path, what each is, its type and bytes."""
        for family in (OCI, DOCKER):
            manifest = self._manifest(family)
            self._put(f"manifests/{digest(manifest)}", "manifest", family.manifest, manifest)
            tagged = ("tag", family.manifest, manifest)
            if self.indexed:
                index = self._index(family, manifest)
                self._put(f"manifests/{digest(index)}", "index", family.index, index)
                tagged = ("tag", family.index, index)
            self._put(f"manifests/{family.name}", *tagged)
        return self

    def _put(self, place: str, what: str, media_type: str, data: bytes) -> None:
        self.contents[place] = what, media_type, data

    def _blob(self, what: str, media_type: str, data: bytes) -> dict[str, Any]:
        self._put(f"blobs/{digest(data)}", what, "application/octet-stream", data)
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    def _manifest(self, family: Family) -> bytes:
        config = {
            "architecture": "arm64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in self.layers]},
            "history": [{"created_by": "a test"} for _ in self.layers],
        }
        value = {
            "schemaVersion": 2,
            "mediaType": family.manifest,
            "config": self._blob("config", family.config, _json(config, self.of_config)),
            "layers": [self._layer(family, layer) for layer in self.layers],
        }
        return _json(value, self.of_manifest)

    def _layer(self, family: Family, layer: bytes) -> dict[str, Any]:
        if self.zstd and family is OCI:
            return self._blob("layer", "application/vnd.oci.image.layer.v1.tar+zstd", frames(layer))
        return self._blob("layer", family.layers[0], self.pack(layer))

    def _index(self, family: Family, manifest: bytes) -> bytes:
        child = {"mediaType": family.manifest, "digest": digest(manifest), "size": len(manifest)}
        platform = {"os": "linux", "architecture": "arm64"}
        value = {"schemaVersion": 2, "mediaType": family.index, "manifests": [{**child, "platform": platform}]}
        return _json(value, self.of_index)


def _json(value: object, edits: list[Edit]) -> bytes:
    for edit in edits:
        edit(value)
    return json.dumps(value).encode()


class Site(Resource):
    """Answers for a fake."""

    isLeaf = True

    def __init__(self, fake: Fake) -> None:
        super().__init__()
        self._fake = fake

    def render_GET(self, request: Request) -> int:
        reply = self._reply(request)
        for edit in self._fake.of_reply:
            edit(reply)
        request.setResponseCode(reply.status)
        for name, value in reply.headers.items():
            request.setHeader(name, value)
        request.write(reply.body)
        request.finish()
        return NOT_DONE_YET

    def _reply(self, request: Request) -> Reply:
        place = request.path.decode().removeprefix("/v2/a/b/")
        accept = request.getHeader("accept") or ""
        if place == "manifests/latest":
            place = f"manifests/{next(name.name for type, name in FAMILIES.items() if type in accept)}"
        found = self._fake.contents.get(place)
        if found is None:
            return Reply("nothing", 404, {"Content-Length": "7"}, b"nothing")
        what, media_type, data = found
        headers = {"Docker-Content-Digest": digest(data), "ETag": f'"{digest(data)}"', "Content-Type": media_type}
        range = re.fullmatch(r"bytes=(\d+)-(\d*)", request.getHeader("range") or "")
        status = 200
        if range is not None:
            what, status, data = _part(range, data, headers)
        return Reply(f"{request.method.decode()} {what}", status, {**headers, "Content-Length": str(len(data))}, data)


def _part(range: re.Match[str], data: bytes, headers: dict[str, str]) -> tuple[str, int, bytes]:
    first = int(range[1])
    if first >= len(data):
        return "beyond", 416, b""
    headers["Content-Range"] = f"bytes {first}-{int(range[2])}/{len(data)}"
    return "part", 206, data[first : int(range[2]) + 1]
