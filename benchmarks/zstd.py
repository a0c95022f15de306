"""What zstd layers save and cost beside gzip: sizes, CPU seconds and peak memory, for the same tars.

    python -m benchmarks.zstd [--short] [--rows FILE] [STORAGE_PATH]

The gzip layers in the folder of a storage are measured, or those of an image of 216 MB that is packed first. For those
of your own, pull one image from an instance with an empty storage and NIXERY_COMPRESSION=gzip. The floor is gzip:
what its layers take to make and to unpack. It is one thread's work, and every blob is read once before.
"""

import hashlib
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Event

from benchmarks.packing import packing
from benchmarks.report import Row, arguments, hand_over
from benchmarks.results import expect, layers_of
from benchmarks.stores import MB, TINY, USUAL, grown
from nixery.packing.members import compress
from nixery.packing.pieces import PIECE
from nixery.packing.transcoding import Transcoding
from nixery.packing.zstd import Frame
from nixery.validating.unpacking import Gzip, Unpacker, Zstd


def pieces(blob: Path) -> Iterator[bytes]:
    """A file in pieces."""
    with blob.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def unpacked(blob: Path, unpacker: Unpacker) -> Iterator[bytes]:
    """A layer's tar, in pieces, as a client reads it."""
    return (part for piece in pieces(blob) for part in unpacker.unpack(piece))


def size_of(parts: Iterator[bytes]) -> int:
    return sum(map(len, parts))


def digest_of(parts: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def transcode(blob: Path, into: Path) -> int:
    """Make the zstd layer of a gzip layer, as the daemon does; gives its size."""
    with into.open("wb", buffering=0) as file:
        work = Transcoding(file.fileno(), Event())
        for piece in pieces(blob):
            work.feed(piece)
        return work.end()[1].size


def by_gzip(plain: bytes) -> int:
    """Compress a tar as the packer does."""
    return sum(len(compress(plain[at : at + PIECE])) for at in range(0, len(plain), PIECE))


def by_zstd(plain: bytes) -> int:
    """Compress a tar in one frame."""
    frame = Frame()
    return sum(len(frame.compress(plain[at : at + PIECE])) for at in range(0, len(plain), PIECE)) + len(frame.end())


def timed(what: str, work: Callable[[], int]) -> tuple[int, float]:
    """Do it, and print and give what came of it and how long it took."""
    began = time.process_time()
    size = work()
    seconds = time.process_time() - began
    print(f"{what:34} {size / MB:8.1f} MB {seconds:8.2f} s")
    return size, seconds


def measured(blobs: Sequence[Path], folder: Path) -> list[Row]:
    """Of gzip layers. Raises WrongResult when a zstd layer has not the same tar."""
    made = [(blob, folder / blob.name) for blob in blobs]
    before = sum(size_of(pieces(blob)) for blob in blobs)
    print(f"{len(blobs)} layers of {before / MB:.1f} MB")
    size, _ = timed("gzip into zstd, as the daemon does", lambda: sum(transcode(blob, into) for blob, into in made))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{'peak memory until here':34} {peak:8.1f} MB")
    for blob, into in made:
        expect(digest_of(unpacked(into, Zstd())), digest_of(unpacked(blob, Gzip())), blob.name)
    _, gunzip = timed("gzip unpacked, as clients do", lambda: sum(size_of(unpacked(blob, Gzip())) for blob in blobs))
    _, unzstd = timed("zstd unpacked, as clients do", lambda: sum(size_of(unpacked(z, Zstd())) for _, z in made))
    plains = [b"".join(unpacked(blob, Gzip())) for blob in blobs]
    _, gzip = timed("the tars compressed by gzip", lambda: sum(map(by_gzip, plains)))
    _, zstd = timed("the tars compressed by zstd", lambda: sum(map(by_zstd, plains)))
    return [
        Row("size", "MB", size / MB, before / MB, None, "gzip"),
        Row("CPU to compress", "s", zstd, gzip, None, "gzip"),
        Row("CPU to unpack", "s", unzstd, gunzip, None, "gzip"),
        Row("peak memory of gzip made into zstd", "MB", peak),
    ]


def packed(folder: Path, size: int, paths: int) -> list[Path]:
    """The gzip layers of an image that is packed here, kept in the folder."""
    graphs = folder / "graphs"
    graphs.mkdir()
    (graphs / "made").write_bytes(grown(folder / "store", size, paths))
    with packing(graphs) as running:
        running.pull("made")
        return [layer.rename(folder / layer.name) for layer in layers_of(running, "made")]


def apart(folder: Path, size: int, paths: int) -> list[Path]:
    """As packed does, in a process of its own, whose memory is not counted."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(packed, folder, size, paths).result()


def found(storage: Path) -> list[Path]:
    return [path for path in (storage / "layers").iterdir() if next(pieces(path))[:2] == b"\x1f\x8b"]


def main(words: Sequence[str]) -> None:
    """As the module says."""
    parser = arguments(__doc__)
    parser.add_argument("storage", nargs="?", type=Path)
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "zstd").mkdir()
        extent = TINY if options.short else USUAL
        blobs = apart(Path(name), *extent) if options.storage is None else found(options.storage)
        hand_over(measured(blobs, Path(name) / "zstd"), options.rows)


if __name__ == "__main__":
    main(sys.argv[1:])
