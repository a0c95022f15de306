"""Backends by name: those there are, and what is said of those that cannot be."""

import sys
from pathlib import Path

import pytest

from nixery.errors import ConfigError
from nixery.storage.backend import Backend, backend_named
from nixery.storage.memory import MemoryStorage
from tests.storage.places import surroundings


def test_a_backend_is_imported_when_it_makes_a_storage(tmp_path: Path) -> None:
    backend = backend_named("memory")
    assert isinstance(backend.make({"NIXERY_MEMORY_LIMIT": "1"}, surroundings(tmp_path)), MemoryStorage)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="'tape'; it may be one of: filesystem, gcs, memory, s3$"):
        backend_named("tape")


def test_a_missing_package_is_named_with_what_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("nixery.storage.s3")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ConfigError, match=r"not here: boto3; pip install 'nixery\[s3\]' brings it"):
        backend_named("s3").make({}, surroundings(tmp_path))


def test_a_missing_package_of_anothers_backend_is_named_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_tape.py").write_text("import a_drive")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="not here: a_drive$"):
        Backend("tape", "a_tape.make").make({}, surroundings(tmp_path))
