"""What a registry can lie about, and the check that finds it."""

import json
import tarfile
from collections.abc import Callable
from typing import Any

from nixery.validating.formats import OCI
from tests.validating.fake import Fake, Reply, digest, folder, gzipped, member, tar

Lie = Callable[[Fake], object]


def config(edit: Callable[[Any], object]) -> Lie:
    return lambda fake: fake.of_config.append(edit)  # type: ignore[arg-type]  # what an edit returns is nothing


def manifest(edit: Callable[[Any], object]) -> Lie:
    return lambda fake: fake.of_manifest.append(edit)  # type: ignore[arg-type]  # as above


def index(edit: Callable[[Any], object]) -> Lie:
    def lie(fake: Fake) -> None:
        fake.indexed = True
        fake.of_index.append(edit)  # type: ignore[arg-type]  # as above

    return lie


def reply(what: str, edit: Callable[[Reply], object]) -> Lie:
    def lie(answer: Reply) -> None:
        if answer.what == what:
            edit(answer)

    return lambda fake: fake.of_reply.append(lie)


def header(what: str, name: str, value: str) -> Lie:
    return reply(what, lambda answer: answer.headers.update({name: value}))


def status(what: str, number: int) -> Lie:
    return reply(what, lambda answer: setattr(answer, "status", number))


def body(what: str, edit: Callable[[bytes], bytes]) -> Lie:
    """Another content, and the right length of that."""

    def other(answer: Reply) -> None:
        answer.body = edit(answer.body)
        answer.headers["Content-Length"] = str(len(answer.body))

    return reply(what, other)


def both(*lies: Lie) -> Lie:
    return lambda fake: [lie(fake) for lie in lies]


def nested(reply: Reply) -> None:
    """An index in place of a manifest."""
    reply.body = json.dumps({"schemaVersion": 2, "mediaType": OCI.index, "manifests": []}).encode()
    reply.headers["Content-Length"] = str(len(reply.body))


def layer(*members: tarfile.TarInfo) -> Lie:
    return lambda fake: fake.layers.append(tar(*members))


def raw(data: bytes) -> Lie:
    return lambda fake: fake.layers.append(data)


def packed(pack: Callable[[bytes], bytes]) -> Lie:
    return lambda fake: setattr(fake, "pack", pack)


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


LIES: list[tuple[str, Lie]] = [
    # The manifest's answers.
    ("GET has status 200", status("GET tag", 404)),
    ("its Content-Type is its mediaType", header("GET tag", "Content-Type", "application/json")),
    ("its Docker-Content-Digest is its digest", header("GET tag", "Docker-Content-Digest", digest(b""))),
    ("its ETag is its digest", header("GET tag", "ETag", '"1"')),
    ("its Content-Length is its size", reply("GET tag", lambda answer: answer.headers.pop("Content-Length"))),
    ("it has no Content-Encoding", header("GET tag", "Content-Encoding", "identity")),
    ("HEAD has the status of GET", status("HEAD tag", 404)),
    ("HEAD has the headers of GET", header("HEAD tag", "Content-Length", "5")),
    ("HEAD has the headers of GET", header("GET tag", "Vary", "Accept")),
    ("by digest, GET has status 200", status("GET manifest", 404)),
    ("by digest, it has the same bytes", body("GET manifest", lambda data: data + b" ")),
    ("by digest, its Content-Type is its own", header("GET manifest", "Content-Type", "text/plain")),
    ("can be fetched", header("GET tag", "Content-Length", "1000000")),
    ("it can be read", body("GET tag", lambda data: data[1:])),
    ("it can be read", body("GET tag", lambda data: b"[" * 100_000)),
    ("it can be read", body("GET tag", lambda data: b"[]")),
    # The manifest.
    ("it can be read", manifest(lambda value: value.update(schemaVersion=1))),
    ("it can be read", manifest(lambda value: value["layers"][0].update(digest="md5:0"))),
    ("it can be read", manifest(lambda value: value["layers"][0].update(size=-1))),
    ("it is of a type that was asked for", manifest(lambda value: value.update(mediaType="application"))),
    ("its mediaType is that of its format", manifest(lambda value: value.update(mediaType="application"))),
    ("its config is of its format", manifest(lambda value: value["config"].update(mediaType="text/plain"))),
    ("its layers are of its format", manifest(lambda value: value["layers"][0].update(mediaType="text/plain"))),
    ("its annotations are texts by name", manifest(lambda value: value.update(annotations={"a": 1}))),
    ("its annotations are texts by name", manifest(lambda value: value["layers"][1].update(annotations=["a"]))),
    ("it has at most 127 layers", manifest(lambda value: value.update(layers=value["layers"] * 64))),
    ("it has at most 127 layers", manifest(lambda value: value.update(layers=[]))),
    # Blobs.
    ("GET has status 200", status("GET layer", 404)),
    ("its Content-Length is its size", reply("GET layer", lambda answer: answer.headers.pop("Content-Length"))),
    ("its Docker-Content-Digest is its digest", header("GET layer", "Docker-Content-Digest", digest(b""))),
    ("its ETag is its digest", header("GET config", "ETag", '"1"')),
    ("it has no Content-Encoding", header("GET layer", "Content-Encoding", "gzip")),
    ("its digest is that of its descriptor", body("GET layer", flipped)),
    ("its digest is that of its descriptor", body("GET config", flipped)),
    ("its size is that of its descriptor", body("GET layer", lambda data: data[:-1])),
    ("its size is that of its descriptor", body("GET layer", lambda data: data + b"0" * 1_000_000)),
    ("its size is that of its descriptor", manifest(lambda value: value["layers"][0].update(size=7))),
    ("its size is that of its descriptor", manifest(lambda value: value["config"].update(size=1 << 40))),
    ("can be fetched", header("GET layer", "Content-Length", "1000000")),
    ("HEAD has the status of GET", status("HEAD layer", 405)),
    ("HEAD has the headers of GET", header("HEAD config", "Content-Length", "0")),
    ("Range has status 206", status("GET part", 200)),
    ("Content-Range is the part", header("GET part", "Content-Range", "bytes 0-1/2")),
    ("the part has the bytes of the whole", body("GET part", flipped)),
    ("the part has the bytes of the whole", body("GET part", lambda data: data + b"0" * 100_000)),
    ("Range beyond the end has status 416", status("GET beyond", 200)),
    # The config.
    ("its config can be read", config(lambda value: value.update(rootfs=None))),
    ("the diff ID of layer 1 is that of its tar", config(lambda value: value["rootfs"]["diff_ids"].reverse())),
    ("the diff ID of layer 2 is that of its tar", config(lambda value: value["rootfs"]["diff_ids"].insert(1, 5))),
    ("its diff_ids are as many as its layers", config(lambda value: value["rootfs"]["diff_ids"].pop())),
    ("its history has an entry for each layer", config(lambda value: value["history"].pop())),
    ("its history has an entry for each layer", config(lambda value: value["history"][0].update(empty_layer=True))),
    ("its history has an entry for each layer", config(lambda value: value.pop("history"))),
    ("its config has a platform", config(lambda value: value.pop("os"))),
    # The index.
    ("its platform is what the index says", index(lambda value: value["manifests"][0]["platform"].update(os="beos"))),
    (
        "its platform is what the index says",
        index(lambda value: value["manifests"][0]["platform"].update(variant="v8")),
    ),
    ("the index names its platform", index(lambda value: value["manifests"][0].pop("platform"))),
    ("its size is what the index says", index(lambda value: value["manifests"][0].update(size=1))),
    ("its mediaType is what the index says", index(lambda value: value["manifests"][0].update(mediaType="text/plain"))),
    ("GET has status 200", index(lambda value: value["manifests"][0].update(digest=digest(b"")))),
    (
        "its digest is what was asked for",
        both(index(lambda value: None), body("GET manifest", lambda data: data + b" ")),
    ),
    ("it is a manifest", both(index(lambda value: None), reply("GET manifest", nested))),
    ("the index has manifests", index(lambda value: value.update(manifests=[]))),
    ("its annotations are texts by name", index(lambda value: value.update(annotations={"": "a"}))),
    # Layers.
    ("it is a whole tar", packed(lambda data: data)),
    ("it is a whole tar", packed(lambda data: gzipped(data)[:-1])),
    ("it is a whole tar", packed(lambda data: gzipped(data) + b"0")),
    ("it is a whole tar", raw(tar(folder("a"))[:512])),
    ("it is a whole tar", raw(tar(folder("a"))[:-1])),
    ("it is a whole tar", raw(tar(folder("a")) + tar(folder("b")))),
    ("it is a whole tar", raw(tar(folder("a")).replace(b"ustar", b"other", 1))),
    ("its names are relative, without . and ..", layer(folder("/a"))),
    ("its names are relative, without . and ..", layer(folder("a"), member("a/../b"))),
    ("its names are relative, without . and ..", layer(member("./a"))),
    ("its names are relative, without . and ..", layer(member("a" * 150 + "/.."))),
    ("each of its entries is there once", layer(member("a"), member("a"))),
    ("each of its entries is there once", layer(folder("a"), folder("b"), member("a"))),
    ("its entries are sorted in each directory", layer(member("b"), member("a"))),
    ("its entries are sorted in each directory", layer(folder("a"), member("a/2"), folder("b"), member("a/1"))),
    ("its directories come before what is in them", layer(member("a/b"))),
    ("its directories come before what is in them", layer(member("a"), member("a/b"))),
    ("its owners are 0:0, without names", layer(member("a", uid=1))),
    ("its owners are 0:0, without names", layer(member("a", gid=1 << 40))),
    ("its owners are 0:0, without names", layer(member("a", uname="root"))),
    ("its times are 1", layer(member("a", mtime=0))),
    ("its times are 1", layer(member("a", mtime=1.5))),
    ("it has files, directories and links alone", layer(member("a", tarfile.CHRTYPE))),
    ("it has files, directories and links alone", layer(member("a", tarfile.BLKTYPE))),
    ("it has files, directories and links alone", layer(member("a", tarfile.FIFOTYPE))),
    ("its hard links lead to files before them", layer(member("a", tarfile.LNKTYPE, "b"), member("b"))),
    ("its hard links lead to files before them", layer(folder("a"), member("b", tarfile.LNKTYPE, "a"))),
    ("it deletes nothing of the layers below", layer(member(".wh.a"))),
    ("it deletes nothing of the layers below", layer(folder("a"), member("a/.wh..wh..opq"))),
    ("it has no attributes beyond tar's own", layer(member("a", pax_headers={"SCHILY.xattr.user.a": "b"}))),
]
