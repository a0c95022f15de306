"""The package set evaluated and built by real Nix, in a store of the test's own."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import frozen

from nixery.debian.description import write_description, write_files
from nixery.debian.index import index
from nixery.debian.packages import newest, read_packages
from tests.debian.debs import Entry, entry, lines, link, paragraph, sha256, write_deb

pytestmark = pytest.mark.integration

EXPRESSION = Path(__file__).parents[2] / "nixery" / "expressions" / "debian"
ELF = b"\x7fELF"


@frozen
class Nix:
    """Nix with a store below `folder`, and an index there."""

    folder: Path

    def run(self, *arguments: str) -> str:
        """What a Nix program prints; fails with what it said."""
        done = subprocess.run(arguments, env=self._environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def value(self, expression: str, system: str = "x86_64-linux", more: str = "") -> object:
        """The value of an expression over `p`, the package set with `more` arguments."""
        packages = f'import {EXPRESSION} {{ system = "{system}"; index = "{self.folder}/index"; {more} }}'
        argv = ["nix-instantiate", "--eval", "--strict", "--json", "-E", f"let p = {packages}; in {expression}"]
        return json.loads(self.run(*argv))

    def build(self, attribute: str, system: str = "x86_64-linux") -> Path:
        argv = ["nix-build", "--no-out-link", str(EXPRESSION), "--argstr", "index", f"{self.folder}/index"]
        return Path(self.run(*argv, "--argstr", "system", system, "-A", attribute))

    def closure(self, path: Path) -> set[str]:
        """The name parts of the store paths that `path` needs."""
        return {Path(line).name[33:] for line in self.run("nix-store", "-qR", str(path)).splitlines()}

    def _environment(self) -> Mapping[str, str]:
        folders = {
            "NIX_STORE_DIR": "store", "NIX_STATE_DIR": "var", "NIX_LOG_DIR": "log", "NIX_CONF_DIR": "etc",
            "NIX_LOCALSTATE_DIR": "local", "XDG_CACHE_HOME": "cache",
        }  # fmt: skip
        configuration = "build-users-group =\nsandbox = false\nsubstituters =\n"
        own = {name: str(self.folder / folder) for name, folder in folders.items()}
        return {**os.environ, **own, "NIX_CONFIG": configuration, "NIX_REMOTE": ""}


PACKAGES: dict[str, tuple[list[Entry], dict[str, str]]] = {
    "hello": ([entry("./usr/bin/hello", ELF, 0o755)], {"depends": "libc6"}),
    "script": ([entry("./usr/bin/script", b"#!/bin/sh\n", 0o755)], {"depends": "libc6"}),
    "libc6": ([entry("./lib/libc.so.6", ELF)], {"depends": "libgcc-s1", "section": "libs"}),
    "libgcc-s1": ([entry("./lib/libgcc.so", ELF)], {"depends": "libc6", "section": "libs"}),
    "dash": ([entry("./bin/dash", ELF, 0o755), link("./bin/sh", "dash")], {"depends": "libc6"}),
    "coreutils": ([entry("./bin/ls", ELF, 0o755)], {"depends": "libc6"}),
    "bash": ([entry("./bin/bash", ELF, 0o755)], {"depends": "libc6"}),
    "python3-requests": ([entry("./usr/lib/r.py")], {}),
    "lib.dotted+plus": ([entry("./usr/lib/d")], {}),
    "9base": ([entry("./usr/bin/9", ELF)], {}),
}


@pytest.fixture(scope="module")
def nix(tmp_path_factory: pytest.TempPathFactory) -> Nix:
    folder = tmp_path_factory.mktemp("nix")
    (folder / "pool").mkdir()
    lists = [_publish(folder, name, "1:1.0~2", *PACKAGES[name]) for name in PACKAGES]
    packages = newest(read_packages(lines(*lists), f"file://{folder}"))
    for architecture in ("amd64", "arm64"):
        write_files(folder / "index" / architecture, index(packages, architecture).files)
    write_description(folder / "index", ["amd64", "arm64"], ["stable"])
    return Nix(folder)


def _publish(folder: Path, name: str, version: str, entries: list[Entry], fields: Mapping[str, str]) -> str:
    filename = f"pool/{name}_1.0~2_all.deb"
    deb = write_deb(folder / filename, entries, f"Package: {name}\nVersion: {version}\n")
    return paragraph(name, version, filename=filename, sha256=sha256(deb), **fields)


def test_names_of_nixpkgs_and_names_that_nix_cannot_write(nix: Nix) -> None:
    names = 'map (n: n.name) [ p.bashInteractive p.python3Packages.requests p._9base p."lib.dotted+plus" p.libgcc-s1 ]'
    assert nix.value(names) == [
        f"{name}-1_1.0_2" for name in ("bash", "python3-requests", "9base", "lib.dotted+plus", "libc6")
    ]


def test_a_name_whose_package_is_not_there_is_no_attribute(nix: Nix) -> None:
    assert nix.value("[ (p ? cacert) (p ? go) (p ? nothing) (p ? hello) ]") == [False, False, False, True]


def test_a_package_says_what_it_is(nix: Nix) -> None:
    assert nix.value("[ p.hello.pname p.hello.version p.hello.meta ]") == ["hello", "1:1.0~2", {}]


def test_overlays_see_the_final_set(nix: Nix) -> None:
    overlays = "overlays = [ (final: prev: { mine = final.hello; hello = prev.bash; }) ];"
    assert nix.value("p.mine.name", more=overlays) == "bash-1_1.0_2"


def test_a_package_and_its_closure_are_built(nix: Nix) -> None:
    path = nix.build("hello")
    assert (path / "bin/hello").read_bytes() == ELF
    assert nix.closure(path) == {"hello-1_1.0_2", "libc6-1_1.0_2", "dash-1_1.0_2"}


def test_a_script_gets_the_tools_of_scripts(nix: Nix) -> None:
    assert nix.closure(nix.build("script")) == {f"{name}-1_1.0_2" for name in ("script", "libc6", "dash", "coreutils")}


def test_another_architecture_is_built_here(nix: Nix) -> None:
    assert (nix.build("hello", "aarch64-linux") / "bin/hello").read_bytes() == ELF


@pytest.mark.parametrize(
    ("system", "told"), [("i686-linux", "--arch i386"), ("mips-linux", "no architecture for mips")]
)
def test_a_system_without_an_index_says_what_to_do(nix: Nix, system: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        nix.value("p.hello.name", system)


def test_what_lies_beside_the_builder_changes_nothing(nix: Nix, tmp_path: Path) -> None:
    copy = tmp_path / "debian"
    (copy / "builder" / "__pycache__").mkdir(parents=True)
    for source in [*EXPRESSION.glob("*.nix"), *EXPRESSION.glob("builder/*.py")]:
        (copy / source.relative_to(EXPRESSION)).write_bytes(source.read_bytes())
    for stray in ("builder/__pycache__/x.pyc", "builder/notes.txt", "stray.py"):
        (copy / stray).write_text("x")
    there = f'(import {copy} {{ system = "x86_64-linux"; index = "{nix.folder}/index"; }}).hello.drvPath'
    assert nix.value(f"{there} == p.hello.drvPath") is True
