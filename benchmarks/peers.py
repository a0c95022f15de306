"""The program in Go that measured servers are compared with, and that asks them (benchmarks/go/main.go)."""

import subprocess
from pathlib import Path

from benchmarks.daemons import ROOT


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
