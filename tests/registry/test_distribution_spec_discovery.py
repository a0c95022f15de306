"""OCI distribution-spec 1.1, category Content Discovery: one check for each MUST and SHOULD of a registry.

Each class is a section, by its name; "end-8a" and the like are the numbers in the spec's table "Endpoints".
"""

import json

import pytest

from nixery.images.digest import Digest
from tests.registry.wire import Reply, World

INDEX = "application/vnd.oci.image.index.v1+json"
SUBJECT = Digest.of(b"a manifest")
TAGS = ["a", "b1", "b10", "b2", "c", "d"]
LIST = "/v2/shell/git/tags/list"


def world(*named: str) -> World:
    made = World()
    made.images.named = set(named)
    return made


def tags(reply: Reply) -> list[str]:
    assert reply.status == 200
    said: dict[str, list[str]] = json.loads(reply.body)
    return said["tags"]


def target(reply: Reply) -> str | None:
    """The address of the next page, as RFC 5988 has it."""
    link = reply.headers["Link"]
    if link is None:
        return None
    address, _, relation = link.partition(">; ")
    assert (address[0], relation) == ("<", 'rel="next"')
    return str(address[1:])


class TestListingTags:
    """Section "Listing Tags" (end-8a, end-8b)."""

    def test_tags_of_a_repository_are_listed(self) -> None:
        reply = world(*TAGS).ask(LIST)
        assert reply.status == 200
        assert json.loads(reply.body) == {"name": "shell/git", "tags": TAGS}

    def test_a_list_without_tags_is_a_list(self) -> None:
        assert json.loads(world().ask(LIST).body) == {"name": "shell/git", "tags": []}

    def test_tags_are_in_lexical_order(self) -> None:
        assert tags(world("c", "b10", "a", "b2").ask(LIST)) == ["a", "b10", "b2", "c"]

    @pytest.mark.parametrize("n", range(1, 9))
    def test_n_tags_are_given_or_all_that_there_are(self, n: int) -> None:
        reply = world(*TAGS).ask(f"{LIST}?n={n}")
        assert tags(reply) == TAGS[:n]
        assert (target(reply) is None) == (n >= len(TAGS))

    def test_zero_tags_are_an_empty_list_without_a_link(self) -> None:
        reply = world(*TAGS).ask(f"{LIST}?n=0")
        assert (tags(reply), target(reply)) == ([], None)

    @pytest.mark.parametrize("n", range(1, 7))
    def test_the_links_lead_through_all_tags(self, n: int) -> None:
        seen: list[str] = []
        path: str | None = f"{LIST}?n={n}"
        while path is not None and len(seen) < len(TAGS):
            reply = world(*TAGS).ask(path)
            seen += tags(reply)
            path = target(reply)
        assert path is None
        assert seen == TAGS

    def test_the_list_begins_after_the_last(self) -> None:
        assert tags(world(*TAGS).ask(f"{LIST}?n=2&last=b1")) == ["b10", "b2"]

    def test_the_last_need_be_no_tag_of_the_list(self) -> None:
        assert tags(world(*TAGS).ask(f"{LIST}?n=2&last=b11")) == ["b2", "c"]

    def test_the_last_goes_without_n(self) -> None:
        assert tags(world(*TAGS).ask(f"{LIST}?last=b2")) == ["c", "d"]

    def test_after_the_very_last_there_is_nothing(self) -> None:
        reply = world(*TAGS).ask(f"{LIST}?n=3&last=d")
        assert (tags(reply), target(reply)) == ([], None)


class TestListingReferrers:
    """Section "Listing Referrers" (end-12a, end-12b). Nothing can be pushed, so nothing refers to anything."""

    @pytest.mark.parametrize("query", ["", "?artifactType=application/vnd.example.sbom.v1"])
    def test_no_referrers_are_an_empty_index_and_not_a_404(self, query: str) -> None:
        reply = World().ask(f"/v2/git/referrers/{SUBJECT}{query}")
        assert reply.status == 200
        assert json.loads(reply.body) == {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}

    @pytest.mark.parametrize("digest", ["sha512:" + "a" * 128, "blake3:0"])
    def test_a_digest_of_another_algorithm_has_none_either(self, digest: str) -> None:
        reply = World().ask(f"/v2/git/referrers/{digest}")
        assert (reply.status, json.loads(reply.body)["manifests"]) == (200, [])

    def test_the_content_type_is_that_of_an_index(self) -> None:
        assert World().ask(f"/v2/git/referrers/{SUBJECT}").headers.get_all("Content-Type") == [INDEX]

    @pytest.mark.parametrize("digest", ["latest", "sha256:", "sha256:0", "sha256:" + "g" * 64, ":", "sha256"])
    def test_a_digest_of_no_syntax_is_a_bad_request(self, digest: str) -> None:
        assert World().ask(f"/v2/git/referrers/{digest}").status == 400

    def test_an_index_that_is_whole_has_no_link(self) -> None:
        assert "Link" not in World().ask(f"/v2/git/referrers/{SUBJECT}").headers

    def test_a_filter_that_was_applied_is_named(self) -> None:
        reply = World().ask(f"/v2/git/referrers/{SUBJECT}?artifactType=application/vnd.example.sbom.v1")
        assert reply.headers.get_all("OCI-Filters-Applied") == ["artifactType"]

    def test_without_a_filter_none_is_named(self) -> None:
        assert "OCI-Filters-Applied" not in World().ask(f"/v2/git/referrers/{SUBJECT}").headers
