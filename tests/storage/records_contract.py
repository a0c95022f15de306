"""What every storage must do with records; part of StorageContract."""

from collections.abc import Coroutine, Iterable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from nixery.storage.interfaces import IStorage


def at_once(works: Iterable[Coroutine[Any, Any, bool]]) -> Deferred[list[bool]]:
    """The outcomes of pieces of work that run side by side."""
    return gatherResults([Deferred.fromCoroutine(work) for work in works])


class RecordsContract:
    @pytest_twisted.ensureDeferred
    async def test_a_record_is_created_once(self, storage: IStorage) -> None:
        assert await storage.read_record("v1/images/abc") is None
        assert await storage.create_record("v1/images/abc", b"first")
        assert not await storage.create_record("v1/images/abc", b"second")
        data = await storage.read_record("v1/images/abc")
        assert data is not None
        assert not await storage.create_record("v1/images/abc", data)
        assert await storage.read_record("v1/images/abc") == b"first"

    @pytest_twisted.ensureDeferred
    async def test_as_many_records_as_are_worth_it_are_read_side_by_side(self, storage: IStorage) -> None:
        assert storage.abreast >= 1
        await storage.create_record("v1/images/abc", b"first")
        reads = [Deferred.fromCoroutine(storage.read_record("v1/images/abc")) for _ in range(storage.abreast)]
        assert await gatherResults(reads) == [b"first"] * storage.abreast

    @pytest_twisted.ensureDeferred
    async def test_a_record_is_swapped_only_from_what_it_is(self, storage: IStorage) -> None:
        assert not await storage.swap_record("v1/tags/abc", b"", b"new")
        await storage.create_record("v1/tags/abc", b"one")
        assert not await storage.swap_record("v1/tags/abc", b"two", b"three")
        assert await storage.swap_record("v1/tags/abc", b"one", b"two")
        assert await storage.read_record("v1/tags/abc") == b"two"

    @pytest_twisted.ensureDeferred
    async def test_a_record_is_removed_only_while_it_is_what_it_is(self, storage: IStorage) -> None:
        assert not await storage.remove_record("v1/leases/abc", b"one")
        await storage.create_record("v1/leases/abc", b"one")
        assert not await storage.remove_record("v1/leases/abc", b"two")
        assert await storage.read_record("v1/leases/abc") == b"one"
        assert await storage.remove_record("v1/leases/abc", b"one")
        assert await storage.read_record("v1/leases/abc") is None
        assert await storage.create_record("v1/leases/abc", b"three")

    @pytest_twisted.ensureDeferred
    async def test_of_twenty_rivals_one_creates_and_one_swaps(self, storage: IStorage) -> None:
        created = await at_once(storage.create_record("v1/leases/x", b"%d" % n) for n in range(20))
        assert created.count(True) == 1
        old = await storage.read_record("v1/leases/x")
        assert old is not None
        swapped = await at_once(storage.swap_record("v1/leases/x", old, b"new %d" % n) for n in range(20))
        assert swapped.count(True) == 1

    @pytest_twisted.ensureDeferred
    async def test_the_records_of_a_folder_are_listed_in_pages_in_their_order(self, storage: IStorage) -> None:
        assert await storage.list_records("v1/names", "", 5) == []
        for word in ("b", "a.b", "c", "a", "a:b"):
            await storage.create_record(f"v1/names/{word}", b"")
        assert await storage.list_records("v1/names", "", 5) == ["a", "a.b", "a:b", "b", "c"]
        assert await storage.list_records("v1/names", "", 2) == ["a", "a.b"]
        assert await storage.list_records("v1/names", "a.b", 2) == ["a:b", "b"]
        assert await storage.list_records("v1/names", "b", 2) == ["c"]
        assert await storage.list_records("v1/names", "c", 2) == []
        assert await storage.list_records("v1/names", "", 0) == []

    @pytest_twisted.ensureDeferred
    async def test_only_the_records_right_in_a_folder_are_listed(self, storage: IStorage) -> None:
        for name in ("v1/names/a", "v1/names/b/c", "v1/namesake/d", "v1/tags/e"):
            await storage.create_record(name, b"one")
        await storage.swap_record("v1/names/a", b"one", b"two")
        assert await storage.list_records("v1/names", "", 9) == ["a"]
        assert await storage.list_records("v1/names/b", "", 9) == ["c"]

    @pytest.mark.parametrize("name", ["", "v1", "v1/../x", "/v1/x", "v1//x", "v1/x/", "v1/X", "layers/x", "v1/a\n"])
    @pytest_twisted.ensureDeferred
    async def test_a_name_that_could_lead_elsewhere_is_refused(self, storage: IStorage, name: str) -> None:
        with pytest.raises(ValueError, match="not a record's name"):
            await storage.read_record(name)
        with pytest.raises(ValueError, match="not a record's name"):
            await storage.create_record(name, b"")
        with pytest.raises(ValueError, match="not a record's name"):
            await storage.swap_record(name, b"", b"")
        with pytest.raises(ValueError, match="not a record's name"):
            await storage.remove_record(name, b"")
        with pytest.raises(ValueError, match="not a record's name"):
            await storage.list_records(name, "", 1)
