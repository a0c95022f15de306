"""Binary caches that are set for Nixery alone, with the real Nix and a cache over HTTP."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.binary_cache import BinaryCache, CountedSet, binary_cache, counted_set, serving
from tests.integration.conftest import need
from tests.integration.daemon import NIX_CONFIG, PROJECT, eventually, running

_ONCE = NIX_CONFIG + "download-attempts = 1\n"  # a cache in trouble is otherwise asked five times, with pauses
OTHER_KEY = "other-1:" + "A" * 43 + "="
_UNTRUSTING = "build-users-group =\nsubstituters =\ntrusted-users =\n"


@pytest.fixture
def packages(tmp_path: Path, salt: str) -> CountedSet:
    return counted_set(tmp_path / "packages", salt)


@pytest.fixture
def cache(tmp_path: Path, packages: CountedSet, salt: str) -> Iterator[BinaryCache]:
    need("nix")
    with serving(binary_cache(tmp_path / "cache", packages, salt)) as cache:
        assert packages.runs == 1
        yield cache


def pulled(tmp_path: Path, packages: CountedSet, image: str = "counted", **settings: str) -> tuple[int, str, str]:
    """The status and text of the answer to a pull by a daemon with these settings, and its log."""
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages.folder), **settings) as daemon:
        answer = daemon.pull(image)
        return answer.status, answer.body.decode(), daemon.log.decode()


def test_a_path_that_the_cache_has_is_not_built(tmp_path: Path, packages: CountedSet, cache: BinaryCache) -> None:
    settings = {"NIXERY_SUBSTITUTERS": cache.url(), "NIXERY_TRUSTED_PUBLIC_KEYS": cache.key}
    status, _, _ = pulled(tmp_path, packages, **settings)
    assert (status, packages.runs, cache.served(".xz")) == (200, 1, True)


def test_without_the_settings_the_cache_is_not_asked(tmp_path: Path, packages: CountedSet, cache: BinaryCache) -> None:
    status, _, _ = pulled(tmp_path, packages)
    assert (status, packages.runs, cache.requests) == (200, 2, [])


def test_a_path_signed_by_another_key_is_built(tmp_path: Path, packages: CountedSet, cache: BinaryCache) -> None:
    settings = {"NIXERY_SUBSTITUTERS": cache.url(), "NIXERY_TRUSTED_PUBLIC_KEYS": OTHER_KEY}
    status, _, _ = pulled(tmp_path, packages, **settings)
    assert (status, packages.runs, cache.served(".narinfo"), cache.served(".xz")) == (200, 2, True, False)


def test_what_a_cache_promises_and_cannot_give_is_built(
    tmp_path: Path, packages: CountedSet, cache: BinaryCache
) -> None:
    cache.broken = True
    settings = {"NIXERY_SUBSTITUTERS": cache.url(), "NIXERY_TRUSTED_PUBLIC_KEYS": cache.key, "NIX_CONFIG": _ONCE}
    status, _, _ = pulled(tmp_path, packages, **settings)
    assert (status, packages.runs, cache.served(".xz")) == (200, 2, True)


def test_a_silent_cache_costs_a_bounded_time(tmp_path: Path, packages: CountedSet, cache: BinaryCache) -> None:
    """The times are those of NIX_CONFIG, so that the test is quick: it stands over what Nixery sets by itself."""
    cache.silent = True
    quick = _ONCE + "stalled-download-timeout = 1\n"
    begun = time.monotonic()
    status, _, _ = pulled(tmp_path, packages, NIXERY_SUBSTITUTERS=cache.url(), NIX_CONFIG=quick)
    assert (status, packages.runs, len(cache.requests) > 0) == (200, 2, True)
    assert time.monotonic() - begun < 15


def test_a_cache_takes_a_login_that_nobody_is_told(tmp_path: Path, packages: CountedSet, cache: BinaryCache) -> None:
    cache.login = "me:s3cret"
    settings = {"NIXERY_TRUSTED_PUBLIC_KEYS": cache.key}
    status, _, log = pulled(tmp_path, packages, NIXERY_SUBSTITUTERS=cache.url("me:s3cret@"), **settings)
    assert (status, packages.runs, "s3cret" in log) == (200, 1, False)


@pytest.mark.parametrize("trouble", ["wrong login", "broken archives", "nobody there"])
def test_a_login_is_not_told_when_the_cache_and_a_build_fail(
    tmp_path: Path, packages: CountedSet, cache: BinaryCache, trouble: str
) -> None:
    cache.login = "me:right" if trouble == "wrong login" else "me:s3cret"
    cache.broken = trouble == "broken archives"
    url = "http://me:s3cret@127.0.0.1:9" if trouble == "nobody there" else cache.url("me:s3cret@")
    settings = {"NIXERY_TRUSTED_PUBLIC_KEYS": cache.key, "NIX_CONFIG": _ONCE}
    status, body, log = pulled(tmp_path, packages, "counted/fails", NIXERY_SUBSTITUTERS=url, **settings)
    assert (status, "last words" in body) == (500, True)
    assert "s3cret" not in body + log


@contextmanager
def nix_daemon(folder: Path, configuration: str) -> Iterator[dict[str, str]]:
    """A Nix daemon with a store of its own; gives what a client needs to reach it."""
    for name in ("store", "state", "log", "conf"):
        (folder / name).mkdir(parents=True)
    (folder / "conf" / "nix.conf").write_text(configuration)
    reach = {"NIX_REMOTE": "daemon", "NIX_DAEMON_SOCKET_PATH": str(folder / "socket")}
    own = {f"NIX_{name.upper()}_DIR": str(folder / name) for name in ("store", "state", "log", "conf")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **own, **reach, "NIX_REMOTE": ""}
    with subprocess.Popen(["nix-daemon"], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            assert eventually(lambda: _listens(folder / "socket"))
            yield reach
        finally:
            process.terminate()


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def started(folder: Path, packages: CountedSet, **settings: str) -> subprocess.CompletedProcess[str]:
    """A start that has to fail by itself."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(PROJECT)}
    return subprocess.run(
        [Path(sys.executable).with_name("twistd"), "-n", "--pidfile=", "nixery", "--listen", "tcp:0"],
        env={**environment, "NIXERY_PKGS_PATH": str(packages.folder), **settings},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_where_nixs_daemon_would_ignore_the_settings_the_start_says_so_and_stops(
    tmp_path: Path, packages: CountedSet
) -> None:
    need("nix", "nix-daemon")
    ours = {"NIXERY_SUBSTITUTERS": "http://me:s3cret@cache.example", "NIXERY_BUILDERS": "ssh://example"}
    with nix_daemon(tmp_path / "nix", _UNTRUSTING) as reach:
        ended = started(tmp_path, packages, **reach, **ours)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "ignores NIXERY_SUBSTITUTERS and NIXERY_BUILDERS. In that daemon's nix.conf, list its" in ended.stderr
    assert "s3cret" not in ended.stdout + ended.stderr


def test_a_cache_that_nixs_daemon_trusts_by_itself_may_be_set(tmp_path: Path, packages: CountedSet) -> None:
    need("nix", "nix-daemon")
    trusting = _UNTRUSTING + "trusted-substituters = http://cache.example\n"
    with nix_daemon(tmp_path / "nix", trusting) as reach:
        settings = {"NIXERY_SUBSTITUTERS": "http://cache.example", "NIXERY_BUILDERS": "none", **reach}
        with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages.folder), **settings) as daemon:
            assert daemon.ask("/v2/").status == 200


def test_a_user_whom_nixs_daemon_trusts_may_set_all(tmp_path: Path, packages: CountedSet) -> None:
    need("nix", "nix-daemon")
    settings = {"NIXERY_SUBSTITUTERS": "http://cache.example", "NIXERY_BUILDERS": "ssh://example"}
    with nix_daemon(tmp_path / "nix", f"{_UNTRUSTING}trusted-users = *\n") as reach:
        settings |= {"NIXERY_PKGS_PATH": str(packages.folder), **reach}
        with running(tmp_path / "daemon", **settings) as daemon:
            assert daemon.ask("/v2/").status == 200
