import os
import resource
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from nixery.errors import PackingFailed
from nixery.images.entries import Directory, File, Link
from nixery.images.graph import StorePath
from nixery.packing.listing import MAX_READ, StoreListing

NewObject = Callable[[str], StorePath]


@pytest.fixture
def path(new_object: NewObject) -> StorePath:
    path = new_object("package")
    os.mkdir(path.text)
    return path


@pytest.fixture
def listing(path: StorePath) -> StoreListing:
    return StoreListing(path.directory)


def test_entries_have_kind_and_executability(path: StorePath, listing: StoreListing) -> None:
    os.mkdir(f"{path}/d")
    for name, mode in [("f", 0o644), ("x", 0o544), ("\udcff", 0o600)]:
        Path(path.text, name).touch()
        Path(path.text, name).chmod(mode)
    assert listing.entries(path.text) == {
        "d": Directory(),
        "f": File(False),
        "x": File(True),
        "\udcff": File(False),
    }


def test_links_say_whether_they_lead_to_a_directory_in_the_store(
    path: StorePath, listing: StoreListing, tmp_path: Path
) -> None:
    os.mkdir(f"{path}/d")
    Path(f"{path}/f").touch()
    (tmp_path / "outside").mkdir()
    targets = {
        "relative": ("d", True),
        "absolute": (f"{path}/d", True),
        "twice": ("relative", True),
        "file": ("f", False),
        "dangling": ("nothing", False),
        "round": ("round", False),
        "host": ("/", False),
        "up": ("../../outside", False),
        "store": ("..", False),
        "sibling": (f"{tmp_path}/store-other", False),
    }
    (tmp_path / "store-other").mkdir()
    for name, (target, _) in targets.items():
        os.symlink(target, f"{path}/{name}")
    found = listing.entries(path.text)
    assert {name: found[name] for name in targets} == {name: Link(*link) for name, link in targets.items()}


@pytest.mark.parametrize("name", ["absent", "absent/absent", "f", "f/absent", "host"])
def test_where_no_directory_of_the_store_is_nothing_is_listed(
    name: str, path: StorePath, listing: StoreListing
) -> None:
    Path(f"{path}/f").touch()
    Path(f"{path}/host").symlink_to("/")
    assert listing.entries(f"{path}/{name}") == {}


@pytest.mark.parametrize("name", ["absent", "absent/absent", "d", "f/absent", "round", "pipe", "host"])
def test_where_no_file_of_the_store_is_nothing_is_read(
    name: str, path: StorePath, listing: StoreListing, tmp_path: Path
) -> None:
    os.mkdir(f"{path}/d")
    Path(f"{path}/f").touch()
    Path(f"{path}/round").symlink_to("round")
    os.mkfifo(f"{path}/pipe")
    (tmp_path / "secret").write_text("of the host")
    Path(f"{path}/host").symlink_to(tmp_path / "secret")
    assert listing.read(f"{path}/{name}") is None


def test_a_file_is_read_also_through_links_in_the_store(path: StorePath, listing: StoreListing) -> None:
    Path(f"{path}/f").write_bytes(b"text \xc3\xa9\xff\n")
    Path(f"{path}/l").symlink_to("f")
    assert listing.read(f"{path}/f") == listing.read(f"{path}/l") == "text é\udcff\n"


def test_a_file_over_the_bound_is_refused_by_name(path: StorePath, listing: StoreListing) -> None:
    Path(f"{path}/f").write_bytes(bytes(MAX_READ))
    assert listing.read(f"{path}/f") == "\0" * MAX_READ
    os.truncate(f"{path}/f", MAX_READ + 1)
    with pytest.raises(PackingFailed, match=r"package/f' has more than"):
        listing.read(f"{path}/f")


def test_a_pipe_is_refused_by_name(path: StorePath, listing: StoreListing) -> None:
    os.mkfifo(f"{path}/pipe")
    with pytest.raises(PackingFailed, match="pipe' is neither"):
        listing.entries(path.text)


@pytest.fixture
def full() -> Iterator[list[int]]:
    """Descriptors until there is none left; those that are closed are free."""
    held: list[int] = []
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, limits[1]))
    try:
        with suppress(OSError):
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        yield held
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in held:
            os.close(descriptor)


@pytest.mark.parametrize("free", [0, 1])
def test_too_few_descriptors_change_no_image(
    free: int, path: StorePath, listing: StoreListing, full: list[int]
) -> None:
    os.mkdir(f"{path}/d")
    os.symlink("d", f"{path}/l")
    for _ in range(free):
        os.close(full.pop())
    with pytest.raises(PackingFailed, match="Too many open files"):
        listing.entries(path.text)


def test_no_descriptor_is_left_open(path: StorePath, listing: StoreListing) -> None:
    os.symlink("/", f"{path}/host")
    before = len(os.listdir("/proc/self/fd"))
    listing.entries(path.text)
    listing.read(f"{path}/host")
    assert len(os.listdir("/proc/self/fd")) == before
