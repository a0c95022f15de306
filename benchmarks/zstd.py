"""What zstd layers save and cost: sizes, CPU seconds and peak memory, for the gzip layers of a storage's folder.

    python benchmarks/zstd.py STORAGE_PATH

Pull one image from an instance with an empty storage and NIXERY_COMPRESSION=gzip first: then its layers are what is
measured. Run it twice and take the second figures: the first run reads from the disk. It is one thread's work.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

from nixery.packing.members import compress
from nixery.packing.pieces import PIECE
from nixery.packing.transcoding import Transcoding
from nixery.packing.zstd import Frame
from nixery.validating.unpacking import Gzip, Zstd

MB = 1_000_000


def pieces(blob: Path) -> Iterator[bytes]:
    """A file in pieces."""
    with blob.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def tar(blob: Path) -> bytes:
    """What a gzip layer has packed."""
    gzip = Gzip()
    return b"".join(part for piece in pieces(blob) for part in gzip.unpack(piece))


def gunzip(blob: Path) -> int:
    """Read a gzip layer, as a client does; gives its tar's size."""
    gzip = Gzip()
    return sum(len(part) for piece in pieces(blob) for part in gzip.unpack(piece))


def transcode(blob: Path, into: Path) -> int:
    """Make the zstd layer of a gzip layer, as the daemon does; gives its size."""
    with into.open("wb", buffering=0) as file:
        work = Transcoding(file.fileno(), Event())
        for piece in pieces(blob):
            work.feed(piece)
        return work.end()[1].size


def unzstd(blob: Path) -> int:
    """Read a zstd layer, as a client does; gives its tar's size."""
    zstd = Zstd()
    return sum(len(part) for piece in pieces(blob) for part in zstd.unpack(piece))


def by_gzip(plain: bytes) -> int:
    """Compress a tar as the packer does."""
    return sum(len(compress(plain[at : at + PIECE])) for at in range(0, len(plain), PIECE))


def by_zstd(plain: bytes) -> int:
    """Compress a tar in one frame."""
    frame = Frame()
    return sum(len(frame.compress(plain[at : at + PIECE])) for at in range(0, len(plain), PIECE)) + len(frame.end())


def timed(what: str, work: Callable[[], int]) -> None:
    """Do it, and print what came of it and how long it took."""
    began = time.process_time()
    size = work()
    print(f"{what:34} {size / MB:8.1f} MB {time.process_time() - began:8.2f} s")


def main() -> None:
    """Measure what argv names."""
    blobs = [path for path in Path(sys.argv[1], "layers").iterdir() if next(pieces(path))[:2] == b"\x1f\x8b"]
    with tempfile.TemporaryDirectory() as folder:
        made = [(blob, Path(folder, blob.name)) for blob in blobs]
        print(f"{len(blobs)} layers of {sum(blob.stat().st_size for blob in blobs) / MB:.1f} MB")
        timed("gzip into zstd, as the daemon does", lambda: sum(transcode(blob, into) for blob, into in made))
        print(f"{'peak memory until here':34} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:8.1f} MB")
        timed("gzip unpacked, as clients do", lambda: sum(gunzip(blob) for blob in blobs))
        timed("zstd unpacked, as clients do", lambda: sum(unzstd(into) for _, into in made))
    plains = [tar(blob) for blob in blobs]
    timed("the tars compressed by gzip", lambda: sum(map(by_gzip, plains)))
    timed("the tars compressed by zstd", lambda: sum(map(by_zstd, plains)))


if __name__ == "__main__":
    main()
