import grp

import pytest

from nixery.nix.environment import child_environment


@pytest.fixture
def no_build_users(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(grp, "getgrnam", missing)


@pytest.mark.usefixtures("no_build_users")
def test_root_without_build_users_builds_as_root_and_keeps_its_other_settings() -> None:
    assert child_environment({"NIX_CONFIG": "cores = 1"}, 0)["NIX_CONFIG"] == "cores = 1\nbuild-users-group ="


@pytest.mark.usefixtures("no_build_users")
@pytest.mark.parametrize(
    ("environment", "user"),
    [({}, 1000), ({"NIX_REMOTE": "daemon"}, 0), ({"NIX_CONFIG": "build-users-group = builders"}, 0)],
)
def test_nobody_elses_settings_are_touched(environment: dict[str, str], user: int) -> None:
    assert child_environment(environment, user).get("NIX_CONFIG") == environment.get("NIX_CONFIG")


def test_build_users_are_used_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    group = grp.struct_group(("nixbld", "x", 30000, ["nixbld1"]))
    monkeypatch.setattr(grp, "getgrnam", lambda name: group)
    assert "NIX_CONFIG" not in child_environment({}, 0)


def test_the_language_is_fixed() -> None:
    assert child_environment({"LC_ALL": "de_DE.UTF-8", "PATH": "/bin"}, 1000) == {
        "LC_ALL": "C",
        "NO_COLOR": "1",
        "PATH": "/bin",
    }


def test_settings_for_nixery_alone_come_last_so_that_they_stand() -> None:
    child = child_environment({"NIX_CONFIG": "builders = ssh://host"}, 1000, {"builders": "", "cores": "2"})
    assert child["NIX_CONFIG"] == "builders = ssh://host\nbuilders = \ncores = 2"


def test_a_dead_binary_cache_is_bounded_and_the_environment_may_say_otherwise() -> None:
    child = child_environment({"NIX_CONFIG": "connect-timeout = 9"}, 1000, {"substituters": "https://a.example"})
    lines = child["NIX_CONFIG"].splitlines()
    assert lines[:3] == ["connect-timeout = 5", "stalled-download-timeout = 15", "fallback = true"]
    assert lines[3:] == ["connect-timeout = 9", "substituters = https://a.example"]


def test_without_binary_caches_there_is_nothing_to_bound() -> None:
    assert child_environment({}, 1000, {"substituters": ""})["NIX_CONFIG"] == "\nsubstituters = "
