import pytest_twisted
from attrs import evolve

from nixery.auditing.statistics import Counting, Statistics
from tests.auditing.world import Stored


async def counted(stored: Stored) -> Statistics:
    def nowhere(done: int, total: int) -> None:
        """No progress."""

    return await Counting(stored.storage, nowhere, nowhere).run()


@pytest_twisted.ensureDeferred
async def test_an_empty_storage() -> None:
    assert await counted(Stored()) == Statistics(*[0] * 9)


@pytest_twisted.ensureDeferred
async def test_what_a_builder_leaves_is_counted() -> None:
    stored = await Stored().fill()
    for name in ("v1/tags/a.b.any", "v1/tags/a.b.c", "v1/tags/a.c.any", "v1/pins/a.b", "v1/names/a", "v1/names/b"):
        await stored.storage.create_record(name, b"{}")
    found = await counted(stored)
    each = [sum(image.blobs().values()) for image in stored.images]
    held = sum(map(len, stored.storage.blobs.values()))
    assert found == Statistics(
        blobs=12,
        blob_bytes=held,
        layers=2,
        images=2,
        image_bytes=sum(each),
        indexes=1,
        tags=2,
        pins=1,
        names=2,
    )


@pytest_twisted.ensureDeferred
async def test_shared_layers_save_bytes() -> None:
    stored = await Stored().fill()
    assert (await counted(stored)).saved_bytes == 0, "manifests of the index weigh more than the tiny shared layer"
    big = stored.blob(b"x" * 100_000)
    layer = evolve(stored.images[0].layers[0], digest=big, size=100_000, zstd=None)
    for image in stored.images[:2]:
        await stored.image(evolve(image, layers=(layer,)))
    assert (await counted(stored)).saved_bytes > 90_000


@pytest_twisted.ensureDeferred
async def test_records_that_are_none_are_not_counted_as_images() -> None:
    stored = await Stored().fill()
    await stored.storage.create_record("v1/images/odd", b"{")
    await stored.storage.create_record("v1/indexes/odd", b"{")
    found = await counted(stored)
    assert (found.images, found.indexes) == (2, 1)
