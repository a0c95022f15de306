"""The program in Go that measured servers are compared with, and that asks them (benchmarks/go/main.go)."""

import signal
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.daemons import ROOT
from benchmarks.results import expect

AS_LONG_AS_NEEDED = 600
"""Seconds."""


class Answer(NamedTuple):
    """When a request was due (time.time), and the milliseconds from then until it was answered."""

    due: float
    taken: float


class Waits(NamedTuple):
    """Milliseconds until answers came: the median, the 99th of a hundred, and the most; and the number of answers."""

    median: float
    late: float
    most: float
    number: int

    @classmethod
    def of(cls, answers: Iterable[Answer]) -> "Waits":
        """Raises WrongResult when there is none."""
        taken = sorted(answer.taken for answer in answers)
        expect(bool(taken), True, "whether there are answers")
        number = len(taken)
        return cls(taken[number // 2], taken[number * 99 // 100], taken[-1], number)

    def __str__(self) -> str:
        return f"p50 {self.median:6.2f} ms, p99 {self.late:7.2f} ms, most {self.most:7.2f} ms ({self.number})"


def built(folder: Path) -> str:
    """Build it into a folder, and give its path."""
    program = str(folder / "peers")
    # Without the state of git, which may not be there, or be somebody else's.
    build = ["go", "build", "-buildvcs=false", "-o", program, "."]
    subprocess.run(build, check=True, cwd=ROOT / "benchmarks" / "go")
    return program


def run(program: str, *words: object, before: tuple[str, ...] = ()) -> list[float]:
    """The numbers that it prints. Raises CalledProcessError when it found something wrong, and said so."""
    command = [*before, program, *map(str, words)]
    return [
        float(word) for word in subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    ]


def asked(program: str, address: str, pace: int, do: Callable[[], object]) -> list[Answer]:
    """Requests for an address, `pace` of them a second, while something is done. Raises WrongResult.

    They come over connections that stood before.
    """
    command = (program, "ask", address, str(pace), str(AS_LONG_AS_NEEDED))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        expect(client.stdout.readline(), "begins\n", "what the client says")
        try:
            do()
        finally:
            client.send_signal(signal.SIGINT)
        lines = client.stdout.read().splitlines()
        expect(client.wait(), 0, "the client's status")
        return [Answer(*map(float, line.split())) for line in lines]
