"""The lazy join against a naive union of everything."""

from hypothesis import given
from hypothesis import strategies as st

from nixery.images.entries import RootCopy, RootDirectory, RootEntry, RootFile, RootLink
from nixery.images.graph import StorePath
from nixery.images.root import join
from tests.images.stores import FakeStore, Folder, Node, To, look, plant, store_path

NAMES = st.sampled_from(["bin", "share", "lib", "usr", "a", "b"])
STORED = [f"{store_path('p0')}/a", f"{store_path('p1')}/lib/b", f"{store_path('p1')}/.."]
LINKS = st.sampled_from(
    [".", "..", "bin", "lib", "../lib", "share/a", "usr/bin", "../../a", "gone", "/run", *STORED]
).map(To)


def trees(leaves: st.SearchStrategy[Node]) -> st.SearchStrategy[Folder]:
    return st.recursive(
        st.dictionaries(NAMES, leaves, max_size=3),
        lambda below: st.dictionaries(NAMES, leaves | below, max_size=4),
        max_leaves=12,
    )


FILES: st.SearchStrategy[Node] = st.just("file")
PLAIN = st.lists(trees(FILES), min_size=1, max_size=3)
LINKED = st.lists(trees(FILES | LINKS), min_size=1, max_size=3)


def stored(trees: list[Folder]) -> tuple[list[StorePath], FakeStore]:
    """Packages with these contents; each file's text says where it is."""
    paths = [store_path(f"p{number}") for number in range(len(trees))]
    store = FakeStore({})
    for path, tree in zip(paths, trees, strict=True):
        plant(store.world, path.text, labelled(tree, path.text))
    return paths, store


def labelled(tree: Folder, path: str) -> Folder:
    return {
        name: labelled(node, f"{path}/{name}")
        if isinstance(node, dict)
        else node
        if isinstance(node, To)
        else f"{path}/{name}"
        for name, node in tree.items()
    }


def world(store: FakeStore, entries: tuple[tuple[str, RootEntry], ...]) -> Folder:
    """The image's file system: the root and the store."""
    found: Folder = dict(store.world)
    for path, entry in entries:
        match entry:
            case RootDirectory():
                plant(found, path, {})
            case RootLink(target):
                plant(found, path, To(target))
            case RootFile(data):
                plant(found, path, data.decode())
            case RootCopy(source):
                plant(found, path, source)
    return found


def union(folders: list[Folder]) -> Folder:
    """All of it in one tree: the first that has a file wins, a directory wins over files."""
    merged: Folder = {}
    for name in {name for folder in folders for name in folder}:
        nodes = [folder[name] for folder in folders if name in folder]
        below = [node for node in nodes if isinstance(node, dict)]
        merged[name] = union(below) if below else nodes[0]
    return merged


def files(tree: Folder, path: str = "") -> list[tuple[str, Node]]:
    found: list[tuple[str, Node]] = []
    for name, node in tree.items():
        found += files(node, f"{path}/{name}") if isinstance(node, dict) else [(f"{path}/{name}", node)]
    return found


def is_broken(world: Folder, path: str) -> bool:
    """Whether there is a link at a path that leads nowhere."""
    parent, _, name = path.rpartition("/")
    folder = look(world, parent)
    return isinstance(folder, dict) and name in folder and look(world, path) is None


def directories(tree: Folder, path: str = "") -> list[str]:
    below = [(f"{path}/{name}", node) for name, node in tree.items() if isinstance(node, dict)]
    return [path, *(inner for path, node in below for inner in directories(node, path))]


@given(PLAIN)
def test_each_path_leads_to_the_file_that_a_naive_union_has(trees: list[Folder]) -> None:
    paths, store = stored(trees)
    image = world(store, join(paths, store))
    naive = union([labelled(tree, path.text) for tree, path in zip(trees, paths, strict=True)])
    for path, text in files(naive):
        assert look(image, path) == text
    for path in directories(naive):
        node, folder = look(image, path), look(naive, path)
        assert isinstance(node, dict)
        assert isinstance(folder, dict)
        assert set(folder) <= set(node)
        assert path == "" or path in ("/usr", "/bin") or set(node) == set(folder)


@given(LINKED)
def test_what_a_package_has_or_links_to_is_in_the_image_unless_anothers_broken_link_is(trees: list[Folder]) -> None:
    paths, store = stored(trees)
    image = world(store, join(paths, store))
    for package in paths:
        top = look(store.world, package.text)
        assert isinstance(top, dict)
        for path, _ in files(top):
            found = look(store.world, f"{package}{path}") is not None
            if found and not any(is_broken(store.world, f"{other}{path}") for other in paths):
                assert look(image, path) is not None, f"{package}{path}"


@given(LINKED)
def test_each_link_into_the_store_exists_there(trees: list[Folder]) -> None:
    paths, store = stored(trees)
    for _, entry in join(paths, store):
        if isinstance(entry, RootLink) and entry.target.startswith("/nix/store/"):
            directory, _, name = entry.target.rpartition("/")
            folder = look(store.world, directory)
            assert isinstance(folder, dict)
            assert name in folder


@given(LINKED)
def test_the_same_packages_give_the_same_root(trees: list[Folder]) -> None:
    paths, store = stored(trees)
    _, again = stored([dict(reversed(tree.items())) for tree in trees])
    assert join(paths, store) == join(paths, again)
