"""The images that are really built are such as the registry asks for."""

import pytest

from nixery.building.tags import Tags
from nixery.errors import NixeryError
from nixery.images.name import Platform
from tests.building.world import World
from tests.registry.images_contract import ImagesContract, Maker


class Real:
    def __init__(self, world: World) -> None:
        self._world = world
        self.platforms = world.platforms

    @property
    def images(self) -> Tags:
        return self._world.tags

    def fail(self, error: NixeryError | None) -> None:
        self._world.nix.fails = error


class TestTags(ImagesContract):
    @pytest.fixture
    def maker(self, world: World) -> Maker:
        return Real(world)


class TestIndexes(ImagesContract):
    @pytest.fixture
    def maker(self, moving: World) -> Maker:
        moving.platforms = (Platform.AMD64, Platform.ARM64)
        moving.tags = moving.restarted()
        return Real(moving)


class TestMovingTags(ImagesContract):
    @pytest.fixture
    def maker(self, moving: World) -> Maker:
        return Real(moving)
