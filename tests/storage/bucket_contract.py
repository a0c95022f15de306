"""What every bucket must do: the cases that each backend's tests run. Used by subclassing BucketContract.

A subclass has a fixture `bucket`, which may be one bucket for all of its tests.
"""

import random
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.error import HTTPError

import pytest

from nixery.images.digest import Digest
from nixery.storage.bucket import SMALL, Bucket, BucketError, Object

RIVALS = 20


def file_of(folder: Path, data: bytes) -> tuple[str, Digest]:
    """A file to upload, and its digest."""
    path = folder / Digest.of(data).hex
    path.write_bytes(data)
    return str(path), Digest.of(data)


def noise(size: int) -> bytes:
    """Bytes, the same each time, no part of which is like another."""
    return random.Random(size).randbytes(size)


def version_of(bucket: Bucket, key: str) -> str:
    found = bucket.look(key)
    assert found is not None
    return found.version


def written(bucket: Bucket, key: str, data: bytes) -> str:
    """The version of an object that is made now."""
    assert bucket.write(key, data, None)
    return version_of(bucket, key)


def fetched(url: str, **headers: str) -> tuple[int, bytes]:
    """A plain GET: status and body."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        return answer.status, answer.read()


def listed_in(bucket: Bucket, folder: str, after: str, most: int) -> list[tuple[str, int]]:
    return list(bucket.list(folder, after, most))


def at_once(work: Callable[[int], bool]) -> list[bool]:
    """What the rivals get, each in a thread of its own."""
    with ThreadPoolExecutor(RIVALS) as threads:
        return list(threads.map(work, range(RIVALS)))


class BucketContract:
    large = (32 << 20) + 1
    """Bytes of a file that is uploaded in parts."""

    @pytest.fixture
    def place(self) -> str:
        """A folder that no earlier test has used."""
        return uuid.uuid4().hex

    @pytest.fixture
    def key(self, place: str) -> str:
        return f"{place}/object"

    def test_what_is_missing_is_none(self, bucket: Bucket, place: str, key: str) -> None:
        version = written(bucket, f"{place}/other", b"other")
        assert bucket.look(key) is None
        assert bucket.read(key) is None
        assert bucket.read_part(key, version, 0, 1) is None

    def test_a_written_object_is_seen_whole(self, bucket: Bucket, key: str) -> None:
        assert bucket.write(key, b"record", None)
        found = bucket.look(key)
        assert found == Object(6, version_of(bucket, key), None)
        assert bucket.read(key) == (b"record", found.version)

    def test_an_empty_object_is_an_object(self, bucket: Bucket, key: str) -> None:
        version = written(bucket, key, b"")
        assert bucket.look(key) == Object(0, version, None)
        assert bucket.read(key) == (b"", version)

    def test_parts_are_read_by_offset_and_length(self, bucket: Bucket, key: str) -> None:
        version = written(bucket, key, b"0123456789")
        assert bucket.read_part(key, version, 0, 10) == b"0123456789"
        assert bucket.read_part(key, version, 0, 1) == b"0"
        assert bucket.read_part(key, version, 3, 4) == b"3456"
        assert bucket.read_part(key, version, 9, 1) == b"9"

    def test_a_part_of_a_version_that_has_gone_is_none(self, bucket: Bucket, key: str) -> None:
        first = written(bucket, key, b"first")
        assert bucket.write(key, b"other", first)
        assert bucket.read_part(key, first, 0, 5) is None
        assert bucket.read_part(key, version_of(bucket, key), 0, 5) == b"other"

    def test_the_largest_small_object_is_read_and_one_byte_more_is_not(
        self, bucket: Bucket, key: str, tmp_path: Path
    ) -> None:
        data = noise(SMALL)
        version = written(bucket, key, data)
        assert bucket.read(key) == (data, version)
        assert bucket.upload(key, *file_of(tmp_path, data + b"."), version)
        with pytest.raises(BucketError) as caught:
            bucket.read(key)
        assert not caught.value.passing

    def test_what_is_there_is_not_created_again(self, bucket: Bucket, key: str) -> None:
        version = written(bucket, key, b"first")
        assert not bucket.write(key, b"second", None)
        assert not bucket.write(key, b"first", None)
        assert bucket.read(key) == (b"first", version)

    def test_an_object_is_replaced_only_from_its_version(self, bucket: Bucket, key: str) -> None:
        first = written(bucket, key, b"first")
        assert bucket.write(key, b"second", first)
        second = version_of(bucket, key)
        assert second != first
        assert not bucket.write(key, b"third", first)
        assert bucket.read(key) == (b"second", second)

    def test_nothing_is_replaced_where_nothing_is(self, bucket: Bucket, place: str, key: str, tmp_path: Path) -> None:
        version = written(bucket, f"{place}/other", b"other")
        assert not bucket.write(key, b"new", version)
        assert not bucket.upload(key, *file_of(tmp_path, b"new"), version)
        assert bucket.look(key) is None

    def test_of_many_rivals_one_creates(self, bucket: Bucket, key: str) -> None:
        wrote = at_once(lambda number: bucket.write(key, b"%d" % number, None))
        assert wrote.count(True) == 1
        assert bucket.read(key) == (b"%d" % wrote.index(True), version_of(bucket, key))

    def test_of_many_rivals_one_replaces(self, bucket: Bucket, key: str) -> None:
        old = written(bucket, key, b"old")
        wrote = at_once(lambda number: bucket.write(key, b"%d" % number, old))
        assert wrote.count(True) == 1
        assert bucket.read(key) == (b"%d" % wrote.index(True), version_of(bucket, key))

    @pytest.mark.parametrize("size", [0, 1, 100_000])
    def test_a_file_is_uploaded_and_vouched_for(self, bucket: Bucket, key: str, tmp_path: Path, size: int) -> None:
        path, digest = file_of(tmp_path, noise(size))
        assert bucket.upload(key, path, digest, None)
        found = bucket.look(key)
        assert found == Object(size, version_of(bucket, key), digest.hex)
        assert bucket.read(key) == (noise(size), found.version)

    def test_a_large_file_is_uploaded_and_read_in_parts(self, bucket: Bucket, key: str, tmp_path: Path) -> None:
        data = noise(self.large)
        path, digest = file_of(tmp_path, data)
        assert bucket.upload(key, path, digest, None)
        found = bucket.look(key)
        assert found == Object(self.large, version_of(bucket, key), digest.hex)
        middle = self.large // 2
        assert bucket.read_part(key, found.version, middle - 10, 20) == data[middle - 10 : middle + 10]
        assert bucket.read_part(key, found.version, self.large - 1, 1) == data[-1:]
        assert Digest.of(fetched(bucket.link(key))[1]) == digest

    @pytest.mark.parametrize("large", [False, True])
    def test_an_upload_replaces_only_the_version_that_it_names(
        self, bucket: Bucket, key: str, tmp_path: Path, large: bool
    ) -> None:
        path, digest = file_of(tmp_path, noise(self.large if large else 1000))
        first = written(bucket, key, b"first")
        assert not bucket.upload(key, path, digest, None)
        assert bucket.read(key) == (b"first", first)
        assert bucket.write(key, b"second", first)
        second = version_of(bucket, key)
        assert not bucket.upload(key, path, digest, first)
        assert bucket.read(key) == (b"second", second)
        assert bucket.upload(key, path, digest, second)
        found = bucket.look(key)
        assert found is not None
        assert found.vouched == digest.hex
        assert not bucket.upload(key, path, digest, None)

    def test_of_many_rivals_one_uploads(self, bucket: Bucket, key: str, tmp_path: Path) -> None:
        files = [file_of(tmp_path, noise(number)) for number in range(RIVALS)]
        wrote = at_once(lambda number: bucket.upload(key, *files[number], None))
        assert wrote.count(True) == 1
        found = bucket.look(key)
        assert found is not None
        assert found.vouched == files[wrote.index(True)][1].hex

    def test_a_checked_object_is_vouched_for_and_stays_as_it_is(self, bucket: Bucket, key: str) -> None:
        version = written(bucket, key, b"layer")
        bucket.vouch(key, version, Digest.of(b"layer"))
        found = bucket.look(key)
        assert found is not None
        assert (found.size, found.vouched) == (5, Digest.of(b"layer").hex)
        assert bucket.read(key) == (b"layer", found.version)

    def test_what_is_written_over_an_object_is_not_vouched_for(self, bucket: Bucket, key: str, tmp_path: Path) -> None:
        assert bucket.upload(key, *file_of(tmp_path, b"layer"), None)
        assert bucket.write(key, b"other", version_of(bucket, key))
        found = bucket.look(key)
        assert found is not None
        assert found.vouched is None

    def test_another_version_is_not_vouched_for(self, bucket: Bucket, key: str) -> None:
        first = written(bucket, key, b"first")
        assert bucket.write(key, b"second", first)
        bucket.vouch(key, first, Digest.of(b"first"))
        assert bucket.look(key) == Object(6, version_of(bucket, key), None)
        assert bucket.read(key) == (b"second", version_of(bucket, key))

    def test_nothing_comes_of_vouching_for_what_is_missing(self, bucket: Bucket, place: str, key: str) -> None:
        version = written(bucket, f"{place}/other", b"other")
        bucket.vouch(key, version, Digest.of(b"other"))
        assert bucket.look(key) is None

    def test_an_empty_folder_lists_nothing(self, bucket: Bucket, place: str) -> None:
        assert listed_in(bucket, place, "", 5) == []

    def test_a_folder_is_listed_in_pages_in_the_order_of_bytes(self, bucket: Bucket, place: str) -> None:
        for size, word in enumerate(("b", "a.b", "c", "a", "a:b", "a-b")):
            assert bucket.write(f"{place}/{word}", b"." * size, None)
        listed = partial(listed_in, bucket, place)
        assert listed("", 9) == [("a", 3), ("a-b", 5), ("a.b", 1), ("a:b", 4), ("b", 0), ("c", 2)]
        assert listed("", 2) == [("a", 3), ("a-b", 5)]
        assert listed("a-b", 3) == [("a.b", 1), ("a:b", 4), ("b", 0)]
        assert listed("a/", 1) == [("a:b", 4)]
        assert listed("b", 2) == [("c", 2)]
        assert listed("c", 2) == []
        assert listed("", 0) == []

    def test_only_what_is_right_in_a_folder_is_listed(self, bucket: Bucket, place: str) -> None:
        for word in ("a", "b/x", "b/y", "c/x", "d", "e/x", "f/g/h", "i"):
            assert bucket.write(f"{place}/{word}", b"", None)
        assert bucket.write(f"{place}x/y", b"", None)
        assert listed_in(bucket, place, "", 9) == [("a", 0), ("d", 0), ("i", 0)]
        assert listed_in(bucket, place, "", 2) == [("a", 0), ("d", 0)]
        assert listed_in(bucket, place, "d", 2) == [("i", 0)]
        assert listed_in(bucket, f"{place}/b", "", 9) == [("x", 0), ("y", 0)]

    def test_a_page_is_as_long_as_was_asked_for(self, bucket: Bucket, place: str) -> None:
        words = [f"{number:04}" for number in range(1100)]
        with ThreadPoolExecutor(RIVALS) as threads:
            assert all(threads.map(lambda word: bucket.write(f"{place}/{word}", b"", None), words))
        assert listed_in(bucket, place, "", 1050) == [(word, 0) for word in words[:1050]]
        assert listed_in(bucket, place, "1049", 1050) == [(word, 0) for word in words[1050:]]

    def test_a_link_is_fetched_without_more(self, bucket: Bucket, key: str, tmp_path: Path) -> None:
        assert bucket.upload(key, *file_of(tmp_path, b"0123456789"), None)
        assert fetched(bucket.link(key)) == (200, b"0123456789")
        assert fetched(bucket.link(key), Range="bytes=3-6") == (206, b"3456")
        assert fetched(bucket.link(key), Range="bytes=3-") == (206, b"3456789")

    def test_a_link_to_what_is_missing_is_not_found(self, bucket: Bucket, key: str) -> None:
        with pytest.raises(HTTPError) as caught:
            fetched(bucket.link(key))
        with caught.value:
            assert caught.value.code == 404
