"""The command as a user types it: what it says when it cannot start, and that each option is there."""

import inspect
import os
import socket
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from twisted.application.service import IServiceCollection
from twisted.internet import reactor

from nixery import tap
from nixery.building.tags import Serving
from nixery.config import read_config
from nixery.fetching.ranking import Ranking
from nixery.settings import SETTINGS
from nixery.sources.path import PathSource
from nixery.tap import Options, wiring

PROJECT = Path(__file__).parent.parent
SET = str(PROJECT / "nixery" / "expressions" / "debian")
TWISTD = Path(sys.executable).with_name("twistd")


def started(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A start that has to fail by itself."""
    return subprocess.run(
        [TWISTD, "-n", "--pidfile=", "nixery", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(PROJECT), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_each_setting_is_an_option() -> None:
    options = Options()
    options.parseOptions(["--port", "9000", "--nixery-pkgs-path", "/set", "--listen", "tcp:1"])
    assert {setting.option for setting in SETTINGS} | {"listen"} == set(options) - {"help", "version"}
    assert (options["port"], options["nixery-pkgs-path"], options["nix-timeout"]) == ("9000", "/set", None)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, "nixery: no package set: set NIXERY_PKGS_PATH"),
        ({"NIXERY_PKGS_PATH": SET, "PORT": "x"}, "nixery: PORT is 'x'; it may be a whole number from 1 to 65535"),
        ({"NIXERY_CHANNEL": "/x"}, "nixery: NIXERY_CHANNEL is '/x'; it may be a channel's name"),
        ({"NIXERY_PKGS_PATH": SET, "NIXERY_STORAGE_BACKEND": "x"}, "nixery: NIXERY_STORAGE_BACKEND is 'x'; it may"),
        ({"NIXERY_PKGS_PATH": SET, "STORAGE_PATH": "/dev/null/x"}, "nixery: STORAGE_PATH is '/dev/null/x': Not a dir"),
        ({"NIXERY_PKGS_PATH": SET, "PATH": "/nonexistent"}, "nixery: the program 'setsid' is not on PATH"),
        ({"NIXERY_PKGS_PATH": SET, "NIX_POPULARITY_URL": "/etc/passwd"}, "nixery: NIX_POPULARITY_URL is '/etc/passwd'"),
        ({"NIXERY_PKGS_PATH": SET, "STATE_DIRECTORY": "/dev/null"}, "nixery: the state folder '/dev/null"),
    ],
)
def test_a_start_that_cannot_be_is_one_line_and_status_1(
    tmp_path: Path, environment: dict[str, str], line: str
) -> None:
    ended = started(tmp_path, **environment)
    assert ended.returncode == 1
    assert ended.stderr.startswith(line)
    assert ended.stderr.count("\n") == 1
    assert "starting up" not in ended.stdout


@pytest.mark.integration
def test_an_endpoint_that_is_none_is_one_line_too(tmp_path: Path) -> None:
    ended = started(tmp_path, "--listen", "nonsense:1", NIXERY_PKGS_PATH=SET)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("nixery: --listen is 'nonsense:1'")


@pytest.mark.integration
def test_a_folder_that_cannot_be_made_at_start_is_one_line_too(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "staging").touch()
    ended = started(tmp_path, "--listen", "tcp:0", NIXERY_PKGS_PATH=SET, STORAGE_PATH=str(tmp_path / "storage"))
    assert ended.returncode == 1
    assert "nixery: cannot start: [Errno 17] File exists" in ended.stdout.splitlines()[-1]
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.integration
def test_a_port_in_use_is_one_line_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = started(tmp_path, "--listen", f"tcp:{port}:interface=127.0.0.1", NIXERY_PKGS_PATH=SET)
    assert ended.returncode == 1
    told = ended.stdout.splitlines()[-1]  # twistd writes its log to stdout, and has begun with it
    assert f"{port}" in told
    assert "choose another PORT" in told
    assert "Traceback" not in ended.stdout + ended.stderr


def wired(folder: Path, **settings: str) -> set[type]:
    """A daemon that is not started: the kinds of its services."""
    environment = {"PATH": os.environ["PATH"], "STATE_DIRECTORY": str(folder), **settings}
    services = tap.wire(read_config(environment, {}, "x86_64", 1, None), reactor)  # type: ignore[arg-type]  # a module
    return set(map(type, IServiceCollection(services)))


@pytest.mark.integration
@pytest.mark.parametrize(
    ("part", "argument", "settings", "value"),
    [
        ("PathSource", "ttl", {"NIXERY_PATH_TTL": "7"}, 7),
        ("LastGood", "most", {"NIXERY_STALE_MAX": "7"}, 7),
        ("GitUpstream", "submodules", {"NIXERY_PKGS_REPO": "x", "NIXERY_GIT_SUBMODULES": "yes"}, True),
        ("GitUpstream", "ttl", {"NIXERY_PKGS_REPO": "x", "NIXERY_SOURCE_TTL": "7"}, 7),
        ("Builder", "popularity", {"NIX_POPULARITY_URL": "http://x/"}, Ranking.current),
        ("make_site", "origins", {"NIXERY_CORS_ORIGINS": "*"}, ("*",)),
        ("make_site", "proxies", {"NIXERY_TRUSTED_PROXIES": "::1"}, (ip_network("::1"),)),
        ("Registry", "catalog", {"NIXERY_CATALOG": "no"}, None),
        ("Transcoder", "at_once", {"NIXERY_COMPRESSION": "zstd", "NIXERY_PACK_WORKERS": "3"}, 3),
        ("Layers", "transcoder", {"NIXERY_COMPRESSION": "gzip"}, None),
        ("Ranking", "seconds", {"NIX_POPULARITY_URL": "http://x/", "NIXERY_POPULARITY_TTL": "77"}, 77),
    ],
)
def test_a_setting_reaches_its_part(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    argument: str,
    settings: dict[str, str],
    value: object,
) -> None:
    module = tap if part in ("LastGood", "Builder", "make_site", "Registry", "Transcoder", "Layers") else wiring
    made, given = getattr(module, part), []

    def make(*arguments: object, **named: object) -> object:
        given.append(inspect.signature(made).bind(*arguments, **named).arguments[argument])
        return made(*arguments, **named)

    monkeypatch.setattr(module, part, make)
    wired(tmp_path, **({} if "NIXERY_PKGS_REPO" in settings else {"NIXERY_PKGS_PATH": SET}), **settings)
    assert [getattr(each, "__func__", each) for each in given] == [value]


@pytest.mark.integration
def test_what_works_in_the_background_is_a_service(tmp_path: Path) -> None:
    assert wired(tmp_path, NIXERY_PKGS_PATH=SET, NIX_POPULARITY_URL="http://x/") >= {PathSource, Ranking}


@pytest.mark.integration
@pytest.mark.parametrize(
    "other",
    [{"NIXPKGS_ALLOW_UNFREE": "1"}, {"NIXERY_CROSS": "yes"}, {"NIXPKGS_ALLOW_UNFREE": "1", "NIXERY_CROSS": "yes"}],
)
def test_settings_that_decide_on_what_names_mean_keep_last_good_images_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, str]
) -> None:
    made, given = Serving, []

    def make(*arguments: object, **named: object) -> object:
        given.append(inspect.signature(made).bind(*arguments, **named).arguments.get("settings", ""))
        return made(*arguments, **named)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(tap, "Serving", make)
    for settings in ({}, other, {}):
        wired(tmp_path, NIXERY_PKGS_PATH=SET, **settings)
    assert given[0] == given[2] != given[1]
