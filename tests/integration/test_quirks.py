"""A package set with the quirks of nixpkgs, pulled through the daemon: each is had, or refused with its reason."""

import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.integration.daemon import PROJECT, Answer, Daemon, running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set with an overlay beside it."""
    folder = tmp_path_factory.mktemp("quirks") / "set"
    (folder / "overlays").mkdir(parents=True)
    shutil.copy(PROJECT / "tests/integration/quirks.nix", folder / "default.nix")
    (folder / "overlays" / "own.nix").write_text("final: before: { own = before.hello; }")
    return folder


OTHER = {"x86_64": "arm64", "aarch64": "amd64"}[os.uname().machine]
"""The platform that this host is not."""


@pytest.fixture(scope="module")
def quirks(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("quirks") / "daemon", NIXERY_PKGS_PATH=str(folder)) as daemon:
        yield daemon


def links(daemon: Daemon, answer: Answer) -> set[str]:
    """The names of the files in the image's root folder that its packages brought."""
    assert answer.status == 200, answer.body
    names: set[str] = set()
    for layer in json.loads(answer.body)["layers"]:
        with tarfile.open(fileobj=BytesIO(daemon.blob(layer["digest"]).body)) as tar:
            names |= {name for name in tar.getnames() if "/" not in name.strip("/")}
    return names


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("hello", {"hello"}),
        ("alias", {"hello"}),
        ("own", {"hello"}),
        ("pythonpackages.requests/pythonpackages.six", {"requests", "six"}),
        ("nested.below.package", {"below"}),
        ("several", {"several"}),
        ("first", {"first"}),
        ("strangeoutputs/notlisted/thrownoutputs", {"strange", "listed", "thrown"}),
        ("thrownmeta/textmeta/strangemeta", {"thrown-meta", "text-meta", "strange-meta"}),
        ("7zip/cplusplusfilt", {"7zip", "filt"}),
        ("import/true/builtins.abort", {"import", "true", "abort"}),
    ],
)
def test_a_package_with_a_quirk_is_pulled(quirks: Daemon, name: str, files: set[str]) -> None:
    assert links(quirks, quirks.pull(name)) >= files | {"cacert", "iana-etc"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("old", "old cannot be evaluated: 'old' has been renamed to/replaced by 'hello'"),
        ("asserts", "asserts cannot be evaluated: assertion 'false' failed"),
        ("late", "late cannot be evaluated: no path for you"),
        ("aborts", "aborts cannot be evaluated: evaluation aborted with the following error message: 'sorry, no more'"),
        ("recurses", "recurses cannot be evaluated: infinite recursion encountered"),
        ("deep", "deep cannot be evaluated: stack overflow"),
        ("mistyped", "mistyped cannot be evaluated: cannot"),
        ("unfree", "unfree has an unfree licence, which the package set does not allow: unfree (in nixpkgs, NIXPKGS"),
        ("broken", "NIXPKGS_ALLOW_BROKEN=1"),
        ("insecure", "CVE-1: a hole; CVE-2; CVE-3 and 1 more (in nixpkgs, NIXPKGS_ALLOW_INSECURE=1"),
        ("unsupported", "NIXPKGS_ALLOW_UNSUPPORTED_SYSTEM=1"),
        ("pythonpackages", "it is a set of 4 attributes; ask for one of them, such as pythonpackages.requests or"),
        ("callpackage", "it is a Nix function"),
        ("functor", "it is a Nix function"),
        ("half", "half is an attribute of the package set, but not a package"),
        ("pythonpackages.reqests", "reqests is not in the package set: did you mean pythonpackages.requests"),
        ("helo", "helo is not in the package set: did you mean hello"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_with_its_reason(quirks: Daemon, name: str, words: str) -> None:
    answer = quirks.pull(name)
    assert (answer.status, answer.error["code"]) == (404, "MANIFEST_UNKNOWN")
    assert words in answer.error["message"]


def test_another_platform_is_asked_of_the_set(quirks: Daemon) -> None:
    assert links(quirks, quirks.pull(f"{OTHER}/hello")) >= {"hello"}
    assert quirks.pull("arm64/hello").body != quirks.pull("amd64/hello").body


def test_what_the_refusal_says_of_allowing_works(folder: Path, tmp_path: Path) -> None:
    with running(tmp_path, NIXERY_PKGS_PATH=str(folder), NIXPKGS_ALLOW_UNFREE="1") as daemon:
        assert links(daemon, daemon.pull("unfree")) >= {"unfree"}
        daemon.stop()
        del daemon.settings["NIXPKGS_ALLOW_UNFREE"]
        assert daemon.start().pull("unfree").status == 404, "that it was allowed once is no leave"


def test_another_platform_is_cross_built_by_option(folder: Path, tmp_path: Path) -> None:
    with running(tmp_path, NIXERY_PKGS_PATH=str(folder), NIXERY_CROSS="yes") as daemon:
        assert links(daemon, daemon.pull("hello")) >= {"hello"}
        machine = os.uname().machine
        crossed = daemon.pull(f"{OTHER}/hello")
        assert links(daemon, crossed) >= {f"hello-crossed-on-{machine}-linux"}
        daemon.stop()
        del daemon.settings["NIXERY_CROSS"]
        assert daemon.start().pull(f"{OTHER}/hello").body != crossed.body


def test_a_flake_is_a_set_by_option(folder: Path, tmp_path: Path) -> None:
    flake = shutil.copytree(folder, tmp_path / "flake")
    machine = os.uname().machine
    (flake / "flake.nix").write_text(
        f"{{ outputs = {{ self }}: {{ legacyPackages.{machine}-linux = "
        f'import ./default.nix {{ system = "{machine}-linux"; }} // {{ flaky = 1; }}; }}; }}'
    )
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(flake), NIXERY_FLAKE="yes") as daemon:
        assert "flaky is an attribute of the package set, but not a package" in daemon.pull("flaky").error["message"]
        assert links(daemon, daemon.pull("hello")) >= {"hello"}
