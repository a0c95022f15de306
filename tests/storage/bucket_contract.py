"""What every bucket must do: the cases that each backend's tests run. Used by subclassing BucketContract.

A subclass has a fixture `bucket`, which may be one bucket for all of its tests.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from nixery.storage.bucket import SMALL, Bucket, BucketError, Object
from tests.storage.bucket_steps import RIVALS, at_once, file_of, listed_in, noise, version_of, written
from tests.storage.upload_contract import UploadContract

__all__ = ["BucketContract", "file_of", "noise"]


class BucketContract(UploadContract):
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
        assert bucket.read_part(key, version, 0, 0) == b""

    def test_parts_are_read_by_offset_and_length(self, bucket: Bucket, key: str) -> None:
        version = written(bucket, key, b"0123456789")
        assert bucket.read_part(key, version, 0, 10) == b"0123456789"
        assert bucket.read_part(key, version, 0, 1) == b"0"
        assert bucket.read_part(key, version, 3, 4) == b"3456"
        assert bucket.read_part(key, version, 9, 1) == b"9"
        assert bucket.read_part(key, version, 9, 0) == b""

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

    def test_an_object_is_removed_and_may_be_created_again(self, bucket: Bucket, key: str) -> None:
        assert bucket.remove(key, written(bucket, key, b"first"))
        assert bucket.look(key) is None
        assert not bucket.remove(key, written(bucket, f"{key}-other", b"other"))
        assert bucket.write(key, b"second", None)

    def test_another_version_is_not_removed(self, bucket: Bucket, key: str) -> None:
        first = written(bucket, key, b"first")
        assert bucket.write(key, b"second", first)
        assert not bucket.remove(key, first)
        assert bucket.read(key) == (b"second", version_of(bucket, key))

    def test_of_many_rivals_one_creates(self, bucket: Bucket, key: str) -> None:
        wrote = at_once(lambda number: bucket.write(key, b"%d" % number, None))
        assert wrote.count(True) == 1
        assert bucket.read(key) == (b"%d" % wrote.index(True), version_of(bucket, key))

    def test_of_many_rivals_one_replaces(self, bucket: Bucket, key: str) -> None:
        old = written(bucket, key, b"old")
        wrote = at_once(lambda number: bucket.write(key, b"%d" % number, old))
        assert wrote.count(True) == 1
        assert bucket.read(key) == (b"%d" % wrote.index(True), version_of(bucket, key))

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
