"""How fast layers are packed, and in how much memory: MB/s, CPU seconds, ratio and peak memory.

    python benchmarks/packing.py FOLDER...        one layer of these folders or store paths
    python benchmarks/packing.py --tarfile F...   the same by Python's tarfile and gzip, to compare
    python benchmarks/packing.py                  both, on synthetic trees of 50 MB and 861 MB in a temporary folder

Run it twice and take the second figures: the first run reads from the disk. Each measurement is a process of its own,
as peak memory is a process's.
"""

import gzip
import hashlib
import os
import random
import re
import resource
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path
from typing import BinaryIO

from nixery.images.graph import StorePath
from nixery.packing.layer import pack_paths

MB = 1_000_000
WORDS = [hashlib.sha256(b"%d" % number).hexdigest()[: 2 + number % 9].encode() for number in range(300)]


def pack(folders: list[str], blob: BinaryIO) -> None:
    """By our packer."""
    pack_paths([StorePath(os.path.abspath(folder)) for folder in folders], blob.fileno(), threading.Event())


def pack_by_tarfile(folders: list[str], blob: BinaryIO) -> None:
    """By the standard library."""
    with gzip.GzipFile("", "wb", 6, blob, 0) as zipped, tarfile.open(fileobj=zipped, mode="w|") as tar:
        for folder in folders:
            tar.add(folder)


def measure(by_tarfile: bool, folders: list[str]) -> None:
    """Pack and print a line."""
    size = sum(os.lstat(os.path.join(where, name)).st_size for f in folders for where, _, n in os.walk(f) for name in n)
    with tempfile.TemporaryFile() as blob:
        before, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        (pack_by_tarfile if by_tarfile else pack)(folders, blob)
        seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
        packed = os.fstat(blob.fileno()).st_size
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    print(
        f"{'tarfile + gzip' if by_tarfile else 'nixery':15} {size / MB:7.1f} MB {size / MB / seconds:6.1f} MB/s "
        f"{cpu:6.2f} CPU s  ratio {size / packed:5.3f}  peak {peak():5.1f} MB",
        flush=True,
    )


def peak() -> float:
    """The most memory that this process has had, in MB (proc(5), VmHWM)."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return int(match[1]) * 1024 / MB


def grow(folder: Path, size: int) -> None:
    """A tree of about `size` bytes with the sizes of a package's files and contents that compress as theirs do."""
    chance = random.Random(1)
    left = size
    number = 0
    while left > 0:
        length = min(left, int(chance.lognormvariate(8.2, 1.9)), 40 * MB)
        where = folder / f"share-{number // 1000}" / f"part-{number // 40}"
        where.mkdir(parents=True, exist_ok=True)
        (where / f"file-{number}").write_bytes(content(chance, length))
        left -= length
        number += 1


def content(chance: random.Random, length: int) -> bytes:
    """Words and noise, in blocks."""
    blocks = []
    for _ in range(-(-length // 4096)):
        noise = chance.random() < 0.1
        blocks.append(chance.randbytes(4096) if noise else b" ".join(chance.choices(WORDS, k=700)))
    return b"".join(blocks)[:length]


def main(arguments: list[str]) -> None:
    """As the module says."""
    if arguments:
        by_tarfile = arguments[0] == "--tarfile"
        measure(by_tarfile, arguments[by_tarfile:])
        return
    with tempfile.TemporaryDirectory() as folder:
        for size in (50, 861):
            tree = Path(folder) / str(size)
            grow(tree, size * MB)
            for option in ([], ["--tarfile"]):
                subprocess.run([sys.executable, __file__, *option, str(tree)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
