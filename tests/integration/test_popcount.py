"""nixery-popcount over a real binary cache, made by nix copy and served over HTTP, and over the local store."""

import json
import lzma
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from attrs import define, field

from tests.integration.daemon import NIX_CONFIG, PROJECT, eventually, processes_with
from tests.loopback import Answering, listening

# nix-env evaluates all there is.
SET = '{ system, config, overlays }@arguments: removeAttrs (import ./all.nix arguments) [ "runaway" ]\n'


@define
class Served:
    """A folder over HTTP. What is in `held` is answered when the test says so."""

    folder: Path
    asked: list[str] = field(factory=list)
    held: set[str] = field(factory=set)
    reached: threading.Event = field(factory=threading.Event)
    free: threading.Event = field(factory=threading.Event)
    port: int = 0

    def narinfos(self) -> set[str]:
        return {path[1:33] for path in self.asked if path.endswith(".narinfo")}


class Handler(Answering[Served], SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.state.asked.append(self.path)
        if self.path[1:33] in self.state.held:
            self.state.reached.set()
            self.state.free.wait(60)
            self.close_connection = True
            return
        super().do_GET()


def nix(*command: str) -> str:
    environment = {**os.environ, "NIX_CONFIG": NIX_CONFIG + "experimental-features = nix-command\n"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def built(packages: Path) -> list[str]:
    """hello, other and what both share, as store paths."""
    (packages / "default.nix").rename(packages / "all.nix")
    (packages / "default.nix").write_text(SET)
    arguments = ("--argstr", "system", "x86_64-linux", "--arg", "config", "{}", "--arg", "overlays", "[]")
    attributes = ("-A", "hello", "-A", "other", "-A", "libshared")
    return nix("nix-build", str(packages), *arguments, *attributes, "--no-out-link").split()


@pytest.fixture
def cache(tmp_path: Path, built: list[str]) -> Iterator[Served]:
    folder = tmp_path / "binary-cache"
    nix("nix", "copy", "--to", f"file://{folder}", "--no-check-sigs", *built)
    served = Served(folder)
    with listening(partial(Handler, served, directory=str(folder))) as served.port:
        yield served
        served.free.set()


@pytest.fixture
def popcount(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    def begin(*arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "NIX_CONFIG": NIX_CONFIG, "XDG_CACHE_HOME": str(tmp_path / "kept")}
        command = (sys.executable, "-m", "nixery.commands.popcount", str(tmp_path / "out.json"), *arguments)
        return subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return begin


Popcount = Callable[..., subprocess.Popen[str]]


def kept(folder: Path) -> set[str]:
    """The digests of the paths whose narinfos a count has kept so far."""
    [file] = (folder / "kept" / "nixery").glob("popcount-*.sqlite")
    with closing(sqlite3.connect(file)) as opened:
        return {digest for (digest,) in opened.execute("SELECT digest FROM narinfo")}


def test_a_set_is_counted_over_its_cache_interrupted_and_resumed(
    tmp_path: Path, packages: Path, built: list[str], cache: Served, popcount: Popcount
) -> None:
    hello, other, shared = (path.rpartition("/")[2][:32] for path in built)
    arguments = ("--set", str(packages), "--system", "x86_64-linux", "--cache", f"http://127.0.0.1:{cache.port}")
    cache.held = {shared}
    interrupted = popcount(*arguments)
    assert cache.reached.wait(60)
    assert eventually(lambda: {hello, other} <= kept(tmp_path))
    interrupted.send_signal(signal.SIGINT)
    _, told = interrupted.communicate(timeout=60)
    assert (interrupted.returncode, told) == (130, "nixery-popcount: interrupted; run it again to go on\n")

    cache.held = set()
    cache.asked.clear()
    resumed = popcount(*arguments)
    _, told = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, told
    assert json.loads((tmp_path / "out.json").read_text()) == {"libshared-1.0": 2}
    assert "are not in the cache" in told
    assert shared in cache.narinfos()
    assert not {hello, other} & cache.narinfos()


@pytest.mark.parametrize(("listed", "paths", "counts"), [(2, 3, {"libshared-1.0": 2}), (1, 2, {})])
def test_a_channel_is_counted_over_its_cache(
    tmp_path: Path,
    built: list[str],
    cache: Served,
    popcount: Popcount,
    listed: int,
    paths: int,
    counts: dict[str, int],
) -> None:
    release = cache.folder / "nixos-1"
    release.mkdir()
    (release / "git-revision").write_text("a" * 40)
    (release / "store-paths.xz").write_bytes(lzma.compress("\n".join(built[:listed]).encode()))
    address = f"http://127.0.0.1:{cache.port}"
    done = popcount("--channel", "nixos-1", "--channel-url", address, "--cache", address)
    told = done.communicate(timeout=60)
    assert done.returncode == 0, told
    assert told == (f"{tmp_path}/out.json: {len(counts)} names\n", f"{paths} of {paths} store paths\n")
    assert json.loads((tmp_path / "out.json").read_text()) == counts


def test_a_closure_of_the_local_store_is_counted(tmp_path: Path, built: list[str], popcount: Popcount) -> None:
    done = popcount("--store", *built[:2])
    assert done.wait(60) == 0
    assert json.loads((tmp_path / "out.json").read_text()) == {"libshared-1.0": 2}


@pytest.mark.parametrize("arguments", [("--store", "/etc"), ("--set", "/nowhere"), ("--channel", "x", "--cache", "x")])
def test_a_wrong_argument_is_one_line(arguments: tuple[str, ...], popcount: Popcount) -> None:
    done = popcount(*arguments)
    _, told = done.communicate(timeout=60)
    assert (done.returncode, told.count("\n")) == (1, 1)
    assert told.startswith("nixery-popcount: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_evaluation_outlives_the_command(number: int, tmp_path: Path, popcount: Popcount) -> None:
    (tmp_path / "default.nix").write_text(
        "{ system, ... }: let f = n: if n == 0 then 0 else f (n - 1) + f (n - 1); in { a = toString (f 60); }"
    )
    command = popcount("--set", str(tmp_path))
    words = f"outputs.nix --argstr folder {tmp_path}"
    assert eventually(lambda: any(words in line for line in processes_with(words)))
    command.send_signal(number)
    command.communicate(timeout=60)
    assert eventually(lambda: not any(words in line for line in processes_with(words)))
