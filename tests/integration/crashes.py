"""A daemon that is killed again and again, and what has to be true each time that it is back."""

import http.client
import itertools
import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random

from attrs import define, field

from nixery.images.digest import Digest
from tests.integration.daemon import Answer, Daemon, eventually
from tests.integration.stored import blobs_of, fetched

_AT_ONCE = 2
_LARGEST_MANIFEST = 100_000
_COMBINED = 12
"""Large packages of which images are made, three for each."""


@define
class Crashes:
    """Kills a daemon of tests/integration/many_images.nix.

    `layers`: the folder with its blobs; `staging`: that with what is being written, below folders of each process.
    """

    daemon: Daemon
    layers: Path
    staging: Path
    random: Random = field(factory=Random)
    served: dict[str, Answer] = field(factory=dict)
    cut_off: list[str] = field(factory=list)
    looked_at: set[str] = field(factory=set)
    figures: Counter[str] = field(factory=Counter)
    names: Iterator[str] = field(init=False)
    seconds: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with images that nothing disturbs, to know how long they take."""
        self.names = (
            "/".join([f"small{number}", *(f"large{large}" for large in self.random.sample(range(_COMBINED), 3))])
            for number in itertools.count()
        )
        began = time.monotonic()
        self._note([next(self.names) for _ in range(_AT_ONCE)], killed=False)
        began = time.monotonic()  # by now the large packages are built
        self._note([next(self.names) for _ in range(_AT_ONCE)], killed=False)
        self.seconds = time.monotonic() - began

    def happen(self) -> None:
        """Kill it while it makes images, start it again, and look."""
        self._note([next(self.names) for _ in range(_AT_ONCE)], killed=True)
        self.figures["kills"] += 1
        self.figures["amid files"] += any(path.stat().st_size for path in self._staged())
        self.daemon.start()
        self.look()

    def look(self) -> None:
        """Nothing is half done, and what was served is there."""
        assert self.daemon.ask("/v2/").status == 200  # it says that it listens before all has begun
        assert list(self._staged()) == []
        assert len(list(self.staging.glob("daemon-*"))) == 1
        assert len(list((self.daemon.folder / "state" / "gcroots").glob("daemon-*"))) == 1
        new = {path.name for path in self.layers.iterdir() if not path.name.startswith(".")} - self.looked_at
        for name in new:
            self._look_at(self.layers / name)
        self.looked_at |= new
        name = self.random.choice(list(self.served))
        assert self.daemon.pull(name).body == self.served[name].body

    def pull_all(self, most: int) -> None:
        """All that was cut off can be had, once the turns of the dead are over."""
        names = self.random.sample(self.cut_off, min(most, len(self.cut_off)))
        with ThreadPoolExecutor(len(names)) as threads:
            for answer in threads.map(self.daemon.pull, names):
                self._pulled(answer)

    def _note(self, names: list[str], killed: bool) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            asked = {name: threads.submit(self.daemon.pull, name) for name in names}
            if killed:
                self._await_a_moment(list(asked.values()))
                self.daemon.stop(signal.SIGKILL)
            for name, answer in asked.items():
                self._sort(name, answer)

    def _await_a_moment(self, asked: list[Future[Answer]]) -> None:
        """Any moment; or, as often, one soon after a blob is begun."""
        seconds = 1.2 * self.seconds
        if self.random.random() < 0.5:
            eventually(lambda: any(self._staged()) or all(answer.done() for answer in asked))
            seconds = 0.2 * self.seconds
        threading.Event().wait(self.random.uniform(0, seconds))

    def _sort(self, name: str, answer: Future[Answer]) -> None:
        try:
            self.served[name] = answer.result()
        except (OSError, http.client.HTTPException):
            self.cut_off.append(name)
            self.figures["cut off"] += 1
        else:
            assert self.served[name].status == 200, self.served[name]

    def _look_at(self, path: Path) -> None:
        """A blob is what its name says; a manifest is served with all of its blobs, or not at all."""
        data = path.read_bytes()
        assert Digest.of(data).hex == path.name
        self.figures["blobs"] += 1
        self.figures["bytes"] += len(data)
        if len(data) < _LARGEST_MANIFEST and b'"layers"' in data and "layers" in json.loads(data):
            answer = self.daemon.pull("x", f"sha256:{path.name}")
            assert answer.status in (200, 404)
            if answer.status == 200:
                self._pulled(answer)

    def _pulled(self, answer: Answer) -> None:
        assert answer.status == 200, answer
        self.figures["images"] += 1
        for digest in blobs_of(answer.body):
            fetched(self.daemon, digest)

    def _staged(self) -> Iterator[Path]:
        """What is being written."""
        return (path for path in self.staging.glob("daemon-*/*") if path.name != ".lock")
