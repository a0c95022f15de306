"""What every bucket must do with files, and with objects that are vouched for: a part of BucketContract."""

import uuid
from pathlib import Path
from urllib.error import HTTPError

import pytest

from nixery.images.digest import Digest
from nixery.storage.bucket import Bucket, Object
from tests.storage.bucket_steps import RIVALS, at_once, fetched, file_of, noise, version_of, written


class UploadContract:
    large = (32 << 20) + 1
    """Bytes of a file that is uploaded in parts."""

    @pytest.fixture
    def place(self) -> str:
        """A folder that no earlier test has used."""
        return uuid.uuid4().hex

    @pytest.fixture
    def key(self, place: str) -> str:
        return f"{place}/object"

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
