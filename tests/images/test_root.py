"""The image root: what is linked, merged, copied and added."""

import pytest

from nixery.images.entries import RootCopy, RootDirectory, RootFile, RootLink
from nixery.images.root import join
from tests.images.stores import FakeStore, Node, To, joined, link, plant, store_path

REAL = RootDirectory(0o755)


class TestMerging:
    def test_a_file_is_a_link_to_the_store(self) -> None:
        root = joined({"a": {"bin/x": "#!"}})
        assert root["bin"] == REAL
        assert root["bin/x"] == link("a", "bin/x")

    def test_the_first_package_has_precedence(self) -> None:
        packages = {"a": {"bin/x": "1"}, "b": {"bin/x": "2"}}
        assert joined(packages, "a", "b")["bin/x"] == link("a", "bin/x")
        assert joined(packages, "b", "a")["bin/x"] == link("b", "bin/x")

    def test_a_directory_wins_over_a_file_or_link(self) -> None:
        packages: dict[str, dict[str, Node]] = {"a": {"bin/x": "1"}, "b": {"bin/x": To("y")}, "c": {"bin/x/z": "3"}}
        assert joined(packages)["bin/x/z"] == link("c", "bin/x/z")

    @pytest.mark.parametrize(
        "top", ["share", "lib", "lib64", "lib32", "libexec", "include", "src", "usr/share", "usr/lib"]
    )
    def test_a_directory_of_one_package_is_one_link(self, top: str) -> None:
        root = joined({"a": {f"{top}/foo/deep/x": "1"}, "b": {f"{top}/bar/x": "2"}})
        assert root[top] == REAL
        assert root[f"{top}/foo"] == link("a", f"{top}/foo")
        assert f"{top}/foo/deep" not in root

    @pytest.mark.parametrize(
        "path", ["bin/foo", "sbin/foo", "etc/foo", "var/foo", "opt/foo", "share", "usr", "usr/share"]
    )
    def test_elsewhere_directories_are_real(self, path: str) -> None:
        root = joined({"a": {f"{path}/x": "1"}})
        assert root[path] == REAL
        assert root[f"{path}/x"] == link("a", f"{path}/x")

    def test_only_what_packages_have_in_common_is_looked_into(self) -> None:
        packages = {"a": {"share/foo/deep/x": "1", "share/both/x": "1"}, "b": {"share/both/y": "2"}}
        store = FakeStore(packages)
        join([store_path("a"), store_path("b")], store)
        assert f"{store_path('a')}/share/both" in store.listed
        assert f"{store_path('a')}/share/foo" not in store.listed

    def test_nix_support_is_left_out_at_the_top_only(self) -> None:
        root = joined({"a": {"nix-support/x": "1", "etc/nix-support/y": "2"}})
        assert "nix-support" not in root
        assert "etc/nix-support/y" in root

    def test_empty_directories_stay(self) -> None:
        assert joined({"a": {"etc/empty": {}}})["etc/empty"] == REAL

    def test_entries_are_sorted_with_directories_before_their_contents(self) -> None:
        paths = list(joined({"a": {"etc/a/b": "", "etc/a-b": "", "etc/a.b": ""}}))
        assert paths == sorted(paths)
        assert all(path.rpartition("/")[0] in paths[:number] for number, path in enumerate(paths) if "/" in path)

    def test_a_package_that_is_a_file_brings_nothing(self) -> None:
        store = FakeStore({})
        assert dict(join([store_path("file")], store)) == dict(join([], store))


class TestPropagation:
    def test_propagated_packages_come_after_the_requested_ones_breadth_first(self) -> None:
        propagated = "nix-support/propagated-user-env-packages"
        packages: dict[str, dict[str, Node]] = {
            "a": {propagated: f" {store_path('c')}\n"},
            "b": {propagated: f"{store_path('d')} {store_path('a')}"},
            "c": {propagated: f"{store_path('e')}", "bin/x": "c"},
            "d": {"bin/x": "d", "bin/y": "d"},
            "e": {"bin/y": "e", "bin/z": "e"},
        }
        root = joined(packages, "a", "b")
        assert [root[f"bin/{name}"] for name in "xyz"] == [link("c", "bin/x"), link("d", "bin/y"), link("e", "bin/z")]

    def test_what_is_no_store_path_is_ignored(self) -> None:
        elsewhere = f"/tmp/{store_path('b').base}"
        words = f"/etc ../x {store_path('b')}/bin {elsewhere} relative"
        store = FakeStore({"a": {"nix-support/propagated-user-env-packages": words}, "b": {"bin/x": ""}})
        plant(store.world, f"{elsewhere}/bin/y", "")
        assert dict(join([store_path("a")], store)) == joined({"a": {}})


class TestLinks:
    @pytest.mark.parametrize(
        ("name", "target"), [("sbin", "bin"), ("bin", "usr/bin"), ("lib64", "lib"), ("x", "./bin/../lib")]
    )
    def test_a_link_to_a_directory_of_the_same_package_stays_where_all_agree(self, name: str, target: str) -> None:
        files: dict[str, Node] = {"usr/bin/x": "", "lib/y": "", name: To(target)}
        files.update({} if name == "bin" else {"bin/z": ""})
        assert joined({"a": files, "b": files, "c": {"etc/x": ""}})[name] == RootLink(target)

    def test_where_they_do_not_agree_the_directories_are_merged(self) -> None:
        root = joined({"a": {"sbin": To("bin"), "bin/x": "1"}, "b": {"sbin/y": "2"}})
        assert root["sbin"] == REAL
        assert root["sbin/x"] == link("a", "bin/x")
        assert root["sbin/y"] == link("b", "sbin/y")

    def test_a_link_to_a_directory_wins_over_a_file(self) -> None:
        assert joined({"a": {"sbin": ""}, "b": {"sbin": To("bin"), "bin/x": ""}})["sbin/x"] == link("b", "bin/x")

    def test_a_relative_link_reached_by_another_way_is_not_kept(self) -> None:
        a: dict[str, Node] = {"bin": To("usr/bin"), "usr/bin/plugins": To("../lib"), "usr/lib/x": "1"}
        root = joined({"a": a, "b": {"bin/y": "2"}})
        assert root["bin/plugins"] == link("a", "usr/lib")
        assert root["usr/bin/plugins"] == RootLink("../lib")

    def test_a_relative_link_that_leaves_the_package_is_not_kept(self) -> None:
        around = f"../{store_path('a').base}/bin"
        through: dict[str, Node] = {"x": To("y/.."), "y": To(f"{store_path('b')}/z"), "sbin": To(around), "bin/x": ""}
        root = joined({"a": through, "b": {"z/f": ""}}, "a")
        assert root["sbin"] == link("a", "bin")
        assert root["x"] == RootLink(store_path("b").text)

    @pytest.mark.parametrize("target", ["x", "../lib/x", "/nix/store", "gone", "../../../../etc"])
    def test_other_links_lead_to_the_link_in_the_store(self, target: str) -> None:
        expected = link("a", "bin/y") if target != "/nix/store" else RootLink("/nix/store")
        assert joined({"a": {"bin/x": "", "lib/x": "", "bin/y": To(target)}})["bin/y"] == expected

    @pytest.mark.parametrize("target", ["/etc/alternatives/x", "/run", "/"])
    def test_absolute_links_that_do_not_lead_into_the_store_stay(self, target: str) -> None:
        assert joined({"a": {"bin/y": To(target)}})["bin/y"] == RootLink(target)

    def test_a_link_to_another_packages_directory_is_merged_like_a_directory(self) -> None:
        packages: dict[str, dict[str, Node]] = {
            "env": {"bin": To(f"{store_path('tool')}/bin"), "share/doc": To(f"{store_path('tool')}/doc")},
            "tool": {"bin/tool": "", "doc/x": ""},
            "other": {"bin/other": ""},
        }
        root = joined(packages, "other", "env")
        assert root["bin/tool"] == link("tool", "bin/tool")
        assert root["bin/other"] == link("other", "bin/other")
        assert root["share/doc"] == link("tool", "doc")


class TestCopies:
    def test_a_listed_file_is_copied(self) -> None:
        packages = {
            "gcc": {"nix-support/image-copies": "bin/gcc\nlib/gcc/specs\n", "bin/gcc": "#!", "lib/gcc/specs": "s"}
        }
        root = joined(packages)
        assert root["bin/gcc"] == RootCopy(f"{store_path('gcc')}/bin/gcc", 0o755)
        assert root["lib/gcc"] == REAL
        assert root["lib/gcc/specs"] == RootCopy(f"{store_path('gcc')}/lib/gcc/specs", 0o644)

    def test_what_lies_beside_a_copy_is_still_linked(self) -> None:
        packages = {
            "gcc": {"nix-support/image-copies": "lib/gcc/12/cc1", "lib/gcc/12/cc1": "#!", "lib/gcc/include/x": ""}
        }
        assert joined(packages)["lib/gcc/include"] == link("gcc", "lib/gcc/include")

    def test_another_packages_file_is_not_replaced(self) -> None:
        packages = {"a": {"bin/x": ""}, "b": {"nix-support/image-copies": "bin/x", "bin/x": "#!"}}
        assert joined(packages)["bin/x"] == link("a", "bin/x")

    @pytest.mark.parametrize(
        "path",
        ["../other/secret", "/etc/passwd", "bin/../bin/x", "", "gone", "out", "other/secret", "loop", "bin", "bin/x/y"],
    )
    def test_what_is_no_file_of_the_package_is_ignored(self, path: str) -> None:
        other = store_path("other")
        a: dict[str, Node] = {"bin/x": "", "out": To(f"{other}/secret"), "other": To(f"{other}"), "loop": To("loop")}
        expected = joined({"a": a, "other": {"secret": ""}}, "a")
        assert joined({"a": {**a, "nix-support/image-copies": path}, "other": {"secret": ""}}, "a") == expected


class TestStandardEntries:
    def test_fault_8_an_image_of_nothing_has_what_programs_expect(self) -> None:
        root = joined({"a": {}})
        assert root["tmp"] == root["var/tmp"] == RootDirectory(0o1777)
        assert root["root"] == RootDirectory(0o700)
        assert all(root[name] == REAL for name in ("etc", "var", "run", "proc", "sys", "dev", "home"))
        assert root["var/run"] == RootLink("/run")
        assert "etc/hosts" not in root
        passwd, group = root["etc/passwd"], root["etc/group"]
        assert isinstance(passwd, RootFile)
        assert isinstance(group, RootFile)
        assert passwd.data.startswith(b"root:x:0:0:root:/root:/bin/sh\n")
        assert b"nobody:x:65534:65534:" in passwd.data
        assert b"nogroup:x:65534:" in group.data
        assert b"hosts: files dns\n" in getattr(root["etc/nsswitch.conf"], "data", b"")

    def test_fault_8_tmp_is_open_to_everyone_whatever_packages_have_there(self) -> None:
        nodes: list[Node] = [To("/elsewhere"), "file", {"x": "1"}]
        for node in nodes:
            root = joined({"a": {"tmp": node}, "b": {"var/tmp": node}})
            assert root["tmp"] == root["var/tmp"] == RootDirectory(0o1777)

    def test_what_a_package_has_is_left_alone(self) -> None:
        root = joined({"a": {"etc/passwd": "", "root/x": "", "bin/bash": "", "bin/sh": To("dash"), "var/run/x": ""}})
        assert root["etc/passwd"] == link("a", "etc/passwd")
        assert root["root"] == REAL
        assert root["bin/sh"] == link("a", "bin/sh")
        assert root["var/run"] == REAL

    def test_bash_is_sh_and_env_is_where_scripts_look_for_it(self) -> None:
        root = joined({"a": {"bin/bash": "", "bin/env": ""}})
        assert root["bin/sh"] == RootLink("/bin/bash")
        assert root["usr/bin/env"] == RootLink("/bin/env")

    def test_without_bash_and_env_there_are_no_links_to_them(self) -> None:
        assert not {"bin", "usr"} & set(joined({"a": {}}))

    def test_in_a_merged_usr_the_links_are_made_where_they_lead(self) -> None:
        root = joined({"a": {"bin": To("usr/bin"), "usr/bin/bash": "", "usr/bin/env": ""}})
        assert root["usr/bin/sh"] == RootLink("/bin/bash")
        assert root["usr/bin/env"] == link("a", "usr/bin/env")
        assert "bin/sh" not in root

    @pytest.mark.parametrize("first", [True, False])
    def test_the_ca_bundle_has_both_of_its_names(self, first: bool) -> None:
        here, there = ("ca-bundle.crt", "ca-certificates.crt")[:: 1 if first else -1]
        root = joined({"cacert": {f"etc/ssl/certs/{here}": ""}})
        assert root[f"etc/ssl/certs/{here}"] == link("cacert", f"etc/ssl/certs/{here}")
        assert root[f"etc/ssl/certs/{there}"] == RootLink(f"/etc/ssl/certs/{here}")

    def test_a_link_for_a_standard_directory_gives_way_to_a_real_one(self) -> None:
        b: dict[str, Node] = {"etc/x": "", "var/tmp/x": "", "var/run/x": ""}
        a: dict[str, Node] = {name: To(f"{store_path('b')}/{name}") for name in ("etc", "var")}
        root = joined({"a": a, "b": b}, "a")
        assert root["etc"] == root["var"] == REAL
        assert root["var/tmp"] == RootDirectory(0o1777)
        assert root["etc/x"] == link("b", "etc/x")
        assert "etc/passwd" in root
