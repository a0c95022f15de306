"""The floors of the house: who may import whom. See docs/architecture.md, The rooms."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "nixery"

# From the ground up. A module imports from its own room and from floors below it.
FLOORS = [
    {"errors"},
    {"values"},
    {"settings"},
    {"config"},
    {"images"},
    {"concurrency"},
    {"storage", "fetching"},
    {"sources", "nix", "packing", "debian", "popcount", "validating", "auditing"},
    {"building"},
    {"registry", "pages"},
    {"commands"},
    {"tap"},
]
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}

CONFIGURATION = {"config", "settings", "values"}
READERS = {"config", "settings", "commands", "tap"}

# All that pure code needs. posixpath is for paths as text.
PURE = {
    "attrs", "collections", "enum", "functools", "graphlib", "hashlib", "heapq", "itertools", "json", "posixpath", "re",
    "typing",
}  # fmt: skip


def imports(tree: ast.AST, module: str) -> Iterator[str]:
    """The modules that a module's source imports, in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def faults(source: str, module: str) -> list[str]:
    """What a module imports and may not."""
    room = module.split(".")[1]
    found = []
    for name in imports(ast.parse(source), module):
        parts = name.split(".")
        if parts[0] == "nixery" and len(parts) > 1:
            other = parts[1]
            if other in CONFIGURATION and room not in READERS:
                found.append(f"{module} imports {name}: only tap and commands read the configuration")
            elif other in FLOOR and other != room and FLOOR[other] >= FLOOR[room]:
                found.append(f"{module} imports {name}, which is not on a floor below it")
        elif room == "images" and parts[0] not in PURE:
            found.append(f"{module} imports {name}, which is not pure")
        if name.startswith("twisted.internet.reactor") and room != "tap":
            found.append(f"{module} imports the reactor: only tap does")
    return found


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = [PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts]
        if len(parts) > 1 and parts[1] not in ("__init__", "expressions"):
            yield ".".join(parts), path


def test_each_module_stands_on_a_floor() -> None:
    assert {module.split(".")[1] for module, _ in modules()} <= set(FLOOR)


def test_modules_import_only_from_floors_below() -> None:
    assert [fault for module, path in modules() for fault in faults(path.read_text(), module)] == []


@pytest.mark.parametrize("name", ["open", "print", "input", "exec", "eval", "__import__"])
def test_images_call_nothing_that_touches_the_world(name: str) -> None:
    for module, path in modules():
        if module.startswith("nixery.images."):
            called = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
            assert name not in {function.id for function in called if isinstance(function, ast.Name)}, module


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import twisted", "nixery.images.name"),
        ("import os.path", "nixery.images.name"),
        ("from pathlib import Path", "nixery.images.name"),
        ("def f():\n    import subprocess", "nixery.images.name"),
        ("from nixery.storage.interfaces import IStorage", "nixery.images.name"),
        ("from nixery import storage", "nixery.images.name"),
        ("from ..storage import interfaces", "nixery.images.name"),
        ("from nixery.packing.tar import Tar", "nixery.nix.build"),
        ("from nixery.nix.build import build", "nixery.packing.tar"),
        ("import nixery.registry.app", "nixery.building.builder"),
        ("from nixery.config import Config", "nixery.building.builder"),
        ("from twisted.internet import reactor", "nixery.registry.app"),
        ("from twisted.internet.reactor import callLater", "nixery.registry.app"),
    ],
)
def test_a_wrong_import_is_noticed(source: str, module: str) -> None:
    assert len(faults(source, module)) == 1


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from nixery.images.name import ImageName\nimport os", "nixery.packing.tar"),
        ("from nixery.packing.names import to_bytes", "nixery.packing.tar"),
        ("from .names import to_bytes", "nixery.packing.tar"),
        ("from nixery import __version__", "nixery.registry.app"),
        ("from twisted.internet import reactor\nfrom nixery.config import Config", "nixery.tap"),
    ],
)
def test_a_right_import_is_let_be(source: str, module: str) -> None:
    assert faults(source, module) == []
