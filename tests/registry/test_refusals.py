import json

import pytest

from nixery.errors import BuildFailed, ConfigError, NixeryError, PackagesUnavailable, StillBuilding, StorageUnavailable
from nixery.images.digest import Digest
from nixery.registry.refusals import printable
from tests.registry.wire import Reply, World


def refused(error: Exception) -> Reply:
    world = World()
    world.images.error = error
    return world.ask("/v2/git/manifests/latest")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PackagesUnavailable("gti: unknown; did you mean git?"), 404, "MANIFEST_UNKNOWN"),
        (BuildFailed("git-2.40 failed"), 500, "UNKNOWN"),
        (StillBuilding("git is still building"), 503, "UNAVAILABLE"),
    ],
)
def test_an_error_brings_its_own_code_and_status(error: NixeryError, status: int, code: str) -> None:
    reply = refused(error)
    assert reply.status == status
    assert json.loads(reply.body) == {"errors": [{"code": code, "message": error.message, "detail": None}]}


def test_fault_7_errors_are_json_and_a_failed_build_says_why() -> None:
    reply = refused(BuildFailed("builder for git failed: cc: no such file"))
    assert reply.headers["Content-Type"] == "application/json"
    assert "cc: no such file" in json.loads(reply.body)["errors"][0]["message"]
    nowhere = World().ask("/v2/nowhere")
    assert (nowhere.status, nowhere.headers["Content-Type"]) == (404, "application/json")
    assert "there is nothing at '/v2/nowhere'" in json.loads(nowhere.body)["errors"][0]["message"]


def test_trying_again_is_suggested_where_it_makes_sense() -> None:
    assert refused(StillBuilding("wait")).headers["Retry-After"] == "10"
    assert refused(BuildFailed("no")).headers["Retry-After"] is None


def test_a_storage_that_is_down_is_said_to_be() -> None:
    world = World()
    world.storage.error = StorageUnavailable("the bucket does not answer")
    reply = world.ask(f"/v2/git/blobs/{Digest.of(b'x')}")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "10")


@pytest.mark.parametrize("error", [ZeroDivisionError("/secret/path"), ConfigError("password /secret/path")])
def test_the_unexpected_is_logged_and_tells_the_client_nothing(error: Exception, failures: list[BaseException]) -> None:
    reply = refused(error)
    assert (reply.status, json.loads(reply.body)["errors"][0]["code"]) == (500, "UNKNOWN")
    assert b"secret" not in reply.body
    failures.append(error)


def test_what_could_steer_a_terminal_is_escaped() -> None:
    message = json.loads(refused(BuildFailed("\x1b[31mred\x07\nnext\tcol\u202e\udc80\x9b")).body)["errors"][0][
        "message"
    ]
    assert message == "\\x1b[31mred\\x07\nnext\tcol\\u202e\\udc80\\x9b"


def test_plain_text_stays_as_it_is() -> None:
    assert printable("café 'x' \\ \"y\"\n") == "café 'x' \\ \"y\"\n"


def test_the_message_is_in_the_status_line_too_and_cannot_be_more_than_that() -> None:
    world = World()
    world.images.error = BuildFailed("no\r\nEvil: 1\x1b[31m caf\u00e9 " + "x" * 5000)
    wire = world.wire("/v2/git/manifests/latest")
    line, _, rest = wire.received.partition(b"\r\n")
    assert line.startswith(b"HTTP/1.1 500 no Evil: 1?[31m caf? xxx")
    assert len(line) < 600
    assert b"\r\nEvil" not in rest.partition(b"\r\n\r\n")[0]
