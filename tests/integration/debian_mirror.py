"""A Debian mirror of the tests' own over HTTP, and an apt that knows only this one and keeps its state apart."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from attrs import define, field

from tests.debian.debs import entry, paragraph, sha256, write_deb
from tests.integration.daemon import PROJECT
from tests.loopback import Answering, listening

# Dir::Etc::parts and main: none of this host's configuration is read.
_CONFIGURATION = """\
Dir::Etc::main "/dev/null";
Dir::Etc::parts "{folder}/empty";
Dir::Etc::preferencesparts "{folder}/empty";
Dir::Etc::sourceparts "{folder}/empty";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::http::Proxy::127.0.0.1 "DIRECT";
"""

_ALWAYS = {"ca-certificates": "1", "netbase": "1"}


class _Folder(Answering[None], SimpleHTTPRequestHandler):
    """Answers with the files of a folder."""


@define
class Mirror:
    """Its packages have one file each, in which the `salt` makes sure that Nix has not built them before."""

    folder: Path
    salt: str
    port: int
    day: int = field(default=0)

    @property
    def site(self) -> Path:
        """What is served."""
        return self.folder / "site"

    @property
    def environment(self) -> Mapping[str, str]:
        """By which apt and all that runs it know this mirror only."""
        return {"APT_CONFIG": str(self.folder / "apt.conf"), "XDG_CACHE_HOME": str(self.folder / "own")}

    def publish(self, **versions: str) -> None:
        """Have these packages in these versions, and no others but those that are in every image."""
        pool = self.site / "pool"
        pool.mkdir(parents=True, exist_ok=True)
        debs = {name: pool / f"{name}_{version}_all.deb" for name, version in {**_ALWAYS, **versions}.items()}
        for gone in {*pool.iterdir()} - {*debs.values()}:
            gone.unlink()
        text = "".join(self._package(name, deb) for name, deb in debs.items())
        suite = self.site / "dists/stable"
        packages = suite / f"main/binary-{architecture()}/Packages"
        packages.parent.mkdir(parents=True, exist_ok=True)
        packages.write_text(text)
        (suite / "Release").write_text(_release(suite, packages))
        self.day += 1
        for path in (packages, suite / "Release"):  # HTTP tells times in seconds
            os.utime(path, (1_700_000_000 + self.day, 1_700_000_000 + self.day))

    def update(self) -> None:
        """Have apt fetch the lists, as a timer of the host would."""
        self._run("apt-get", "update", "-qq")

    def index(self, out: Path) -> None:
        """Make an index of apt's lists."""
        self._run(sys.executable, "-m", "nixery.commands.debian_index", str(out), "--arch", architecture())

    @property
    def source(self) -> str:
        """How apt's sources.list names it."""
        return f"deb [trusted=yes] http://127.0.0.1:{self.port} stable main\n"

    def configure(self) -> None:
        """Write apt's configuration."""
        for name in ("empty", "state/lists/partial", "cache/archives/partial"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "status").touch()
        (self.folder / "apt.conf").write_text(_CONFIGURATION.format(folder=self.folder))
        (self.folder / "sources.list").write_text(self.source)

    def _package(self, name: str, deb: Path) -> str:
        version = deb.name.split("_")[1]
        if not deb.exists():
            entries = [entry(f"./usr/share/{name}", f"{version} {self.salt}".encode())]
            write_deb(deb, entries, f"Package: {name}\nVersion: {version}\n")
        return paragraph(name, version, sha256=sha256(deb), section="libs")

    def _run(self, *command: str) -> None:
        environment = {**os.environ, **self.environment}
        subprocess.run(command, check=True, cwd=PROJECT, env=environment, timeout=120, capture_output=True)


def architecture() -> str:
    """Of this machine, as Debian calls it."""
    told = subprocess.run(("dpkg", "--print-architecture"), check=True, capture_output=True, text=True)
    return told.stdout.strip()


def _release(suite: Path, packages: Path) -> str:
    content = packages.read_bytes()
    line = f"{hashlib.sha256(content).hexdigest()} {len(content)} {packages.relative_to(suite)}"
    fields = {"Suite": "stable", "Codename": "stable", "Architectures": architecture(), "Components": "main"}
    return "".join(f"{name}: {value}\n" for name, value in fields.items()) + f"SHA256:\n {line}\n"


@contextmanager
def mirror_in(folder: Path, salt: str) -> Iterator[Mirror]:
    """A mirror that runs, with apt configured for it."""
    (folder / "site").mkdir(parents=True)
    with listening(partial(_Folder, None, directory=str(folder / "site"))) as port:
        mirror = Mirror(folder, salt, port)
        mirror.configure()
        yield mirror
