"""A binary cache of the test's own, as `nix copy --to file://` makes it, and an HTTP server for it."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from attrs import define, field, frozen

from tests.integration.daemon import NIX_CONFIG
from tests.loopback import Answering, basic, listening

# `counted` notes each run of its builder in `runs`, and no test before has built it: `salt` is the test's.
_SET = """{ system }:
let
  package = name: script: derivation {
    inherit name system;
    builder = "/bin/sh";
    args = [ "-ec" script ];
    PATH = "/usr/bin:/bin";
  };
in
{
  cacert = package "cacert" "mkdir -p $out/etc/ssl/certs; echo CERTIFICATES > $out/etc/ssl/certs/ca-bundle.crt";
  iana-etc = package "iana-etc" "mkdir -p $out/etc; echo 'http 80/tcp' > $out/etc/services";
  counted = package "counted-${builtins.readFile ./salt}" ''
    echo run >> ${builtins.readFile ./runs-at}
    mkdir -p $out/share; echo counted > $out/share/counted'';
  fails = package "fails-${builtins.readFile ./salt}" "echo last words; exit 3";
}
"""


@frozen
class CountedSet:
    """A package set, whose package `counted` tells how often it was built."""

    folder: Path

    @property
    def runs(self) -> int:
        at = self.folder.with_name("runs")
        return len(at.read_text().splitlines()) if at.exists() else 0


def counted_set(folder: Path, salt: str) -> CountedSet:
    folder.mkdir()
    (folder / "default.nix").write_text(_SET)
    (folder / "salt").write_text(salt)
    (folder / "runs-at").write_text(str(folder.with_name("runs")))
    return CountedSet(folder)


@define
class BinaryCache:
    """A folder with a binary cache, and its server. `requests`: the paths that were asked for; `login`: what it wants.

    `silent`: it takes connections and does not answer; `broken`: it fails at the archives that it promises.
    """

    folder: Path
    key: str
    login: str | None = None
    silent: bool = False
    broken: bool = False
    port: int = 0
    requests: list[str] = field(factory=list)
    released: threading.Event = field(factory=threading.Event)

    def url(self, login: str = "") -> str:
        return f"http://{login}127.0.0.1:{self.port}"

    def served(self, kind: str) -> bool:
        """Whether a file of this kind (its name's end) was asked for."""
        return any(request.endswith(kind) for request in self.requests)


def binary_cache(folder: Path, packages: CountedSet, salt: str) -> BinaryCache:
    """A cache that has `counted`, which this host's store has no more. Nix's programs run as in the tests' daemons."""
    folder.mkdir()
    secret, public = folder / "secret", folder / "public"
    _nix("nix-store", "--generate-binary-cache-key", f"{salt}-1", str(secret), str(public))
    system = _nix("nix-instantiate", "--eval", "--expr", "builtins.currentSystem").strip().strip('"')
    build = ("nix-build", str(packages.folder), "--attr", "counted", "--argstr", "system", system, "--no-out-link")
    path = _nix(*build).strip()
    features = ("--extra-experimental-features", "nix-command")
    _nix("nix", *features, "copy", "--to", f"file://{folder / 'cache'}?secret-key={secret}", path)
    _nix("nix-store", "--delete", path)
    return BinaryCache(folder / "cache", public.read_text().strip())


def _nix(*command: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NIX_CONFIG": NIX_CONFIG}
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


class _Handler(Answering[BinaryCache], SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.state.requests.append(self.path)
        login = self.state.login
        if self.state.silent:
            self.state.released.wait(60)
        elif login is not None and self.headers["Authorization"] != basic(login):
            self.send_error(401)
        elif self.state.broken and "/nar/" in self.path:
            self.send_error(500)
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()


@contextmanager
def serving(cache: BinaryCache) -> Iterator[BinaryCache]:
    """The cache over HTTP, on a port of its own."""
    with listening(partial(_Handler, cache, directory=str(cache.folder))) as cache.port:
        try:
            yield cache
        finally:
            cache.released.set()
