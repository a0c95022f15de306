"""The daemon behind an HTTP proxy: what it fetches itself, and what Nix fetches for it."""

from pathlib import Path

import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.fetching.proxies import ProxyServer
from tests.fetching.servers import served
from tests.integration.channel_server import archive, serving
from tests.integration.daemon import Daemon, eventually, running

CHANNEL = "nixos-unstable"
LOGIN = "Proxy-Authorization: Basic bWU6c2VjcmV0"  # me:secret


def asked(proxy: ProxyServer) -> list[str]:
    """The first lines of requests."""
    return [head.partition(" HTTP/")[0] for head in proxy.heads]


def pulled(folder: Path, **settings: str) -> tuple[int, str]:
    """The status of a pull's manifest, and its words. The mirror's name is one that only the proxy finds."""
    with running(folder, NIXERY_CHANNEL=CHANNEL, **settings) as daemon:
        answer = daemon.pull("hello")
        popular(daemon, settings)
        assert b"secret" not in daemon.log
        return answer.status, "" if answer.status == 200 else answer.error["message"]


def popular(daemon: Daemon, settings: dict[str, str]) -> None:
    """Wait for the popularity."""
    if "NIX_POPULARITY_URL" in settings:
        assert eventually(lambda: b"the popularity of 1 names is that of" in daemon.log)


@pytest_twisted.ensureDeferred
async def test_revision_tarball_and_popularity_are_had_through_the_proxy(tmp_path: Path, salt: str) -> None:
    proxy = ProxyServer()
    with serving() as mirror:
        commit = mirror.commit(salt)
        mirror.revision(CHANNEL, commit)
        mirror.pages["/popularity.json"] = b'{"hello": 1}'
        url = f"http://mirror.invalid:{mirror.port}"
        settings = {"NIXERY_CHANNEL_URL": url, "NIX_POPULARITY_URL": f"{url}/popularity.json"}
        async with served(proxy) as at:
            pull = deferToThread(pulled, tmp_path / "daemon", http_proxy=f"http://me:secret@{at}", **settings)
            assert await pull == (200, "")
    paths = [f"/{CHANNEL}/git-revision", archive(commit), "/popularity.json"]
    assert sorted(asked(proxy)) == sorted(f"GET {url}{path}" for path in paths)
    assert all(LOGIN in head for head in proxy.heads)


@pytest_twisted.ensureDeferred
async def test_https_is_asked_for_a_tunnel_and_a_refusal_is_told_without_the_login(tmp_path: Path) -> None:
    proxy = ProxyServer(b"HTTP/1.1 407 No\r\n\r\n")
    with serving() as mirror:
        name = f"mirror.invalid:{mirror.port}"
        settings = {"NIXERY_CHANNEL_URL": f"https://{name}"}
        async with served(proxy) as at:
            status, words = await deferToThread(
                pulled, tmp_path / "daemon", https_proxy=f"http://me:secret@{at}", **settings
            )
    assert status == 503
    assert f"the proxy http://{at} answers with status 407: it does not take the user and password in" in words
    assert asked(proxy)[0] == f"CONNECT {name}"
