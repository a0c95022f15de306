"""The builder on packages made by hand, good and hostile ones. dpkg-deb is real."""

import os
import stat
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from nixery.expressions.debian.builder.tree import Hostile
from nixery.expressions.debian.builder.unpack import build
from tests.debian.debs import Entry, contents, entry, link, special, write_deb

pytestmark = pytest.mark.integration

ELF = b"\x7fELF"
ROOT = Path(__file__).parents[2]
SHELL = b"#!/bin/sh\necho\n"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def environment(out: Path, *debs: Path) -> Mapping[str, str]:
    given = {"out": str(out), "debs": " ".join(map(str, debs)), "deps": "", "multiarch": "x86_64-linux-gnu"}
    return given | {f"implied_{reason}": f"/store/{reason}" for reason in ("programs", "shell", "bash", "perl")}


def unpack(out: Path, *entries: Entry, control: str = "Package: it\n", **scripts: str) -> None:
    build(environment(out, write_deb(out.parent / "it.deb", entries, control, **scripts)))


def support(out: Path, name: str) -> str:
    path = out / "nix-support" / name
    return path.read_text() if path.exists() else ""


def test_files_come_with_modes_that_nix_keeps(out: Path) -> None:
    unpack(
        out,
        special("./usr", tarfile.DIRTYPE, mode=0o700),
        entry("./usr/sbin/su", ELF, 0o6711),
        entry("./usr/x", mode=0o600),
    )
    modes = [stat.S_IMODE((out / path).stat().st_mode) for path in ("usr", "usr/sbin/su", "usr/x")]
    assert modes == [0o755, 0o755, 0o644]


def test_usr_is_merged(out: Path) -> None:
    unpack(
        out,
        special("./bin", tarfile.DIRTYPE),
        entry("./bin/sh", ELF, 0o755),
        entry("./lib64/ld.so", ELF),
        link("./lib/x/libz.so", "../../usr/lib/y/libz.so"),
        link("./sbin", "usr/sbin"),
    )
    assert (out / "usr/bin/sh").read_bytes() == ELF
    assert {name: os.readlink(out / name) for name in ("bin", "lib", "lib64")} == {
        "bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64",
    }  # fmt: skip
    assert os.readlink(out / "usr/lib/x/libz.so") == "/usr/lib/y/libz.so"
    assert not (out / "sbin").is_symlink()


def test_links_within_the_package_stay_and_others_start_at_the_root(out: Path) -> None:
    unpack(
        out,
        entry("./usr/lib/liba.so.1"),
        link("./usr/lib/liba.so", "liba.so.1"),
        link("./usr/lib/libb.so", "libb.so.1"),
        link("./usr/lib/up", "../../etc/passwd"),
        link("./usr/lib/root", "/lib/x"),
    )
    targets = {name: os.readlink(out / "usr/lib" / name) for name in ("liba.so", "libb.so", "up", "root")}
    assert targets == {
        "liba.so": "liba.so.1", "libb.so": "/usr/lib/libb.so.1", "up": "/etc/passwd", "root": "/lib/x",
    }  # fmt: skip


def test_documents_are_left_out_but_copyrights_stay(out: Path) -> None:
    unpack(
        out,
        entry("./usr/share/doc/it/copyright"),
        entry("./usr/share/doc/it/README"),
        link("./usr/share/doc/b", "it"),
        special("./usr/share/doc/empty", tarfile.DIRTYPE),
        entry("./usr/share/man/man1/x.1.gz"),
        entry("./usr/share/locale/de/x.mo"),
        entry("./usr/share/manager"),
    )
    assert sorted(contents(out)) == ["usr/share/doc/it/copyright", "usr/share/manager", "var/lib/dpkg/status.d/it"]
    assert os.readlink(out / "usr/share/doc/b") == "it"
    assert not (out / "usr/share/doc/empty").exists()


def test_empty_folders_stay(out: Path) -> None:
    unpack(out, special("./var/log/it", tarfile.DIRTYPE))
    assert (out / "var/log/it").is_dir()


def test_hard_links_are_files(out: Path) -> None:
    unpack(out, entry("./bin/a", ELF, 0o755), special("./usr/bin/b", tarfile.LNKTYPE, "./bin/a"))
    assert (out / "usr/bin/b").read_bytes() == ELF


def test_devices_and_pipes_are_left_out(out: Path) -> None:
    kinds = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    unpack(
        out, *(special(f"./var/{number}", kind) for number, kind in enumerate(kinds)), entry("./dev/null"), entry("./x")
    )
    assert sorted(contents(out)) == ["var/lib/dpkg/status.d/it", "x"]
    assert sorted(os.listdir(out / "var")) == ["lib"]


@pytest.mark.parametrize(
    "hostile",
    [
        entry("../escape"),
        entry("./usr/../../escape"),
        entry("/escape"),
        special("./x", tarfile.LNKTYPE, "../escape"),
        special("./x", tarfile.LNKTYPE, "/etc/passwd"),
        special("./x", tarfile.LNKTYPE, "./gone"),
    ],
)
def test_what_leads_out_of_the_package_is_refused(out: Path, hostile: Entry) -> None:
    (out.parent / "escape").write_text("old")
    with pytest.raises(Hostile):
        unpack(out, entry("./first"), hostile)
    assert (out.parent / "escape").read_text() == "old"


def test_a_package_cannot_say_what_only_the_builder_says(out: Path) -> None:
    unpack(
        out, entry("./nix-support/propagated-user-env-packages", b"/etc\n"), entry("./nix-support/image-copies", b"x\n")
    )
    assert not (out / "nix-support").exists()


def test_a_link_in_the_place_of_what_the_builder_writes_is_harmless(out: Path) -> None:
    precious = out.parent / "precious"
    precious.write_text("old")
    unpack(
        out,
        link("./var/lib/dpkg/status.d/it", str(precious)),
        link("./nix-support", str(out.parent)),
        entry("./usr/bin/it", ELF, 0o755),
    )
    assert precious.read_text() == "old"
    assert (out / "nix-support/propagated-user-env-packages").is_file()


def test_the_control_file_is_where_scanners_look(out: Path) -> None:
    unpack(out, control="Package: it\nVersion: 1:2\nDescription: x\n y: z\n")
    assert (out / "var/lib/dpkg/status.d/it").read_text() == "Package: it\nVersion: 1:2\nDescription: x\n y: z\n"


def test_certificates_are_joined_in_order(out: Path) -> None:
    folder = "./usr/share/ca-certificates/mozilla"
    unpack(out, entry(f"{folder}/b.crt", b"B"), entry(f"{folder}/a.crt", b"A\n"))
    assert (out / "etc/ssl/certs/ca-certificates.crt").read_bytes() == b"A\nB\n"
    assert os.readlink(out / "etc/ssl/certs/ca-bundle.crt") == "ca-certificates.crt"


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry("./usr/lib/libx.so", ELF)], ""),
        ([entry("./usr/bin/it", ELF, 0o755)], "/store/programs\n"),
        ([entry("./usr/lib/it/run", SHELL, 0o755)], "/store/shell\n"),
        ([entry("./usr/lib/it/text", SHELL, 0o644)], ""),
        ([entry("./etc/init.d/it", SHELL, 0o755)], ""),
        ([entry("./usr/bin/it", b"#! /usr/bin/env bash\n", 0o755)], "/store/bash /store/programs /store/shell\n"),
        ([entry("./usr/bin/it", b"#!/usr/bin/perl -w\n", 0o755)], "/store/perl /store/programs\n"),
        ([entry("./usr/bin/it", b"#!/usr/bin/python3\n", 0o755)], "/store/programs\n"),
    ],
)
def test_essential_packages_are_implied_by_what_is_in_the_package(
    out: Path, entries: list[Entry], expected: str
) -> None:
    unpack(out, *entries)
    assert support(out, "propagated-user-env-packages") == expected


def test_declared_dependencies_come_first_and_once(out: Path) -> None:
    deb = write_deb(out.parent / "it.deb", [entry("./usr/bin/it", SHELL, 0o755)])
    build({**environment(out, deb), "deps": "/store/z /store/shell"})
    assert support(out, "propagated-user-env-packages") == "/store/z /store/shell /store/programs\n"


def test_programs_that_find_their_parts_are_to_be_copied(out: Path) -> None:
    unpack(
        out,
        entry("./usr/bin/x86_64-linux-gnu-gcc-12", ELF, 0o755),
        link("./usr/bin/gcc", "x86_64-linux-gnu-gcc-12"),
        entry("./usr/lib/go-1.19/bin/go", ELF, 0o755),
        entry("./usr/bin/other", ELF, 0o755),
    )
    assert support(out, "image-copies") == "usr/bin/x86_64-linux-gnu-gcc-12\nusr/lib/go-1.19/bin/go\n"


def test_alternatives_of_the_postinst_are_recorded(out: Path) -> None:
    unpack(out, postinst="#!/bin/sh\nupdate-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5\n")
    assert support(out, "alternatives") == "5\tawk\t/usr/bin/awk\t/usr/bin/mawk\n"


def test_a_group_is_one_tree(out: Path) -> None:
    debs = [
        write_deb(out.parent / f"{name}.deb", [entry(f"./usr/{name}")], f"Package: {name}\n") for name in ("a", "b")
    ]
    build(environment(out, *debs))
    assert sorted(contents(out)) == ["usr/a", "usr/b", "var/lib/dpkg/status.d/a", "var/lib/dpkg/status.d/b"]


def test_a_name_that_is_not_utf_8_is_kept(out: Path) -> None:
    unpack(out, entry("./usr/\udcff"))
    assert b"\xff" in os.listdir(os.fsencode(out / "usr"))


def test_a_truncated_package_is_refused_in_one_line(out: Path) -> None:
    deb = write_deb(out.parent / "it.deb", [entry("./x", os.urandom(100_000))])
    deb.write_bytes(deb.read_bytes()[:50_000])
    argv = [sys.executable, "-m", "nixery.expressions.debian.builder.unpack"]
    given = {**os.environ, **environment(out, deb)}
    done = subprocess.run(argv, env=given, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot unpack" in done.stderr
    assert "Traceback" not in done.stderr
