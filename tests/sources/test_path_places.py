"""The path source where the path is a link, a file, a store path, or comes to lead elsewhere."""

from nixery.images.source import PinnedSource
from nixery.sources import folder as folder_module
from nixery.sources.content import nar_hash
from tests.sources.path_world import EXPRESSION, PathTestCase


class PathPlaceTests(PathTestCase):
    def test_the_path_is_followed_when_it_comes_to_lead_elsewhere(self) -> None:
        link = self.folder.with_name("link")
        link.symlink_to("set")
        source = self.made(link)
        first = self.pin(source)
        other = self.folder.with_name("other")
        other.mkdir()
        (new := self.folder.with_name("new")).symlink_to("other")
        new.rename(link)
        assert first != self.pin(source) == nar_hash(str(other))
        (other / "default.nix").write_text("more")
        assert self.pin(source) == nar_hash(str(other))

    def test_a_folder_that_takes_the_place_of_the_set_is_the_set(self) -> None:
        first = self.pin()
        self.folder.rename(self.folder.with_name("old"))
        self.folder.mkdir()
        (self.folder / "default.nix").write_text("new")
        assert first != self.pin() == self.content()

    def test_a_set_below_a_parent_that_is_replaced_is_followed(self) -> None:
        deep = self.folder / "sub"
        source = self.made(deep)
        assert self.pin(source) == nar_hash(str(deep))
        self.folder.rename(self.folder.with_name("old"))
        deep.mkdir(parents=True)
        assert self.pin(source) == nar_hash(str(deep))

    def test_one_file_may_be_the_set_and_a_link_may_lead_to_it(self) -> None:
        link = self.folder.with_name("link")
        link.symlink_to(self.folder / "default.nix")
        source = self.made(link)
        assert self.pin(source) == nar_hash(str(self.folder / "default.nix"))
        (self.folder / "default.nix").write_text("other")
        assert self.pin(source) == nar_hash(str(self.folder / "default.nix"))

    def test_a_store_path_is_its_own_pin_and_never_walked(self) -> None:
        store_path = self.folder.with_name("a" * 32 + "-set")
        store_path.mkdir(mode=0o555)
        source = self.made(store_path)
        self.monkeypatch.setattr(folder_module, "nar_hash", None)
        pinned = PinnedSource("path", str(store_path), EXPRESSION, (("folder", str(store_path)),))
        assert self.pinned(source) == self.pinned(source) == pinned
        assert self.pool.walks == 1
        self.monkeypatch.undo()
        store_path.chmod(0o755)
        assert len(self.pin(source)) == 64

    def test_a_link_that_switches_from_one_store_path_to_another_is_followed(self) -> None:
        link = self.folder.with_name("result")
        source = self.made(link)
        for letter in "ab":
            store_path = self.folder.with_name(letter * 32 + "-set")
            store_path.mkdir(mode=0o555)
            link.unlink(missing_ok=True)
            link.symlink_to(store_path)
            assert self.pin(source) == str(store_path)
