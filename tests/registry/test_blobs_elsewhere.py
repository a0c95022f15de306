"""Blobs that we read elsewhere and pass on."""

import pytest
from attrs import define, field

from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.registry.contents import PIECE
from nixery.storage.interfaces import Remote
from tests.registry.wire import World

DATA = bytes(i * i % 251 for i in range(8 * PIECE + 9))
DIGEST = Digest.of(DATA)
PATH = f"/v2/git/blobs/{DIGEST}"
ERROR = "the bucket says no"


@define
class Bucket:
    """Where the blob is. `reads`: offsets and lengths; `good`: how many reads there are until they fail."""

    reads: list[tuple[int, int]] = field(factory=list)
    good: int = 100

    async def read(self, offset: int, length: int) -> bytes:
        if len(self.reads) >= self.good:
            raise StorageUnavailable(ERROR)
        self.reads.append((offset, length))
        return DATA[offset : offset + length]


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def world(bucket: Bucket) -> World:
    world = World()
    world.storage.places[DIGEST] = Remote(len(DATA), bucket.read)
    return world


def test_one_goes_out_whole_each_byte_of_it_read_once(world: World, bucket: Bucket) -> None:
    reply = world.ask(PATH)
    assert (reply.status, reply.body) == (200, DATA)
    assert [offset for offset, _ in bucket.reads] == [sum(n for _, n in bucket.reads[:i]) for i in range(3)]
    assert sum(length for _, length in bucket.reads) == len(DATA)


def test_a_part_of_one_is_all_that_is_read_of_it(world: World, bucket: Bucket) -> None:
    reply = world.ask(PATH, Range="bytes=5-14")
    assert (reply.status, reply.body, bucket.reads) == (206, DATA[5:15], [(5, 10)])


def test_an_empty_one_and_head_read_nothing(world: World, bucket: Bucket) -> None:
    assert world.ask(PATH, "HEAD").headers["Content-Length"] == str(len(DATA))
    world.storage.places[DIGEST] = Remote(0, bucket.read)
    assert (world.ask(PATH).status, bucket.reads) == (200, [])


def test_one_that_cannot_be_had_is_an_error_and_not_a_broken_connection(
    world: World, bucket: Bucket, failures: list[BaseException]
) -> None:
    bucket.good = 0
    reply = world.ask(PATH)
    assert reply.status == 503
    assert b"UNAVAILABLE" in reply.body
    assert "Retry-After" in reply.headers
    failures.append(OSError(5, ERROR))


def test_one_that_breaks_off_breaks_the_connection(world: World, bucket: Bucket, failures: list[BaseException]) -> None:
    bucket.good = 1
    wire = world.wire(PATH)
    assert wire.transport.disconnected
    wire.lose()
    failures.append(OSError(5, ERROR))
