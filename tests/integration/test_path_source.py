"""The path source with real Nix: what it costs, and that Nix evaluates exactly what was pinned, whatever is edited."""

import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nixery.sources.content import nar_hash
from tests.integration.daemon import NIX_CONFIG, Answer, Daemon, running

PULLS = 200
GENEROUS = 0.05
"""Seconds: some 25 times what is measured, as machines are noisy."""

SLOW_SET = """
{ system, config, overlays }:
let
  work = builtins.foldl' (sum: number: sum + number) 0 (builtins.genList (number: number) 1600000);
  set = import ./packages.nix { inherit system config overlays; };
in
set // { hello = derivation {
  name = "hello";
  inherit system;
  builder = "/bin/sh";
  args = [ "-ec" "mkdir -p $out/bin; echo ${toString work} ${builtins.readFile ./version} > $out/bin/hello" ];
  PATH = "/usr/bin:/bin";
}; }
"""

WHOLE_SET = """
args: import ./packages.nix args // { whole = derivation {
  name = "whole";
  inherit (args) system;
  builder = "/bin/sh";
  args = [ "-ec" "mkdir $out; echo ${./.} > $out/from" ];
  PATH = "/usr/bin:/bin";
}; }
"""


def package_set(folder: Path, text: str, salt: str) -> Path:
    folder.mkdir()
    shutil.copy(Path(__file__).parent / "packages.nix", folder / "packages.nix")
    (folder / "salt").write_text(salt)
    (folder / "version").write_text("1")
    (folder / "default.nix").write_text(text)
    return folder


def intercepted(bin: Path, program: str, before: str) -> str:
    """A PATH on which a program first does something else in a shell."""
    bin.mkdir(exist_ok=True)
    (bin / program).write_text(f'#!/bin/sh\n{before}\nexec {shutil.which(program)} "$@"\n')
    (bin / program).chmod(0o755)
    return f"{bin}:{os.environ['PATH']}"


@contextmanager
def serving(folder: Path, packages: Path, **more: str) -> Iterator[Daemon]:
    with running(folder, NIXERY_PKGS_PATH=str(packages), **more) as daemon:
        yield daemon


def good(answer: Answer) -> Answer:
    assert answer.status == 200, answer.body
    return answer


def digest(answer: Answer) -> str:
    return good(answer).headers["Docker-Content-Digest"]


def test_unchanged_pulls_start_no_process_and_an_edit_is_in_the_next(tmp_path: Path, salt: str) -> None:
    packages = package_set(tmp_path / "set", SLOW_SET, salt)
    started = tmp_path / "started"
    path = intercepted(tmp_path / "bin", "setsid", f'echo "$@" >> {started}')  # all of the daemon's children
    with serving(tmp_path / "daemon", packages, PATH=path) as daemon:
        began = time.perf_counter()
        old = good(daemon.pull("hello"))
        first = time.perf_counter() - began
        before = started.read_text()
        taken = []
        for _ in range(PULLS):
            began = time.perf_counter()
            assert daemon.pull("hello").body == old.body
            taken.append(time.perf_counter() - began)
        assert started.read_text() == before
        (packages / "version").write_text("2")
        new = good(daemon.pull("hello"))
    assert new.body != old.body
    assert started.read_text() != before
    print(f"first pull {first * 1e3:.0f} ms; of {PULLS} more, p50 {statistics.median(taken) * 1e3:.2f} ms")
    assert statistics.median(taken) < GENEROUS


def test_equal_content_in_folders_of_other_names_is_one_image(tmp_path: Path, salt: str) -> None:
    digests = []
    for name in ("one", "two"):
        packages = package_set(tmp_path / name, WHOLE_SET, salt)
        (packages / ".git").mkdir()
        (packages / ".git" / "HEAD").write_text(name)
        with serving(tmp_path / f"daemon-{name}", packages) as daemon:
            digests.append(digest(daemon.pull("whole")))
    assert digests[0] == digests[1]


def test_pipes_and_sockets_have_no_part_in_the_image_and_links_to_nowhere_have(tmp_path: Path, salt: str) -> None:
    packages = package_set(tmp_path / "set", WHOLE_SET, salt)
    os.mkfifo(packages / "pipe")
    (packages / "link").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(packages / "socket"))
        with serving(tmp_path / "daemon", packages) as daemon:
            first = digest(daemon.pull("whole"))
            (packages / "pipe").unlink()
            (packages / "socket").unlink()
            assert digest(daemon.pull("whole")) == first
            (packages / "link").unlink()
            assert digest(daemon.pull("whole")) != first


def test_a_set_that_is_edited_before_nix_reads_it_is_pulled_as_it_is_then(tmp_path: Path, salt: str) -> None:
    packages = package_set(tmp_path / "set", SLOW_SET, salt)
    edit = f"[ -e {tmp_path}/edited ] || {{ touch {tmp_path}/edited; printf 2 > {packages}/version; }}"
    path = intercepted(tmp_path / "bin", "nix-build", edit)
    with serving(tmp_path / "daemon", packages, PATH=path) as daemon:
        raced = digest(daemon.pull("hello"))
        assert digest(daemon.pull("hello")) == raced
        (packages / "version").write_text("1")
        assert digest(daemon.pull("hello")) != raced


def test_what_is_edited_while_nix_evaluates_has_no_part_in_the_image(tmp_path: Path, salt: str) -> None:
    """The evaluation waits in the middle, for a pipe outside of the set."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    waits = SLOW_SET.replace(" 0 (", f" (builtins.stringLength (builtins.readFile {pipe})) (")
    assert waits != SLOW_SET
    packages = package_set(tmp_path / "set", waits, salt)
    digests = []
    for version in ("1", "2"):
        with serving(tmp_path / f"daemon-{version}", packages) as daemon, ThreadPoolExecutor() as threads:
            pulled = threads.submit(daemon.pull, "hello")
            with pipe.open("w"):  # opens when the evaluation reads it
                (packages / "version").write_text(version)
            digests.append(digest(pulled.result()))
    assert digests[0] == digests[1]


def test_a_set_in_the_store_is_read_where_it_is(tmp_path: Path, salt: str) -> None:
    packages = package_set(tmp_path / "set", SLOW_SET, salt)
    environment = {**os.environ, "NIX_CONFIG": NIX_CONFIG}
    command = ["nix-store", "--add", str(packages)]
    stored = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    with serving(tmp_path / "daemon", Path(stored)) as daemon:
        good(daemon.pull("hello"))
        assert f'"folder": "{stored}"}}' in daemon.calls[0]


def test_a_copy_that_nix_has_collected_is_made_again(tmp_path: Path, salt: str) -> None:
    """In a store of its own, so that nothing of the machine's is collected."""
    packages = package_set(tmp_path / "set", WHOLE_SET, salt)
    store = {f"NIX_{name}_DIR": str(tmp_path / "nix" / name.lower()) for name in ("STORE", "STATE", "LOG")}
    with serving(tmp_path / "daemon", packages, **store) as daemon:
        before = digest(daemon.pull("whole"))
        assert list((tmp_path / "nix" / "store").glob("*-source"))
        assert list((tmp_path / "nix" / "store").glob("*-held")), "what refers to it while it is evaluated"
        environment = {**os.environ, **store, "NIX_CONFIG": NIX_CONFIG}
        subprocess.run(["nix-store", "--gc"], env=environment, check=True, capture_output=True)
        assert not list((tmp_path / "nix" / "store").glob("*-source"))
        shutil.rmtree(daemon.storage)
        daemon.stop()
        daemon.start()
        assert digest(daemon.pull("whole")) == before


NAMES = st.text("aZ.-_é ", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
FILES = st.tuples(st.binary(max_size=20), st.booleans())
TREES = st.recursive(FILES | NAMES, lambda below: st.dictionaries(NAMES, below, max_size=4), max_leaves=12).filter(
    lambda tree: isinstance(tree, dict)
)


def make(path: Path, tree: object) -> None:
    match tree:
        case dict():
            path.mkdir()
            for name, below in tree.items():
                make(path / name, below)
        case str(target):
            path.symlink_to(target)
        case (bytes(content), executable):
            path.write_bytes(content)
            path.chmod(0o755 if executable else 0o644)


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_the_pin_is_the_hash_that_nix_itself_takes(tree: object) -> None:
    with tempfile.TemporaryDirectory() as place:
        make(Path(place) / "set", tree)
        command = ["nix-hash", "--type", "sha256", f"{place}/set"]
        assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == nar_hash(
            f"{place}/set"
        )
