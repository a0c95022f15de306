"""What a million blobs in the storage folder cost: a start until the first answer, and a GET, beside a hundred blobs.

    python benchmarks/many_blobs.py [BLOBS [FOLDER]]    1,000,000 in a temporary folder, unless told

Two daemons are started five times each, in turns, and asked for the same hundred blobs, in turns, so that what else the
machine does meets both. The blobs that nobody asks for are links to a few files, as the daemon never looks at them. The
interpreter's own start, and that of all modules, are measured too: no number of blobs is in those. CPU seconds are what
a start takes on a machine that has nothing else to do.
"""

import hashlib
import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
            path.write_bytes(str(number).encode())
            linked = path
        else:
            os.link(linked, path)


def named(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


@contextmanager
def daemon(folder: Path) -> Iterator[tuple[Seconds, http.client.HTTPConnection]]:
    """What a running daemon took until its first answer, and a connection to it."""
    settings = {"STORAGE_PATH": str(folder / "storage"), "NIXERY_PKGS_PATH": str(folder), "HOME": str(folder)}
    command = (str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "nixery", "--listen", "tcp:0")
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=os.environ | settings) as process:
        assert process.stdout is not None
        found = next(match for line in process.stdout if (match := re.search(r"Site starting on (\d+)", line)))
        threading.Thread(target=process.stdout.read, daemon=True).start()  # else it would wait for room for its log
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]))
        asked(connection, "/v2/")
        words = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        cpu = sum(map(int, words[11:13])) / os.sysconf("SC_CLK_TCK")
        yield (time.perf_counter() - began, cpu), connection
        connection.close()
        process.terminate()


def asked(connection: http.client.HTTPConnection, target: str) -> float:
    """Seconds for an answer."""
    began = time.perf_counter()
    connection.request("GET", target)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, target
    return time.perf_counter() - began


def gets(connections: list[http.client.HTTPConnection]) -> list[list[float]]:
    """Seconds for each GET of a blob, for each daemon; the first, for which the blob is hashed, comes first."""
    taken: list[list[float]] = [[] for _ in connections]
    for number in [*range(FEW)] * ROUNDS:
        for connection, seconds in zip(connections, taken, strict=True):
            seconds.append(asked(connection, f"/v2/x/blobs/sha256:{named(number)}"))
    return taken


def python(words: str, code: str) -> None:
    """Print the median times of an interpreter that does only this."""
    taken = []
    for _ in range(STARTS):
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", f"{code}; import os; os._exit(0)"])
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0
        taken.append((time.perf_counter() - began, used.ru_utime + used.ru_stime))
    seconds, cpu = map(statistics.median, zip(*taken, strict=True))
    print(f"{words:22} {seconds * 1e3:9.2f} ms, CPU {cpu * 1e3:9.2f} ms")


def compare(words: str, few: Iterable[float], many: Iterable[float]) -> None:
    low, high = statistics.median(few) * 1e3, statistics.median(many) * 1e3
    print(f"{words:22} {low:9.2f} ms with {FEW} {high:9.2f} ms, {high / low:.2f} times as long (medians)")


def main(arguments: list[str]) -> None:
    """As the module says."""
    blobs = int(arguments[0]) if arguments else 1_000_000
    with tempfile.TemporaryDirectory(dir=arguments[1] if len(arguments) > 1 else None) as name:
        folders = [Path(name, words) for words in ("few", "many")]
        for folder, number in zip(folders, (FEW, blobs), strict=True):
            make(folder / "storage" / "layers", number)
            (folder / "default.nix").write_text("{ }")
        print(f"{blobs} blobs")
        python("python alone", "pass")
        python("with our modules", "import nixery.tap, twisted.scripts.twistd")
        starts: list[list[Seconds]] = [[], []]
        for _ in range(STARTS):
            for folder, seconds in zip(folders, starts, strict=True):
                with daemon(folder) as (taken, _connection):
                    seconds.append(taken)
        for number, words in enumerate(("start to first answer", "of it CPU")):
            compare(words, *([seconds[number] for seconds in some] for some in starts))
        with daemon(folders[0]) as (_few, one), daemon(folders[1]) as (_many, other):
            few, many = gets([one, other])
        compare("first GET of a blob", few[:FEW], many[:FEW])
        compare("GET of a blob", few[FEW:], many[FEW:])


if __name__ == "__main__":
    main(sys.argv[1:])
