import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import frozen

from nixery.debian import apt
from nixery.debian.apt import Apt, Target, priorities, private
from nixery.errors import SourceUnavailable
from tests.debian.debs import paragraph

POLICY = """\
Package files:
 100 /var/lib/dpkg/status
     release a=now
 100 http://mirror.example/debian stable-backports/main amd64 Packages
     release v=,o=Debian,a=stable-backports,c=main,b=amd64
     origin mirror.example
 500 http://mirror.example/debian stable/main amd64 Packages
  -1 http://mirror.example/debian bad/main amd64 Packages
Pinned packages:
"""


@frozen
class System(Apt):
    """An apt of which every answer is known."""

    answers: Mapping[str, str] = {}

    def run(self, command: str, *arguments: str) -> str:
        return self.answers[command]


def targets(*rows: str, policy: str = POLICY) -> list[Target]:
    return System(answers={"apt-get": "\n".join(rows) + "\n", "apt-cache": policy}).targets("amd64")


def row(suite: str, architecture: str = "amd64", base: str = "http://mirror.example/debian/") -> str:
    description = f"http://mirror.example/debian {suite}/main {architecture} Packages"
    return "\t".join([f"/lists/{suite}", base, architecture, suite, description])


def test_priorities_are_read_for_each_list() -> None:
    assert priorities(POLICY) == {
        "http://mirror.example/debian stable-backports/main amd64 Packages": 100,
        "http://mirror.example/debian stable/main amd64 Packages": 500,
        "http://mirror.example/debian bad/main amd64 Packages": -1,
    }


def test_a_list_comes_with_its_address_and_rank() -> None:
    assert targets(row("stable"), row("stable-backports")) == [
        Target(Path("/lists/stable"), "http://mirror.example/debian", "stable", 500),
        Target(Path("/lists/stable-backports"), "http://mirror.example/debian", "stable-backports", 100),
    ]


def test_lists_of_other_architectures_and_of_discs_are_left_out() -> None:
    found = targets(row("stable"), row("other", "i386"), row("both", "all"), row("disc", base="cdrom://x/"))
    assert [target.suite for target in found] == ["stable", "both"]


def test_lists_for_all_architectures_alone_are_none() -> None:
    assert targets(row("both", "all")) == []


def test_apt_says_where_it_keeps_its_lists() -> None:
    assert System(answers={"apt-config": "folder='/var/lib/a b/lists/'\n"}).lists() == "/var/lib/a b/lists"


def test_an_architecture_s_own_lists_are_apart(tmp_path: Path) -> None:
    configuration = private(tmp_path, "arm64").configuration
    assert configuration is not None
    text = configuration.read_text()
    assert 'APT::Architecture "arm64";' in text
    assert f'Dir::State "{tmp_path}/apt/arm64";' in text
    assert "#clear APT::Update;" in text


def test_a_folder_that_would_break_the_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="plainer"):
        private(tmp_path / 'a";b', "arm64")


def test_a_machine_without_apt_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceUnavailable, match="needs Debian or Ubuntu"):
        apt.host_architecture()


@pytest.mark.integration
def test_the_real_apt_reads_a_repository_into_a_private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "repository"
    (repository / "dists/stable/main/binary-arm64").mkdir(parents=True)
    (repository / "dists/stable/main/binary-arm64/Packages").write_text(paragraph("hello"))
    (repository / "dists/stable/Release").write_text(_release(repository / "dists/stable"))
    sources = tmp_path / "sources.list"
    sources.write_text(f"deb [trusted=yes] file:{repository} stable main\n")
    (tmp_path / "none").mkdir()
    monkeypatch.setattr(apt, "_CONFIGURATION", f'{apt._CONFIGURATION}Dir::Etc::sourcelist "{sources}";\n'
                        f'Dir::Etc::sourceparts "{tmp_path}/none";\n')  # fmt: skip
    real = private(tmp_path / "cache", "arm64")
    real.update()
    (target,) = real.targets("arm64")
    assert str(target.file.parent) == real.lists() == str(tmp_path / "cache/apt/arm64/lists")
    assert (target.base, target.suite, target.priority) == (f"file:{repository}", "stable", 500)
    assert b"Package: hello\n" in list(apt.lines(target.file))
    assert real.targets("i386") == []


@pytest.mark.integration
def test_a_list_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="could not read"):
        list(apt.lines(tmp_path / "gone"))


def _release(folder: Path) -> str:
    told = subprocess.run(
        ["sha256sum", "main/binary-arm64/Packages"], cwd=folder, check=True, capture_output=True, text=True
    )
    sha256, name = told.stdout.split()
    size = (folder / name).stat().st_size
    return (
        f"Suite: stable\nCodename: stable\nArchitectures: arm64\nComponents: main\nSHA256:\n {sha256} {size} {name}\n"
    )
