"""What a million blobs in the storage folder cost: a start until the first answer, and a GET, beside a hundred blobs.

    python -m benchmarks.many_blobs [--short] [--rows FILE] [BLOBS [FOLDER]]    1,000,000, in a temporary folder

Two daemons are started five times each, in turns, and asked for the same hundred blobs, in turns, so that what else the
machine does meets both; what they answer is checked by its hash. The blobs that nobody asks for are links to a few
files, as the daemon never looks at them. CPU seconds are what a start takes on a machine that has nothing else to do.

What is to be reached: 0.6 s for a start. The floor is the interpreter's own start, and that of all modules, which are
measured too: no number of blobs is in those.
"""

import hashlib
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.daemons import command, server
from benchmarks.report import Row, Target, arguments, at_most, hand_over
from benchmarks.results import expect

FEW = 100
LINKS = 60_000
"""Names that a file may have in every common file system."""

STARTS, ROUNDS = 5, 30

Seconds = tuple[float, float]
"""By the clock, and of CPU."""


def make(layers: Path, blobs: int) -> None:
    """Blobs of a few bytes: those of the numbers below FEW are what their names say."""
    layers.mkdir(parents=True)
    linked = layers
    for number in range(blobs):
        path = layers / named(number)
        if number < FEW or number % LINKS == FEW:
            path.write_bytes(content(number))
            linked = path
        else:
            os.link(linked, path)


def content(number: int) -> bytes:
    return str(number).encode()


def named(number: int) -> str:
    return hashlib.sha256(content(number)).hexdigest()


@contextmanager
def daemon(folder: Path) -> Iterator[tuple[Seconds, http.client.HTTPConnection]]:
    """What a running daemon took until its first answer, and a connection to it."""
    settings = {"STORAGE_PATH": str(folder / "storage"), "NIXERY_PKGS_PATH": str(folder), "HOME": str(folder)}
    began = time.perf_counter()
    with server(folder, command(), **settings) as running:
        connection = http.client.HTTPConnection(running.root.removeprefix("http://"))
        asked(connection, "/v2/")
        yield (time.perf_counter() - began, running.cpu), connection
        connection.close()


def asked(connection: http.client.HTTPConnection, target: str, digest: str = "") -> float:
    """Seconds for an answer. Raises WrongResult when it is not what has this SHA-256."""
    began = time.perf_counter()
    connection.request("GET", target)
    answer = connection.getresponse()
    body = answer.read()
    seconds = time.perf_counter() - began
    found = hashlib.sha256(body).hexdigest()
    expect((answer.status, found), (200, digest or found), target)
    return seconds


def gets(connections: Sequence[http.client.HTTPConnection], rounds: int) -> list[list[float]]:
    """Seconds for each GET of a blob, for each daemon; the first, for which the blob is hashed, comes first."""
    taken: list[list[float]] = [[] for _ in connections]
    for number in [*range(FEW)] * rounds:
        for connection, seconds in zip(connections, taken, strict=True):
            seconds.append(asked(connection, f"/v2/x/blobs/sha256:{named(number)}", named(number)))
    return taken


def python(words: str, code: str, times: int) -> None:
    """Print the median times of an interpreter that does only this."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", f"{code}; import os; os._exit(0)"])
        _, status, used = os.wait4(process.pid, 0)
        expect(status, 0, code)
        taken.append((time.perf_counter() - began, used.ru_utime + used.ru_stime))
    seconds, cpu = map(statistics.median, zip(*taken, strict=True))
    print(f"{words:22} {seconds * 1e3:9.2f} ms, CPU {cpu * 1e3:9.2f} ms")


def compared(words: str, both: Iterable[Sequence[float]], target: Target | None = None) -> list[Row]:
    """Medians of the few's and the many's, which are printed too; the target is for the many's."""
    low, high = (statistics.median(taken) * 1e3 for taken in both)
    print(f"{words:22} {low:9.2f} ms with {FEW} {high:9.2f} ms, {high / low:.2f} times as long (medians)")
    beside = Row(words, "ms", high, low, None, f"of {FEW} blobs")
    return [beside] if target is None else [beside, Row(words, "ms", high, None, target)]


def measured(folders: Sequence[Path], times: int, rounds: int) -> list[Row]:
    """Starts, then GETs."""
    starts: list[list[Seconds]] = [[] for _ in folders]
    for _ in range(times):
        for folder, seconds in zip(folders, starts, strict=True):
            with daemon(folder) as (until_answered, _connection):
                seconds.append(until_answered)
    with ExitStack() as running:
        answered = gets([running.enter_context(daemon(folder))[1] for folder in folders], rounds)
    return [
        *compared("start to first answer", [[wall for wall, _ in some] for some in starts], at_most(600)),
        *compared("of it CPU", [[cpu for _, cpu in some] for some in starts]),
        *compared("first GET of a blob", [taken[:FEW] for taken in answered]),
        *compared("GET of a blob", [taken[FEW:] for taken in answered]),
    ]


def main(words: Sequence[str]) -> None:
    """As the module says."""
    parser = arguments(__doc__)
    parser.add_argument("blobs", nargs="?", type=int, default=1_000_000)
    parser.add_argument("folder", nargs="?")
    options = parser.parse_args(words)
    blobs, starts, rounds = (3 * FEW, 1, 2) if options.short else (options.blobs, STARTS, ROUNDS)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folders = [Path(name, words) for words in ("few", "many")]
        for folder, number in zip(folders, (FEW, blobs), strict=True):
            make(folder / "storage" / "layers", number)
            (folder / "default.nix").write_text("{ }")
        print(f"{blobs} blobs")
        python("python alone", "pass", starts)
        python("with our modules", "import nixery.tap, twisted.scripts.twistd", starts)
        hand_over(measured(folders, starts, rounds), options.rows)


if __name__ == "__main__":
    main(sys.argv[1:])
