import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from nixery.pages.index import PLACEHOLDER, page, parse_host
from tests.registry.wire import World

case = SynchronousTestCase()


def test_the_index_page_says_how_to_pull_from_the_host_that_was_asked() -> None:
    reply = World().ask("/", Host="nixery.test:8080")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert reply.body.startswith(b"<!DOCTYPE html>\n<html")
    assert b"docker pull nixery.test:8080/shell/git/htop" in reply.body


@pytest.mark.parametrize("host", ["nixery.test", "10.0.0.1:5000", "[::1]:8080", "my-host_1.local"])
def test_a_host_is_shown_as_it_was_asked_for(host: str) -> None:
    assert parse_host(host) == host


@pytest.mark.parametrize("host", [None, "", "<script>", "a b", "a;rm -rf", "x:", "x:123456", "a/b", "caf\u00e9", "a\n"])
def test_what_is_no_host_is_not_shown(host: str | None) -> None:
    assert parse_host(host) == PLACEHOLDER


@given(st.text())
def test_no_host_leaves_the_line_that_it_stands_in(host: str) -> None:
    assert not set(parse_host(host)) & set(" \t\r\n;&|$<>\"'`\\/()")


def test_head_is_get_without_the_body() -> None:
    get, head = World().ask("/"), World().ask("/", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(get.body))


@pytest.mark.parametrize("path", ["/favicon.ico", "//", "//v2/", "/index.html", "/v3/", "/V2/"])
def test_there_are_no_other_pages(path: str) -> None:
    reply = World().ask(path)
    assert (reply.status, reply.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert reply.body.startswith(b"There is no page here")


def test_a_page_can_only_be_read() -> None:
    reply = World().ask("/", "POST")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(("path", "method"), [("/", "GET"), ("/", "POST"), ("/elsewhere", "GET")])
def test_a_page_runs_and_loads_nothing(path: str, method: str) -> None:
    headers = World().ask(path, method).headers
    assert headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_host_of_more_characters_than_a_name_has_is_not_shown() -> None:
    assert parse_host("a" * 255) == "a" * 255
    assert parse_host("a" * 256) == PLACEHOLDER


@pytest.mark.parametrize(("builds", "told"), [(True, b"first pull of an image takes"), (False, b"What is not stored")])
def test_the_page_says_whether_images_are_built_here(builds: bool, told: bytes) -> None:
    html = case.successResultOf(page("registry.test", builds))
    assert told in html
    assert (b"builds its images" in html, b"others like it have built" in html) == (builds, not builds)
