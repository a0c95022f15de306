"""What the registry asks of whoever makes the images: the cases that the real ones and the fake both pass.

Used by subclassing ImagesContract, so that what the fake says of the registry holds of the daemon.
"""

from typing import Protocol

import pytest
import pytest_twisted

from nixery.errors import BuildFailed, ManifestUnknown, NixeryError
from nixery.images.digest import Digest
from nixery.images.index import IndexFormat, Rendered
from nixery.images.manifest import Format, ImageRecord
from nixery.images.name import ImageName, Platform, Tag, parse_reference
from nixery.images.source import PinnedSource
from nixery.registry.interfaces import Images

HELLO, SHELL, LATEST = ImageName.parse("hello"), ImageName.parse("shell/hello"), Tag("latest")


class Maker(Protocol):
    """Images, and a way to have them fail. `platforms`: of names that leave it open."""

    platforms: tuple[Platform, ...]

    @property
    def images(self) -> Images:
        """What is tested."""

    def fail(self, error: NixeryError | None) -> None:
        """Have every build from now on end like that; None: well."""


def manifests(rendered: Rendered) -> list[bytes]:
    """All that a client of any kind may ask for by its digest."""
    if isinstance(rendered, ImageRecord):
        return [rendered.manifest(format) for format in Format]
    children = [manifest for image in rendered.images for manifest in manifests(image)]
    return [*children, *(rendered.manifest(format) for format in IndexFormat)]


class ImagesContract:
    @pytest_twisted.ensureDeferred
    async def test_the_manifests_of_an_image_are_had_by_their_digests(self, maker: Maker) -> None:
        for name in (HELLO, SHELL):
            for manifest in manifests((await maker.images.by_tag(name, LATEST)).rendered):
                assert await maker.images.by_digest(Digest.of(manifest)) == manifest

    @pytest_twisted.ensureDeferred
    async def test_a_name_is_an_image_or_an_index_of_one_for_each_platform(self, maker: Maker) -> None:
        rendered = (await maker.images.by_tag(HELLO, LATEST)).rendered
        images = (rendered,) if isinstance(rendered, ImageRecord) else rendered.images
        assert tuple(image.platform for image in images) == maker.platforms
        assert isinstance(rendered, ImageRecord) == (len(maker.platforms) == 1)

    @pytest_twisted.ensureDeferred
    async def test_a_prefix_names_the_image_of_one_platform(self, maker: Maker) -> None:
        rendered = (await maker.images.by_tag(HELLO, LATEST)).rendered
        images = (rendered,) if isinstance(rendered, ImageRecord) else rendered.images
        for platform in Platform:
            image = (await maker.images.by_tag(ImageName.parse(f"{platform.value}/hello"), LATEST)).rendered
            assert isinstance(image, ImageRecord)
            assert image.platform is platform
            assert (image in images) == (platform in maker.platforms)

    @pytest_twisted.ensureDeferred
    async def test_the_same_image_is_asked_for_twice_and_is_the_same(self, maker: Maker) -> None:
        first = await maker.images.by_tag(HELLO, LATEST)
        assert await maker.images.by_tag(HELLO, LATEST) == first
        assert first.warning is None

    @pytest_twisted.ensureDeferred
    async def test_a_tag_means_the_state_that_it_was_served_from_and_no_other(self, maker: Maker) -> None:
        pinned = (await maker.images.by_tag(HELLO, LATEST)).pinned
        assert pinned is None or maker.images.means(LATEST, pinned)
        assert not maker.images.means(LATEST, PinnedSource("path", "another", "/set"))

    @pytest_twisted.ensureDeferred
    async def test_a_digest_of_nothing_is_unknown(self, maker: Maker) -> None:
        with pytest.raises(ManifestUnknown):
            await maker.images.by_digest(Digest.of(b"nothing"))

    @pytest_twisted.ensureDeferred
    async def test_a_manifest_that_no_one_has_asked_for_is_unknown(self, maker: Maker) -> None:
        served = await maker.images.by_tag(HELLO, LATEST)
        with pytest.raises(ManifestUnknown):
            await maker.images.by_digest(Digest.of(manifests(served.rendered)[0] + b" "))

    @pytest_twisted.ensureDeferred
    async def test_what_went_wrong_is_said_and_what_is_stored_stays(self, maker: Maker) -> None:
        manifest = manifests((await maker.images.by_tag(HELLO, LATEST)).rendered)[0]
        maker.fail(BuildFailed("the builder for it failed: no space left"))
        with pytest.raises(BuildFailed, match="no space left"):
            await maker.images.by_tag(ImageName.parse("git"), LATEST)
        assert await maker.images.by_digest(Digest.of(manifest)) == manifest

    @pytest_twisted.ensureDeferred
    async def test_a_failure_is_not_for_ever(self, maker: Maker) -> None:
        maker.fail(BuildFailed("no"))
        with pytest.raises(BuildFailed):
            await maker.images.by_tag(HELLO, LATEST)
        maker.fail(None)
        assert (await maker.images.by_tag(HELLO, LATEST)).rendered

    @pytest_twisted.ensureDeferred
    async def test_the_tags_listed_can_be_asked_for(self, maker: Maker) -> None:
        tags = await maker.images.tags()
        assert "latest" in tags
        for text in tags:
            tag = parse_reference(text)
            assert isinstance(tag, Tag)
            assert (await maker.images.by_tag(HELLO, tag)).rendered
