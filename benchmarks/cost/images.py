"""Images stored: a daemon's start when there are N images, and what it is asked just after that.

One image is built by the daemon, and the others are put beside it (filling.py). Every service is a new one, that reads
the folder for the first time. `nixery-storage` alone has tags that come from what is stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import define

from benchmarks.cost.asking import Client, asking, digest_of, own_cpu, spent
from benchmarks.cost.filling import REPOSITORY, fill, manifest_of, name_of
from benchmarks.cost.growth import Curve, curves
from benchmarks.cost.pulling import made
from benchmarks.daemons import TWISTD, command, server
from benchmarks.packing import DONE

PATHS = 20
BUILT = f"/v2/{PATHS}/manifests/latest"
KNOWN = range(1, 10)
"""Images that are there at each N."""

PAGE = 100
"""Names or tags on a page."""


def measured(folder: Path, numbers: Sequence[int], rounds: int) -> list[Curve]:
    """CPU seconds of the daemon. `folder`: an empty one. Raises WrongResult."""
    (folder / "set").mkdir()
    (folder / "set" / "default.nix").write_text("{ }: { }")
    stored = _Stored(folder, made(folder, [PATHS]))
    with stored.daemon(NIXERY_CATALOG="yes") as (_, client):
        stored.built = digest_of(client.get(BUILT))
    return curves(numbers, rounds, stored.cost)


@define
class _Stored:
    """A folder in which there are `images` of them; `built`: the digest of the daemon's own."""

    folder: Path
    graphs: Path
    images: int = 1
    built: str = ""

    def cost(self, number: int) -> Mapping[str, float]:
        """Of each when there are so many images, which are no fewer than there were."""
        fill(f"{self.folder}/storage", range(self.images, number))
        self.images = number
        return {**self._manifests(), **self._catalog(), **self._tags()}

    def _manifests(self) -> Mapping[str, float]:
        with self.daemon() as (pid, client):
            start = own_cpu(pid)
            by_tag = spent(pid, lambda: client.expect(BUILT, self.built))
            by_digest = spent(pid, lambda: _ask_known(client)) / len(KNOWN)
        return {"start": start, "manifest by tag": by_tag, "manifest by digest": by_digest}

    def _catalog(self) -> Mapping[str, float]:
        with self.daemon(NIXERY_CATALOG="yes") as (pid, client):
            by_tag = spent(pid, lambda: client.expect(BUILT, self.built))
            first, again = _pages(pid, client, "/v2/_catalog", "repositories", self.images)
        return {"by tag, name catalogued": by_tag, "_catalog, first": first, "_catalog, again": again}

    def _tags(self) -> Mapping[str, float]:
        with self._service(TWISTD, "nixery-storage", NIXERY_PKGS_REPO=REPOSITORY) as (pid, client):
            first, again = _pages(pid, client, f"/v2/{name_of(1)}/tags/list", "tags", self.images - 1)
        return {"tags/list, first": first, "tags/list, again": again}

    @contextmanager
    def daemon(self, **settings: str) -> Iterator[tuple[int, Client]]:
        """A daemon whose Nix has nothing to do."""
        settings |= {"NIXERY_PKGS_PATH": f"{self.folder}/set", "GRAPHS": f"{self.graphs}", "NIX_SECONDS": "0"}
        with self._service(DONE, "nixery", **settings) as running:
            yield running

    @contextmanager
    def _service(self, python: Sequence[str], plugin: str, **settings: str) -> Iterator[tuple[int, Client]]:
        """A process that has given its first answer, and a client of its."""
        settings |= {"STORAGE_PATH": f"{self.folder}/storage", "STATE_DIRECTORY": f"{self.folder}/state"}
        settings |= {"HOME": f"{self.folder}"}
        words = command(python, plugin)
        with server(self.folder, words, **settings) as running, asking(running.root) as client:
            client.get("/v2/")
            yield running.pid, client


def _ask_known(client: Client) -> None:
    for number in KNOWN:
        digest = manifest_of(number)
        client.expect(f"/v2/{name_of(number)}/manifests/{digest}", f"{digest}")


def _pages(pid: int, client: Client, path: str, member: str, number: int) -> tuple[float, float]:
    """What the first page of a list costs, when it is asked for first, and again; there are `number` in all."""
    page = f"{path}?n={PAGE}"
    first = spent(pid, lambda: client.count(page, member, min(number, PAGE)))
    again = spent(pid, lambda: client.count(page, member, min(number, PAGE)))
    client.count(path, member, number)
    return first, again
