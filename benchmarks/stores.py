"""Store paths to pack, and their graph: made here, with what files of this host have in them, or those of /nix/store.

A graph is a file such as `nix-store --dump-db` writes, which the daemon of benchmarks/packing_daemon.py reads.
"""

import hashlib
import os
import random
import stat
import subprocess
import sysconfig
from collections.abc import Sequence
from itertools import chain, takewhile
from pathlib import Path

from nixery.images.graph import Closure
from nixery.nix.closure import Registrations

MB = 1_000_000
USUAL, TINY = (216 * MB, 60), (MB, 3)
"""Bytes and store paths of an image, and of one that is there in no time."""

CORPUS = 96 * MB
"""Bytes of this host's files that contents are cut from: Python's library, and shared libraries."""


def grown(store: Path, size: int, paths: int) -> bytes:
    """Make so many store paths, of `size` bytes in all, and give their graph.

    The sizes of files are those of packages: half of them below 4 KB, 22 KB on average. A path refers to some of
    those before it; what nothing refers to is what the image is asked for.
    """
    chance = random.Random(paths)
    corpus = _corpus()
    weights = [chance.lognormvariate(0, 1.5) for _ in range(paths)]
    made: list[str] = []
    graph = []
    for number, weight in enumerate(weights):
        digest = hashlib.sha256(b"%d" % number).hexdigest()[:32].replace("e", "g")
        path = store / f"{digest}-package-{number}"
        _grow(path, int(size * weight / sum(weights)), corpus, chance)
        references = sorted(chance.sample(made[-20:], min(len(made), chance.randrange(6))))
        graph += [str(path), digest * 2, str(int(size * weight / sum(weights))), "", str(len(references)), *references]
        made.append(str(path))
    return "\n".join([*graph, ""]).encode()


def found(paths: Sequence[str]) -> bytes:
    """The graph of store paths of this host, with all that they refer to."""
    closure = subprocess.run(["nix-store", "--query", "--requisites", *paths], check=True, stdout=subprocess.PIPE)
    dump = ["nix-store", "--dump-db", *closure.stdout.decode().split()]
    return subprocess.run(dump, check=True, stdout=subprocess.PIPE).stdout


def closure_of(graph: bytes) -> Closure:
    """What such a file says."""
    registrations = Registrations()
    for line in graph.splitlines():
        registrations.line(line)
    return registrations.closure()


def files_of(closure: Closure) -> list[int]:
    """The sizes of all its files, which are read, so that the page cache has them: Nix has just written them."""
    tops = [info.path.text for info in closure]
    walked = [os.path.join(where, name) for top in tops for where, _, names in os.walk(top) for name in names]
    return [_read(path) for path in (*tops, *walked) if stat.S_ISREG(os.lstat(path).st_mode)]


def _read(path: str) -> int:
    with open(path, "rb", buffering=0) as file:
        return sum(iter(lambda: len(file.read(MB)), 0))


def _grow(path: Path, size: int, corpus: bytes, chance: random.Random) -> None:
    left, number = size, 0
    while left > 0:
        length = min(left, int(chance.lognormvariate(8.2, 1.9)), 40 * MB)
        where = path / f"share-{number // 1000}" / f"part-{number // 40}"
        where.mkdir(parents=True, exist_ok=True)
        start = chance.randrange(len(corpus) - length)
        (where / f"file-{number}").write_bytes(memoryview(corpus)[start : start + length])
        left -= length
        number += 1


def _corpus() -> bytes:
    """The same for the same host: files in the order of their names, half of it by either kind."""
    scripts = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))
    libraries = sorted(Path("/usr/lib").rglob("*.so*"))
    return b"".join(chain(_up_to(scripts, CORPUS // 3), _up_to(libraries, CORPUS * 2 // 3)))


def _up_to(paths: Sequence[Path], most: int) -> list[bytes]:
    parts: list[bytes] = []
    files = (path for path in paths if path.is_file() and not path.is_symlink())
    for path in takewhile(lambda _: sum(map(len, parts)) < most, files):
        parts.append(path.read_bytes())
    return parts
