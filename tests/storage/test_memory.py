import pytest

from nixery.storage.interfaces import IStorage
from nixery.storage.memory import MemoryStorage
from tests.storage.contract import StorageContract


class TestMemory(StorageContract):
    @pytest.fixture
    def storage(self) -> IStorage:
        return MemoryStorage()
