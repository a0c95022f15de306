import gc
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from nixery.concurrency.pool import Inline
from nixery.errors import PackingFailed, ShuttingDown, StorageUnavailable
from nixery.images.digest import DiffID, Digest
from nixery.images.graph import StorePath
from nixery.images.manifest import Layer
from nixery.packing.jobs import Own
from nixery.packing.packer import Packer
from tests.packing.fakes import HeldPool, Staged, Storage

NewObject = Callable[[str], StorePath]


@pytest.fixture
def storage() -> Storage:
    return Storage()


def started(packer: Packer, count: int = 1) -> list[Deferred[Layer]]:
    return [Deferred.fromCoroutine(packer.paths([], "")) for _ in range(count)]


def failure_of(work: Deferred[Layer]) -> type[BaseException]:
    caught: list[Failure] = []
    work.addErrback(caught.append)
    assert caught, "it has not failed"
    assert caught[0].type is not None
    return caught[0].type


class TestWhole:
    @pytest_twisted.ensureDeferred
    async def test_store_paths_are_stored_under_their_digest(self, storage: Storage, new_object: NewObject) -> None:
        path = new_object("a")
        Path(path.text).write_text("content")
        layer = await Packer(Inline(), storage).paths([path], "a comment")
        blob = storage.blobs[layer.digest]
        assert (len(blob), DiffID.of(gzip.decompress(blob))) == (layer.size, layer.diff_id)
        assert layer.comment == "a comment"

    @pytest_twisted.ensureDeferred
    async def test_a_root_is_stored_under_its_digest(self, storage: Storage, new_object: NewObject) -> None:
        path = new_object("a")
        os.makedirs(f"{path}/bin")
        Path(f"{path}/bin/tool").touch()
        layer = await Packer(Inline(), storage).root([path], "the root")
        assert b"bin/tool" in gzip.decompress(storage.blobs[layer.digest])
        assert layer.comment == "the root"

    @pytest_twisted.ensureDeferred
    async def test_a_root_without_packages_can_be_had(self, storage: Storage) -> None:
        layer = await Packer(Inline(), storage).root([], "")
        assert b"etc/passwd" in gzip.decompress(storage.blobs[layer.digest])

    @pytest_twisted.ensureDeferred
    async def test_a_failure_leaves_nothing_behind(self, storage: Storage, new_object: NewObject) -> None:
        with pytest.raises(PackingFailed):
            await Packer(Inline(), storage).paths([new_object("absent")], "")
        assert (storage.done, storage.blobs) == (["stage", "abandon"], {})

    @pytest_twisted.ensureDeferred
    async def test_a_root_too_large_is_a_failure_in_words(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("nixery.images.tree.MOST_ENTRIES", 3)
        with pytest.raises(PackingFailed, match=r"cannot be joined into an image root: .* more than 3 entries"):
            await Packer(Inline(), storage).root([], "")

    @pytest_twisted.ensureDeferred
    async def test_a_storage_that_cannot_publish_says_so(
        self, storage: Storage, new_object: NewObject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def publish(staged: Staged, digest: Digest, size: int) -> None:
            raise StorageUnavailable("the disk is gone")

        monkeypatch.setattr(Staged, "publish", publish)
        with pytest.raises(StorageUnavailable, match="the disk is gone"):
            await Packer(Inline(), storage).paths([], "")
        assert storage.done == ["stage", "abandon"]


class TestCancelling:
    def test_the_descriptor_stays_open_until_the_function_has_ended(self, storage: Storage) -> None:
        pool = HeldPool()
        (work,) = started(Packer(pool, storage))
        assert pool.told_to_end() == [False]
        work.cancel()
        assert failure_of(work) is CancelledError
        assert pool.told_to_end() == [True]
        assert storage.done == ["stage"]
        pool.held[0][0].errback(ShuttingDown())
        assert storage.done == ["stage", "abandon"]

    def test_a_failure_that_nobody_waits_for_is_not_left_unhandled(self, storage: Storage) -> None:
        pool = HeldPool()
        (work,) = started(Packer(pool, storage))
        work.cancel()
        assert failure_of(work) is CancelledError
        with capturedLogs() as logged:
            pool.held.pop()[0].errback(PackingFailed())
            gc.collect()
        assert logged == []

    def test_one_cancelled_leaves_the_others_alone(self, storage: Storage) -> None:
        pool = HeldPool()
        first, second = started(Packer(pool, storage), 2)
        first.cancel()
        assert failure_of(first) is CancelledError
        assert pool.told_to_end() == [True, False]
        assert not second.called

    def test_what_waits_for_its_turn_is_never_staged(self, storage: Storage) -> None:
        pool = HeldPool()
        first, second = started(Packer(pool, storage, at_once=1), 2)
        second.cancel()
        assert failure_of(second) is CancelledError
        pool.held[0][0].errback(PackingFailed())
        assert failure_of(first) is PackingFailed
        assert storage.done == ["stage", "abandon"]

    def test_no_more_than_so_many_are_staged_at_once(self, storage: Storage) -> None:
        pool = HeldPool()
        works = started(Packer(pool, storage, at_once=2), 3)
        assert storage.done == ["stage", "stage"]
        pool.held[0][0].errback(PackingFailed())
        assert failure_of(works[0]) is PackingFailed
        assert storage.done == ["stage", "stage", "abandon", "stage"]


class TestStop:
    def test_it_waits_for_what_runs(self, storage: Storage) -> None:
        pool = HeldPool()
        packer = Packer(pool, storage)
        works = started(packer, 2)
        stopped = Deferred.fromCoroutine(packer.stop())
        assert pool.told_to_end() == [True, True]
        pool.held[0][0].errback(ShuttingDown())
        assert not stopped.called
        pool.held[1][0].errback(ShuttingDown())
        assert stopped.called
        assert [failure_of(work) for work in works] == [ShuttingDown, ShuttingDown]

    def test_it_waits_for_what_was_cancelled_before(self, storage: Storage) -> None:
        pool = HeldPool()
        packer = Packer(pool, storage)
        (work,) = started(packer)
        work.cancel()
        failure_of(work)
        stopped = Deferred.fromCoroutine(packer.stop())
        assert not stopped.called
        pool.held[0][0].errback(ShuttingDown())
        assert stopped.called

    def test_a_storage_that_says_nothing_does_not_hold_it_up(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def publish(staged: Staged, digest: Digest, size: int) -> None:
            await Deferred[None]()

        monkeypatch.setattr(Staged, "publish", publish)
        packer = Packer(Inline(), storage)
        works = started(packer, 2)
        assert Deferred.fromCoroutine(packer.stop()).called
        assert [failure_of(work) for work in works] == [ShuttingDown] * 2
        assert storage.done == ["stage", "stage", "abandon", "abandon"]

    def test_what_waits_for_its_turn_or_comes_later_is_refused(self, storage: Storage) -> None:
        pool = HeldPool()
        packer = Packer(pool, storage, at_once=1)
        first, second = started(packer, 2)
        stopped = Deferred.fromCoroutine(packer.stop())
        (third,) = started(packer)
        pool.held[0][0].errback(ShuttingDown())
        assert [failure_of(work) for work in (first, second, third)] == [ShuttingDown] * 3
        assert stopped.called
        assert storage.done == ["stage", "abandon"]


class Watched(Own):
    def __init__(self) -> None:
        self.told: list[str] = []

    def get_ready(self) -> None:
        self.told.append("get ready")

    def end(self) -> None:
        self.told.append("end")


@pytest_twisted.ensureDeferred
async def test_hands_get_ready_and_end_with_the_packer(storage: Storage) -> None:
    hands = Watched()
    packer = Packer(Inline(), storage, hands=hands)
    packer.get_ready()
    await packer.stop()
    assert hands.told == ["get ready", "end"]
