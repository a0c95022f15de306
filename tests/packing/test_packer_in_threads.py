"""The packer with real threads."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

from nixery.concurrency.pool import Threads
from nixery.images.graph import StorePath
from nixery.packing.packer import Packer
from nixery.packing.pieces import PIECE
from nixery.storage.memory import MemoryStorage
from tests.packing.fakes import Storage

NewObject = Callable[[str], StorePath]


@pytest.fixture
def pool() -> Iterator[Threads]:
    pool = Threads(reactor, 2, "packing")  # type: ignore[arg-type]  # the module is the reactor
    pool.startService()
    yield pool
    pytest_twisted.blockon(pool.stopService())


@pytest_twisted.ensureDeferred
async def test_a_cancelled_thread_writes_to_its_own_descriptor_to_the_end(
    pool: Threads, new_object: NewObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage()
    path = new_object("data")
    Path(path.text).write_bytes(bytes(9 * PIECE))
    reached, go_on = threading.Event(), threading.Event()
    written: list[int] = []
    write = os.write

    def slow(descriptor: int, data: bytes) -> int:
        if len(data) > 100:
            reached.set()
            go_on.wait(10)
            written.append(write(descriptor, data))
            return written[-1]
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", slow)
    packer = Packer(pool, storage)
    work = Deferred.fromCoroutine(packer.paths([path], ""))
    reached.wait(10)
    work.cancel()
    with pytest.raises(CancelledError):
        await work
    assert storage.done == ["stage"]
    go_on.set()
    await packer.stop()
    assert (len(written), storage.done, storage.blobs) == (1, ["stage", "abandon"], {})


@pytest_twisted.ensureDeferred
async def test_one_worker_and_two_make_the_same(new_object: NewObject) -> None:
    paths = [new_object(name) for name in "abcd"]
    for path in paths:
        Path(path.text).write_bytes(path.name.encode() * (PIECE // 2))
    made = []
    for size in (1, 2):
        pool = Threads(reactor, size, "packing")  # type: ignore[arg-type]  # as above
        pool.startService()
        packer = Packer(pool, MemoryStorage())
        works = [Deferred.fromCoroutine(packer.paths([path], path.name)) for path in paths]
        made.append([await work for work in works])
        await pool.stopService()
    assert made[0] == made[1]
    assert len({layer.digest for layer in made[0]}) == 4
