import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from nixery.images.graph import StorePath

NewObject = Callable[[str], StorePath]


@pytest.fixture
def new_object(tmp_path: Path) -> NewObject:
    """Makes paths of store objects in a store of the test's own; nothing is there yet."""
    store = tmp_path / "store"
    store.mkdir()

    def make(name: str) -> StorePath:
        digest = re.sub("[^0-9a-z]|[eotu]", "0", name)[:32].ljust(32, "0")
        return StorePath.parse(os.fspath(store / f"{digest}-{name}"))

    return make
