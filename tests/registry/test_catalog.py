"""Listing repositories, as distribution's registry API has it."""

import json
from collections.abc import Collection, Sequence

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from nixery.errors import BuildFailed, StorageUnavailable
from nixery.images.digest import Digest
from nixery.images.name import ImageName
from nixery.registry import catalog
from nixery.registry.catalog import Catalog
from nixery.storage.memory import MemoryStorage
from tests.registry.wire import World
from tests.storage.slow import SlowToRead


def opened() -> World:
    world = World()
    world.catalog = Catalog(world.storage)
    return world


def listed(world: World, query: str = "") -> list[str]:
    reply = world.ask(f"/v2/_catalog{query}")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    return list(json.loads(reply.body)["repositories"])


def test_there_is_none_unless_it_is_asked_for() -> None:
    world = World()
    world.ask("/v2/git/manifests/latest")
    reply = world.ask("/v2/_catalog")
    assert (reply.status, json.loads(reply.body)["errors"][0]["code"]) == (404, "NAME_UNKNOWN")
    assert world.storage.records == {}


def test_names_are_listed_once_an_image_was_had_under_them() -> None:
    world = opened()
    assert listed(world) == []
    for name, method in (("shell/git", "GET"), ("arm64/htop", "HEAD"), ("shell/git", "GET"), ("git/shell", "GET")):
        assert world.ask(f"/v2/{name}/manifests/latest", method).status == 200
    assert listed(world) == ["arm64/htop", "git/shell", "shell/git"]


def test_a_name_without_an_image_is_not_listed() -> None:
    world = opened()
    world.images.error = BuildFailed("no")
    world.ask("/v2/git/manifests/latest")
    world.ask(f"/v2/htop/manifests/{Digest.of(b'absent')}")
    world.ask(f"/v2/htop/blobs/{Digest.of(b'absent')}")
    assert listed(world) == []


def test_names_outlive_the_daemon_and_are_shared() -> None:
    world = opened()
    world.ask("/v2/git/manifests/latest")
    world.catalog = Catalog(world.storage)
    assert listed(world) == ["git"]
    other = Catalog(world.storage)
    world.ask("/v2/htop/manifests/latest")
    world.catalog = other
    assert listed(world) == ["git", "htop"]


def test_pages_follow_one_another_by_their_links() -> None:
    world = opened()
    for name in ("a/b", "c", "d/e/f", "g"):
        world.ask(f"/v2/{name}/manifests/latest")
    assert listed(world, "?n=2&last=a/b") == ["c", "d/e/f"]
    link = world.ask("/v2/_catalog?n=3").headers["Link"]
    assert link == '</v2/_catalog?n=3&last=d/e/f>; rel="next"'
    assert listed(world, "?n=3&last=d/e/f") == ["g"]
    assert "Link" not in world.ask("/v2/_catalog?n=3&last=d/e/f").headers
    assert world.ask("/v2/_catalog?n=x").status == 400


class Full(MemoryStorage):
    async def create_record(self, name: str, data: bytes) -> bool:
        raise StorageUnavailable("no space left")


def test_a_storage_that_cannot_keep_a_name_harms_no_pull() -> None:
    world = World()
    world.catalog = Catalog(Full())
    assert world.ask("/v2/git/manifests/latest").status == 200


@pytest_twisted.ensureDeferred
async def test_no_more_names_are_kept_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "MOST", 3)
    storage = MemoryStorage()
    for text in ("a", "b", "c", "d"):
        await Catalog(storage).add(ImageName.parse(text))
    assert len(storage.records) == 3
    assert sorted(await Catalog(storage).names()) == ["a", "b", "c"]


async def add(names: Catalog, count: int) -> None:
    """Keep so many names, one after the other."""
    for number in range(count):
        await names.add(ImageName.parse(f"package-{number}"))


@pytest_twisted.ensureDeferred
async def test_names_are_not_counted_for_each_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "MOST", 200)
    storage = Counting()
    await add(Catalog(storage), 300)
    assert len(storage.records) == 200
    assert storage.calls.count("list") < 50


class Slow(MemoryStorage):
    """Writes records when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Deferred[None]] = []

    async def create_record(self, name: str, data: bytes) -> bool:
        asked: Deferred[None] = Deferred()
        self.asked.append(asked)
        await asked
        return await super().create_record(name, data)


def test_names_that_come_together_are_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "MOST", 100)
    storage = Slow()
    slow = Catalog(storage)
    for some in range(20):
        for number in range(20):
            Deferred.fromCoroutine(slow.add(ImageName.parse(f"package-{some}-{number}")))
        while storage.asked:
            storage.asked.pop().callback(None)
    assert 100 <= len(storage.records) <= 100 + 20


class Unsure(MemoryStorage):
    async def create_record(self, name: str, data: bytes) -> bool:
        await super().create_record(name, data)
        raise StorageUnavailable("no answer came in time")


@pytest_twisted.ensureDeferred
async def test_names_kept_without_our_hearing_of_it_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "MOST", 20)
    storage = Unsure()
    await add(Catalog(storage), 40)
    assert len(storage.records) == 20


@pytest_twisted.ensureDeferred
async def test_a_damaged_record_is_passed_over() -> None:
    storage = MemoryStorage()
    await Catalog(storage).add(ImageName.parse("git"))
    await storage.create_record(f"v1/names/{Digest.of(b'htop').hex}", b"hto\xff")
    assert list(await Catalog(storage).names()) == ["git"]


class Counting(MemoryStorage):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    async def create_record(self, name: str, data: bytes) -> bool:
        self.calls.append("create")
        return await super().create_record(name, data)

    async def read_record(self, name: str) -> bytes | None:
        self.calls.append("read")
        return await super().read_record(name)

    async def list_records(self, folder: str, after: str, most: int) -> Sequence[str]:
        self.calls.append("list")
        return await super().list_records(folder, after, most)


@pytest_twisted.ensureDeferred
async def test_each_record_is_written_or_read_once() -> None:
    storage, git = Counting(), ImageName.parse("git")
    first, second = Catalog(storage), Catalog(storage)
    await first.add(git)
    for one in (first, second) * 2:
        assert list(await one.names()) == ["git"]
        await one.add(git)
    assert [call for call in storage.calls if call != "list"] == ["create", "read"]


def test_as_many_records_are_read_at_once_as_the_storage_takes() -> None:
    storage = SlowToRead()
    Deferred.fromCoroutine(add(Catalog(storage), 5))
    named: list[Collection[str]] = []
    Deferred.fromCoroutine(Catalog(storage).names()).addCallback(named.append)
    for number in range(5):
        assert len(storage.asked) == min(3 + number, 5)
        storage.asked[number].callback(None)
    assert len(named[0]) == 5


def test_records_are_read_once_for_however_many_ask() -> None:
    storage = SlowToRead()
    Deferred.fromCoroutine(add(Catalog(storage), 5))
    catalog, named = Catalog(storage), list[Collection[str]]()
    first, *others = [Deferred.fromCoroutine(catalog.names()) for _ in range(3)]
    first.addErrback(lambda gone: None)
    first.cancel()
    for other in others:
        other.addCallback(named.append)
    for number in range(5):
        assert len(storage.asked) == min(3 + number, 5)
        storage.asked[number].callback(None)
    assert [len(names) for names in named] == [5, 5]


def test_what_others_kept_is_listed_where_nothing_is_added() -> None:
    world = opened()
    world.ask("/v2/git/manifests/latest")
    reading = World()
    reading.storage.records.update(world.storage.records)
    reading.catalog = Catalog(reading.storage, grows=False)
    assert reading.ask("/v2/htop/manifests/latest").status == 200
    assert listed(reading) == ["git"]
    assert reading.storage.records == world.storage.records
