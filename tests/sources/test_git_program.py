"""The environment that git runs in."""

from nixery.sources.git_program import git_environment


def test_the_users_ways_to_log_in_are_kept_and_nothing_asks() -> None:
    users = {"SSH_AUTH_SOCK": "/s", "GIT_SSH_COMMAND": "ssh -i x", "HOME": "/h", "GIT_DIR": "/d", "SSH_ASKPASS": "/x"}
    environment = git_environment(users, "/bin/false")
    assert {name: environment[name] for name in ("SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "HOME")} == {
        **{"SSH_AUTH_SOCK": "/s", "GIT_SSH_COMMAND": "ssh -i x", "HOME": "/h"}
    }
    assert "GIT_DIR" not in environment
    assert (environment["GIT_TERMINAL_PROMPT"], environment["SSH_ASKPASS_REQUIRE"]) == ("0", "never")
    assert environment["GIT_ASKPASS"] == environment["SSH_ASKPASS"] == "/bin/false"
    assert git_environment({"GIT_ASKPASS": "/token"}, "/bin/false")["GIT_ASKPASS"] == "/token"
    assert (environment["GIT_HTTP_LOW_SPEED_LIMIT"], environment["GIT_HTTP_LOW_SPEED_TIME"]) == ("1", "60")
