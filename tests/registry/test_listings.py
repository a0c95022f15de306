import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.errors import SourceUnavailable
from nixery.images.digest import Digest
from nixery.registry.listings import Page
from tests.registry.wire import World

DIGEST = Digest.of(b"a manifest")


def test_tags_are_listed_in_the_order_of_their_bytes() -> None:
    world = World()
    world.images.named = {"v2", "latest", "V10", "v1"}
    reply = world.ask("/v2/shell/git/tags/list")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(reply.body) == {"name": "shell/git", "tags": ["V10", "latest", "v1", "v2"]}
    assert "Link" not in reply.headers


def test_pages_follow_one_another_by_their_links() -> None:
    world = World()
    world.images.named = {f"v{n}" for n in range(7)}
    target, seen, asked = "/v2/git/tags/list?n=3", [], 0
    while target:
        reply = world.ask(target)
        seen += json.loads(reply.body)["tags"]
        asked += 1
        link = reply.headers.get("Link", "")
        assert link.endswith('>; rel="next"') or not link
        target = link[1:].partition(">")[0]
    assert (seen, asked) == (sorted(world.images.named), 3)


def test_a_link_says_any_word_so_that_it_comes_back_as_it_is() -> None:
    world = World()
    world.images.named = {"a+b&c", "z"}
    link = world.ask("/v2/git/tags/list?n=1").headers["Link"]
    assert link == '</v2/git/tags/list?n=1&last=a%2Bb%26c>; rel="next"'


@given(st.sets(st.text(min_size=1)), st.integers(0, 9), st.none() | st.text())
def test_a_page_is_the_first_so_many_after_the_last(words: set[str], most: int, last: str | None) -> None:
    shown, more = Page(most, last).of(words)
    rest = [word for word in sorted(words) if last is None or word > last]
    assert shown == rest[:most]
    assert more == (most > 0 and len(rest) > most)


def test_a_word_that_is_given_twice_is_listed_once() -> None:
    assert Page(3, None).of(["b", "a", "b"]) == (["a", "b"], False)


@pytest.mark.parametrize("n", ["10001", "9" * 5000])
def test_no_answer_has_more_than_ten_thousand_words(n: str) -> None:
    world = World()
    world.images.named = {f"v{number}" for number in range(10_001)}
    reply = world.ask(f"/v2/git/tags/list?n={n}")
    assert len(json.loads(reply.body)["tags"]) == 10_000
    assert "n=10000&" in reply.headers["Link"]


def test_zeros_before_a_number_say_nothing() -> None:
    world = World()
    world.images.named = {"a", "b"}
    link = world.ask("/v2/git/tags/list?n=00000000001").headers["Link"]
    assert link == '</v2/git/tags/list?n=1&last=a>; rel="next"'


def test_no_tags_are_a_page_without_a_link() -> None:
    reply = World().ask("/v2/git/tags/list?n=0")
    assert (json.loads(reply.body)["tags"], "Link" in reply.headers) == ([], False)


@pytest.mark.parametrize("n", ["-1", "x", "1.5", "%D9%A1", "%ff", ""])
def test_a_number_that_is_none_is_refused(n: str) -> None:
    reply = World().ask(f"/v2/git/tags/list?n={n}")
    assert (reply.status, json.loads(reply.body)["errors"][0]["code"]) == (400, "PAGINATION_NUMBER_INVALID")


def test_a_source_that_cannot_be_read_says_so() -> None:
    world = World()
    world.images.error = SourceUnavailable("no answer")
    assert world.ask("/v2/git/tags/list").status == 503


@pytest.mark.parametrize("name", ["Git", "a//b", "-"])
def test_tags_of_what_is_no_name_are_refused(name: str) -> None:
    assert World().ask(f"/v2/{name}/tags/list").status == 400


def test_nothing_refers_to_any_manifest() -> None:
    reply = World().ask(f"/v2/git/referrers/{DIGEST}")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/vnd.oci.image.index.v1+json")
    assert json.loads(reply.body) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [],
    }
    assert "OCI-Filters-Applied" not in reply.headers


def test_a_filter_of_referrers_is_said_to_be_applied() -> None:
    reply = World().ask(f"/v2/git/referrers/{DIGEST}?artifactType=application/spdx+json")
    assert reply.headers["OCI-Filters-Applied"] == "artifactType"


def test_referrers_of_what_is_no_digest_are_refused() -> None:
    assert World().ask("/v2/git/referrers/latest").status == 400


@pytest.mark.parametrize("path", ["tags/list", f"referrers/{DIGEST}"])
def test_head_of_a_list_is_get_without_the_body(path: str) -> None:
    get, head = World().ask(f"/v2/git/{path}"), World().ask(f"/v2/git/{path}", "HEAD")
    del get.headers["Date"], head.headers["Date"]
    assert (head.status, head.body, head.headers.items()) == (200, b"", get.headers.items())
