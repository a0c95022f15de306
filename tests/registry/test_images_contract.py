"""The fake images of these tests are such as the registry asks for."""

import pytest

from nixery.errors import NixeryError
from tests.registry.images_contract import ImagesContract, Maker
from tests.registry.wire import FakeImages


class Fake:
    def __init__(self) -> None:
        self.images = FakeImages()

    def fail(self, error: NixeryError | None) -> None:
        self.images.error = error


class TestFakeImages(ImagesContract):
    @pytest.fixture
    def maker(self) -> Maker:
        return Fake()
