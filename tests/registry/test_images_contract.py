"""The fake images of these tests are such as the registry asks for."""

import pytest

from nixery.errors import NixeryError
from nixery.images.name import Platform
from tests.registry.images_contract import ImagesContract, Maker
from tests.registry.wire import FakeImages


class Fake:
    def __init__(self, *platforms: Platform) -> None:
        self.platforms = platforms
        self.images = FakeImages()
        self.images.platforms = platforms

    def fail(self, error: NixeryError | None) -> None:
        self.images.error = error


class TestFakeImages(ImagesContract):
    @pytest.fixture
    def maker(self) -> Maker:
        return Fake(Platform.AMD64)


class TestFakeIndexes(ImagesContract):
    @pytest.fixture
    def maker(self) -> Maker:
        return Fake(Platform.AMD64, Platform.ARM64)
