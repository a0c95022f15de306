"""Images of tiny store paths, and a daemon that has just built one: a cold pull, with a Nix that has little to do."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from benchmarks.cost.asking import Client, asking, digest_of
from benchmarks.packing import LIMIT, packing, planned
from benchmarks.results import expect
from benchmarks.stores import closure_of, grown
from nixery.images.graph import Closure

SIZE = 4096
"""Bytes of a path."""


@frozen
class Pulled:
    """A daemon that has the image. `digest`: its manifest's; `cold`: CPU seconds from Nix's end to the manifest."""

    pid: int
    client: Client
    path: str
    digest: str
    cold: float

    def ask(self, reference: str, times: int) -> None:
        """Ask so often for the manifest; raises WrongResult."""
        for _ in range(times):
            self.client.expect(self.path + reference, self.digest)


def made(folder: Path, numbers: Iterable[int]) -> Path:
    """The folder of the graphs of images with so many paths, each named by its number."""
    graphs = folder / "graphs"
    graphs.mkdir()
    for number in numbers:
        (graphs / f"{number}").write_bytes(grown(folder / f"store-{number}", SIZE * number, number))
    return graphs


def closure_in(graphs: Path, number: int) -> Closure:
    """The closure of the image with so many paths."""
    return closure_of((graphs / f"{number}").read_bytes())


@contextmanager
def pulled(graphs: Path, number: int, connections: int = 1, limit: int = LIMIT) -> Iterator[Pulled]:
    """A daemon that has the image with so many paths, and nothing else; raises WrongResult."""
    layers = len(planned(closure_in(graphs, number), limit)) + 1
    path = f"/v2/{number}/manifests/"
    with packing(graphs, nix_seconds=1, limit=limit) as running, asking(running.root, connections) as client:
        manifest = client.get(f"{path}latest")
        cpu, (_, before) = running.cpu, running.nix_ended
        expect(len(json.loads(manifest)["layers"]), layers, f"layers of {number} paths")
        yield Pulled(running.pid, client, path, digest_of(manifest), cpu - before)
