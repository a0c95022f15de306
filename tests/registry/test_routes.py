import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.images.digest import Digest
from nixery.images.manifest import Format
from tests.registry.wire import RECORD, Reply, World

ABSENT = Digest.of(b"absent")


def codes(reply: Reply) -> list[str]:
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    return [error["code"] for error in json.loads(reply.body)["errors"]]


@pytest.mark.parametrize("path", ["/v2/", "/v2", "/v2/?ns=docker.io"])
def test_the_version_check(path: str) -> None:
    reply = World().ask(path)
    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, b"{}", "application/json")
    assert reply.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert reply.headers["Server"].startswith("nixery/")


@pytest.mark.parametrize(("accept", "format"), [(Format.OCI.value, Format.OCI), (Format.DOCKER.value, Format.DOCKER)])
def test_a_manifest_by_tag_in_the_format_asked_for(accept: str, format: Format) -> None:
    reply = World().ask("/v2/shell/git/manifests/latest", Accept=accept)
    digest = Digest.of(RECORD.manifest(format))
    assert (reply.status, reply.body) == (200, RECORD.manifest(format))
    assert reply.headers["Content-Type"] == format.value
    assert reply.headers["Docker-Content-Digest"] == str(digest)
    assert reply.headers["ETag"] == f'"{digest}"'
    assert reply.headers["Vary"] == "Accept"


def test_several_accept_headers_are_one_list() -> None:
    wire = World().connect()
    accept = f"Accept: {Format.DOCKER.value}\r\nAccept: {Format.OCI.value}\r\n"
    wire.send(f"GET /v2/git/manifests/latest HTTP/1.1\r\nHost: r\r\n{accept}\r\n".encode())
    assert Format.OCI.value.encode() in wire.received


def test_a_manifest_by_digest_is_what_is_stored_whatever_accept_says() -> None:
    world = World()
    stored = RECORD.manifest(Format.DOCKER)
    world.images.manifests[Digest.of(stored)] = stored
    reply = world.ask(f"/v2/git/manifests/{Digest.of(stored)}", Accept=Format.OCI.value)
    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, stored, Format.DOCKER.value)
    assert reply.headers["Docker-Content-Digest"] == str(Digest.of(stored))


def test_what_is_stored_but_no_manifest_is_not_served_as_one() -> None:
    world = World()
    world.images.manifests[ABSENT] = b'{"mediaType": "text/html"}'
    reply = world.ask(f"/v2/git/manifests/{ABSENT}")
    assert (reply.status, codes(reply)) == (404, ["MANIFEST_UNKNOWN"])


@pytest.mark.parametrize(
    "name",
    ["git", "shell/git/htop", "manifests", "blobs", "a/manifests/b", "manifests/manifests", "blobs/uploads", "v2/v2"],
)
def test_names_of_any_components(name: str) -> None:
    world = World()
    assert world.ask(f"/v2/{name}/manifests/v1").status == 200
    assert world.images.asked == [(name, "v1")]


def test_a_name_may_have_as_many_components_as_fit() -> None:
    world = World()
    assert world.ask("/v2/" + "/".join("a" * 128) + "/manifests/latest").status == 200


def test_a_percent_encoded_colon_is_a_colon() -> None:
    assert codes(World().ask(f"/v2/git/blobs/sha256%3A{ABSENT.hex}")) == ["BLOB_UNKNOWN"]


HOSTILE_NAMES = [
    "Git", "gi%74%20", "caf%C3%A9", "caf%c3", "%ff", "%00", "git%0a", "git%2fhtop", "..", "../..", "%2e%2e", ".",
    "$HOME",
    "$(id)", "'", "%22", "%27", "a%20b", "a%5cb", "-git", "git-", "a...b", "{x}", "%7Bx%7D", "%",
    "%zz",
    "/".join("a" * 300), "a" * 256, "git;x", "git,x", "a//b", "/a", "a/", "//", "%E2%80%AE", "%1b[31m", "a\x7f",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("rest", ["manifests/latest", f"manifests/{ABSENT}", f"blobs/{ABSENT}"])
def test_a_name_outside_the_grammar_is_invalid(name: str, rest: str) -> None:
    world = World()
    reply = world.ask(f"/v2/{name}/{rest}")
    assert (reply.status, codes(reply)) == (400, ["NAME_INVALID"])
    assert world.images.asked == []
    message = json.loads(reply.body)["errors"][0]["message"]
    assert message.isprintable()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v2/git/manifests/.hidden", 404, "MANIFEST_UNKNOWN"),
        ("/v2/git/manifests/a%20b", 404, "MANIFEST_UNKNOWN"),
        ("/v2/git/manifests/" + "a" * 129, 404, "MANIFEST_UNKNOWN"),
        ("/v2/git/manifests/sha256:abc", 400, "DIGEST_INVALID"),
        ("/v2/git/manifests/sha512:" + "0" * 127, 400, "DIGEST_INVALID"),
        ("/v2/git/blobs/a..b:c", 400, "DIGEST_INVALID"),
        ("/v2/git/manifests/latest/", 400, "NAME_INVALID"),
        ("/v2/git//manifests/latest", 400, "NAME_INVALID"),
        ("/v2//manifests/latest", 400, "NAME_INVALID"),
        ("/v2//", 400, "NAME_INVALID"),
        ("/v2/git/blobs/latest", 400, "DIGEST_INVALID"),
        (f"/v2/git/blobs/{ABSENT}/", 400, "NAME_INVALID"),
        ("/v2/_catalog", 404, "NAME_UNKNOWN"),
        ("/v2/manifests/latest", 404, "NAME_UNKNOWN"),
        ("/v2/amd64/arm64/manifests/latest", 400, "NAME_INVALID"),
    ],
)
def test_what_cannot_be_answered_is_said_in_the_registrys_json(path: str, status: int, code: str) -> None:
    reply = World().ask(path)
    assert (reply.status, codes(reply)) == (status, [code])
    assert reply.headers["Location"] is None


@pytest.mark.parametrize("path", ["/v2/", "/v2/git/manifests/latest", f"/v2/git/blobs/{ABSENT}"])
@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_what_is_not_offered_is_unsupported_and_says_what_is(path: str, method: str) -> None:
    reply = World().ask(path, method)
    assert (reply.status, codes(reply), reply.headers["Allow"]) == (405, ["UNSUPPORTED"], "GET, HEAD")


@pytest.mark.parametrize("path", ["/v2/git/blobs/uploads/", "/v2/git/blobs/uploads", "/v2/a/b/blobs/uploads/?mount=x"])
def test_a_push_is_refused_at_its_first_step(path: str) -> None:
    reply = World().ask(path, "POST")
    assert (reply.status, codes(reply), reply.headers["Allow"]) == (405, ["UNSUPPORTED"], "")


@pytest.mark.parametrize("path", ["/v2/git/manifests/latest", f"/v2/git/blobs/{Digest.of(b'gzip')}", "/v2/"])
def test_fault_6_ns_query_is_accepted(path: str) -> None:
    world = World()
    world.storage.blobs[Digest.of(b"gzip")] = b"gzip"
    plain = world.ask(path)
    for query in ("?ns=docker.io", "?ns=docker.io&x", "?%ff=%00", "?", "?a=b?c=d/e"):
        assert world.ask(path + query) == plain or world.ask(path + query).body == plain.body
        assert world.ask(path + query).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_fault_6_put_and_delete_of_manifests_are_refused(method: str) -> None:
    assert World().ask("/v2/git/manifests/latest", method).status == 405


@pytest.mark.parametrize("kind", ["manifests", "blobs"])
def test_fault_1_an_unknown_or_malformed_digest_is_an_error_with_a_body(kind: str) -> None:
    unknown = World().ask(f"/v2/git/{kind}/{ABSENT}")
    assert (unknown.status, codes(unknown)) == (404, ["MANIFEST_UNKNOWN" if kind == "manifests" else "BLOB_UNKNOWN"])
    malformed = World().ask(f"/v2/git/{kind}/sha256:{'0' * 63}")
    assert (malformed.status, codes(malformed)) == (400, ["DIGEST_INVALID"])


HEADS = st.sampled_from(
    [
        "/v2/", "/v2", "/", "/nowhere", "/v2/git/manifests/latest", "/v2/Git/manifests/latest", "/v2/git/tags/list",
        f"/v2/git/manifests/{Digest.of(RECORD.manifest(Format.OCI))}", f"/v2/git/manifests/{ABSENT}", "/v2/%ff",
        f"/v2/git/blobs/{Digest.of(b'gzip')}", f"/v2/git/blobs/{ABSENT}", "/v2/git/blobs/x", "/v2/git/blobs/uploads/",
    ]
)  # fmt: skip


@given(HEADS, st.sampled_from([{}, {"Accept": "*/*"}, {"Accept": Format.DOCKER.value}, {"Host": "\xff"}]))
def test_head_says_what_get_says_without_the_body(path: str, headers: dict[str, str]) -> None:
    world = World()
    world.storage.blobs[Digest.of(b"gzip")] = b"gzip"
    world.images.manifests[Digest.of(RECORD.manifest(Format.OCI))] = RECORD.manifest(Format.OCI)
    get, head = world.ask(path, **headers), world.ask(path, "HEAD", **headers)
    del get.headers["Date"], head.headers["Date"]
    assert (head.status, head.headers.items()) == (get.status, get.headers.items())
    assert head.body == b""
    assert len(get.body) == int(head.headers["Content-Length"])


def test_a_warning_reaches_the_client_as_one_plain_header() -> None:
    world = World()
    assert "Warning" not in world.ask("/v2/hello/manifests/latest").headers
    world.images.warning = 'old: "x\\y"\r\nEvil: 1 \u00e9' + "z" * 5000
    for method in ("GET", "HEAD"):
        answer = world.ask("/v2/hello/manifests/latest", method)
        assert answer.status == 200
        assert "Evil" not in answer.headers
        assert answer.headers["Warning"].startswith('299 - "old: \\"x\\\\y\\"??Evil: 1 ?zzz')
        assert len(answer.headers["Warning"]) < 4096


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_client_that_has_the_manifest_is_not_sent_it(method: str) -> None:
    world = World()
    first = world.ask("/v2/git/manifests/latest", Accept=Format.OCI.value)
    world.images.manifests[Digest.of(first.body)] = first.body
    for reference in ("latest", str(Digest.of(first.body))):
        reply = world.ask(f"/v2/git/manifests/{reference}", method, If_None_Match=first.headers["ETag"], Accept="*/*")
        assert (reply.status, reply.body) == (304, b"")
        assert reply.headers["Docker-Content-Digest"] == str(Digest.of(first.body))
    docker = world.ask(
        "/v2/git/manifests/latest", method, If_None_Match=first.headers["ETag"], Accept=Format.DOCKER.value
    )
    assert docker.status == 200, "the other format is another content"


def test_a_manifest_by_digest_may_be_kept_for_ever_and_one_by_tag_not() -> None:
    world = World()
    first = world.ask("/v2/git/manifests/latest")
    world.images.manifests[Digest.of(first.body)] = first.body
    assert first.headers["Cache-Control"] == "no-cache"
    assert world.ask("/v2/git/tags/list").headers["Cache-Control"] == "no-cache"
    assert "immutable" in world.ask(f"/v2/git/manifests/{Digest.of(first.body)}").headers["Cache-Control"]
