from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from twisted.logger import LogEvent, capturedLogs

from nixery.errors import ConfigError
from nixery.nix import trust
from nixery.nix.trust import refuse_ignored

ALL = ("substituters", "trusted-public-keys", "builders")
# What `nix -vvvvv store ping` writes to its stderr, for a user that the daemon does not trust.
OLD = """Store URL: daemon
ignoring the client-specified setting 'builders', because it is a restricted setting and you are not a trusted user
warning: ignoring untrusted substituter 'http://me:secret@127.0.0.1:9/'
ignoring the client-specified setting 'trusted-public-keys', because it is a restricted setting and you are not a \
trusted user
Version: 2.8.0"""
NEW = """warning: 'nix store ping' is a deprecated alias for 'nix store info'
Store URL: daemon
warning: ignoring the client-specified setting 'builders', because it is a restricted setting and you are not a \
trusted user
warning: ignoring untrusted substituter 'http://me:secret@127.0.0.1:9/', you are not a trusted user.
Run `man nix.conf` for more information on the `substituters` configuration option.
warning: ignoring the client-specified setting 'trusted-public-keys', because it is a restricted setting and you are \
not a trusted user
Version: 2.26.3
Trusted: 0"""
TRUSTED = "Store URL: daemon\nVersion: 2.26.3\nTrusted: 1"


@pytest.fixture
def logged() -> Iterator[Sequence[LogEvent]]:
    with capturedLogs() as events:
        yield events


def nix(folder: Path, words: str, then: str = "exit 0") -> str:
    """A program that says this."""
    (folder / "words").write_text(words)
    program = folder / "nix"
    program.write_text(f"#!/bin/sh\n/bin/cat {folder / 'words'} >&2\n{then}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("words", [OLD, NEW])
def test_settings_that_would_be_ignored_are_named_with_what_to_do(tmp_path: Path, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_ignored(nix(tmp_path, words), {}, ALL)
    line = caught.value.message
    assert "ignores NIXERY_SUBSTITUTERS and NIXERY_TRUSTED_PUBLIC_KEYS and NIXERY_BUILDERS. In" in line
    assert "trusted-substituters, move its keys to trusted-public-keys, move its machines to builders; or" in line
    assert "trusted-users" in line
    assert "\n" not in line
    assert "secret" not in line


@pytest.mark.parametrize(("setting", "variable"), [("substituters", "SUBSTITUTERS"), ("builders", "BUILDERS")])
def test_only_our_own_settings_count(tmp_path: Path, setting: str, variable: str) -> None:
    """The others come from somebody's nix.conf, and were ignored before."""
    with pytest.raises(ConfigError, match=f"ignores NIXERY_{variable}\\. In"):
        refuse_ignored(nix(tmp_path, OLD), {}, [setting])


def test_words_for_a_fork_of_nix_count_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="NIXERY_BUILDERS"):
        refuse_ignored(nix(tmp_path, "Ignoring the client-specified setting 'builders', because"), {}, ALL)


def test_a_trusted_user_may_start(tmp_path: Path, logged: Sequence[LogEvent]) -> None:
    refuse_ignored(nix(tmp_path, TRUSTED), {}, ALL)
    assert not logged


def test_without_such_a_setting_nothing_is_asked(logged: Sequence[LogEvent]) -> None:
    refuse_ignored("/nonexistent/nix", {}, [])
    assert not logged


def test_nix_gets_the_environment_with_the_settings(tmp_path: Path) -> None:
    program = nix(tmp_path, "", f'echo "$NIX_CONFIG" "$@" > {tmp_path / "seen"}')
    refuse_ignored(program, {"NIX_CONFIG": "builders ="}, ALL)
    seen = (tmp_path / "seen").read_text()
    assert seen == "builders = -vvvvv --extra-experimental-features nix-command store ping\n"


@pytest.mark.parametrize(
    ("then", "end"),
    [("exit 3", "status 3: cannot connect to socket"), ("exec /bin/sleep 60", "no answer for 0.3 s")],
)
def test_an_unclear_answer_is_logged_and_stops_nothing(
    tmp_path: Path, logged: Sequence[LogEvent], monkeypatch: pytest.MonkeyPatch, then: str, end: str
) -> None:
    monkeypatch.setattr(trust, "_SECONDS", 0.3)
    refuse_ignored(nix(tmp_path, "Store URL: daemon\ncannot connect to socket", then), {}, ALL)
    (event,) = logged
    assert end in event["end"]


def test_what_was_said_before_the_answer_broke_off_counts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="NIXERY_BUILDERS"):
        refuse_ignored(nix(tmp_path, OLD, "exit 1"), {}, ALL)


def test_a_missing_program_is_logged_and_stops_nothing(logged: Sequence[LogEvent]) -> None:
    refuse_ignored("/nonexistent/nix", {}, ALL)
    assert "cannot be started: No such file" in logged[0]["end"]
