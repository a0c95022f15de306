"""Ways in which a storage fails, and a daemon that has to live with them."""

import http.client
import itertools
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from attrs import define, field

from nixery.images.digest import Digest
from tests.integration.daemon import Answer, Daemon, eventually
from tests.integration.stored import blobs_of, fetched
from tests.integration.toxiproxy import Proxy

_TRIES = 100
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)

Fault = Callable[[Proxy], AbstractContextManager[None]]


@contextmanager
def slow(proxy: Proxy) -> Iterator[None]:
    """For half a minute, each answer comes two seconds late."""
    proxy.add("latency", "downstream", latency=2000)
    with _mended_after(30, proxy):
        yield


@contextmanager
def cut_in_uploads(proxy: Proxy) -> Iterator[None]:
    """For five seconds, no connection takes more than a million bytes: no large blob gets through."""
    proxy.add("limit_data", bytes=1_000_000)
    with _mended_after(5, proxy):
        yield


@contextmanager
def cut_at_random(proxy: Proxy) -> Iterator[None]:
    """Whatever is sent on a connection, five times in a hundred it is cut.

    It is drawn anew all the time for open connections too: a daemon keeps them, and opens few.
    """
    proxy.add("reset_peer", toxicity=0.05, timeout=0)
    over = threading.Event()

    def draw() -> None:
        while not over.wait(0.01):
            proxy.again("reset_peer")

    with ThreadPoolExecutor(1) as threads:
        drawing = threads.submit(draw)
        try:
            yield
        finally:
            over.set()
            drawing.result()


@contextmanager
def down(proxy: Proxy) -> Iterator[None]:
    """For half a minute, nobody is there."""
    proxy.take_down()
    with _mended_after(30, proxy):
        yield


@contextmanager
def _mended_after(seconds: float, proxy: Proxy) -> Iterator[None]:
    timer = threading.Timer(seconds, proxy.mend)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@define
class Trial:
    """A daemon of tests/integration/many_images.nix, and the proxy between it and its storage."""

    daemon: Daemon
    proxy: Proxy
    answers: Counter[str] = field(factory=Counter)
    numbers: Iterator[int] = field(factory=itertools.count)

    def undergo(self, fault: Fault) -> None:
        """Ask for a stored image, one that is being made, and new ones; in the end, all of them are there."""
        manifests = [self._had(self._new_name())]
        with ThreadPoolExecutor(4) as threads:
            begun = self._new_name()
            asked = [threads.submit(self._had, begun)]
            assert eventually(lambda: f"building {begun.partition('/')[0]}-".encode() in self.daemon.log)
            with fault(self.proxy):
                asked += [threads.submit(self._had, self._new_name()) for _ in range(2)]
                threads.submit(self._take_blobs, manifests[0]).result()
                manifests += [image.result() for image in asked]
        self.proxy.mend()
        for digest in {digest for manifest in manifests for digest in blobs_of(manifest)}:
            fetched(self.daemon, digest)

    def _new_name(self) -> str:
        """An image that nobody has asked for; its large layer goes up in parts."""
        number = next(self.numbers)
        return "/".join([f"small{number}", *(f"large{(number + step) % 12}" for step in range(3))])

    def _had(self, name: str) -> bytes:
        """The image's manifest, asked for until it is there: nothing else but a refusal comes before it."""
        for _ in range(_TRIES):
            answer = self.daemon.pull(name)
            self.answers[f"manifest {answer.status}"] += 1
            if answer.status == 200:
                return answer.body
            self._note_refusal(answer)
            threading.Event().wait(0.5)
        raise AssertionError(f"{name} cannot be had: {answer.error}")

    def _take_blobs(self, manifest: bytes) -> None:
        """Ask for each blob of an image once: it comes as it is, is refused, or ends early."""
        for digest in blobs_of(manifest):
            try:
                answer = self.daemon.blob(digest)
            except (OSError, http.client.HTTPException) as error:
                self.answers[f"blob {type(error).__name__}"] += 1
                continue
            self.answers[f"blob {answer.status}"] += 1
            if answer.status == 200:
                assert str(Digest.of(answer.body)) == digest
            else:
                self._note_refusal(answer)

    def _note_refusal(self, answer: Answer) -> None:
        assert (answer.status, answer.error["code"]) == (503, "UNAVAILABLE"), answer
        assert int(answer.headers["Retry-After"]) > 0
        self.answers[answer.error["message"]] += 1


def peak_mebibytes(daemon: Daemon) -> int:
    """The most memory that the daemon has had."""
    assert daemon.process is not None
    found = _PEAK.search(Path(f"/proc/{daemon.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) // 1024
