import pytest

from nixery.concurrency.process import Exit
from nixery.errors import (
    BuildFailed,
    BuildTimedOut,
    EvaluationFailed,
    NixeryError,
    NixUnavailable,
    PackagesUnavailable,
    SourceOutdated,
)
from nixery.nix.failure import failure, thrown_words


@pytest.mark.parametrize(
    ("exit", "words", "kind", "told"),
    [
        (Exit(None, 15, True), "building x", BuildTimedOut, "longer than 1800 s .*NIXERY_BUILD_TIMEOUT.*building x"),
        (Exit(None, 9, False), "", NixUnavailable, "signal 9"),
        (Exit(101, None, False), "building x timed out after 60 seconds", BuildTimedOut, "NIX_TIMEOUT.*building x"),
        (Exit(1, None, False), "building x timed out after 60 seconds", BuildTimedOut, "NIX_TIMEOUT"),
        (Exit(1, None, False), "undefined variable 'x'", EvaluationFailed, "undefined variable 'x'"),
        (Exit(100, None, False), "builder for 'x' failed", BuildFailed, "builder for 'x' failed$"),
        (Exit(1, None, False), "builder for 'x' failed", BuildFailed, "builder for 'x' failed$"),
        (Exit(100, None, False), "executing '/usr/bin/python3': No such file or directory", BuildFailed, "sandbox"),
        (
            Exit(1, None, False),
            "unable to download 'a': HTTP error 404",
            SourceOutdated,
            "has this file no more.*run nixery-debian-index again",
        ),
        (Exit(1, None, False), "", EvaluationFailed, "did not say why"),
        (Exit(127, None, False), "timeout: failed to run command", NixUnavailable, "cannot be started.*PATH"),
    ],
)
def test_what_went_wrong_and_what_to_do(exit: Exit, words: str, kind: type[NixeryError], told: str) -> None:
    error = failure(exit, words, 1800, None)
    assert type(error) is kind
    with pytest.raises(kind, match=told):
        raise error


@pytest.mark.parametrize(
    "stderr",
    [
        "error: not\n       for you\n(use '--show-trace' to show detailed location information)\n",
        "error:\n … while calling\n at x.nix:1:2:\n\n (stack trace truncated)\n\n error: not\n for you\n",
    ],
)
def test_the_words_of_what_was_thrown_are_found_in_old_and_new_nix(stderr: str) -> None:
    assert thrown_words(stderr) == "not for you"


@pytest.mark.parametrize(
    "words", ["unable to download 'a': HTTP error 404", "builder for 'x' failed", "syntax error", ""]
)
@pytest.mark.parametrize("status", [1, 100, 102])
def test_whatever_stops_a_set_from_being_opened_is_no_verdict_about_packages(status: int, words: str) -> None:
    assert type(failure(Exit(status, None, False), words, 1800, "")) is EvaluationFailed


def test_a_set_that_was_edited_meanwhile_is_outdated() -> None:
    words = "store path mismatch in (possibly filtered) path added from '/set'"
    assert type(failure(Exit(1, None, False), words, 1800, "")) is SourceOutdated


def test_a_package_that_nobody_asked_for_is_the_sets_fault() -> None:
    assert type(failure(Exit(1, None, False), "evaluation aborted", 1800, "cacert")) is EvaluationFailed


def test_a_machine_that_cannot_be_had_is_a_failed_build() -> None:
    words = "a 'x86_64-linux' with features {kvm} is required to build '/nix/store/x.drv'"
    assert type(failure(Exit(1, None, False), words, 1800, None)) is BuildFailed


def test_an_error_that_a_package_makes_is_a_verdict_about_it() -> None:
    error = failure(Exit(1, None, False), "evaluation aborted", 1800, "hello")
    assert type(error) is PackagesUnavailable
    assert str(error) == "hello cannot be evaluated: evaluation aborted"


@pytest.mark.parametrize(
    "exit", [Exit(100, None, False), Exit(1, 15, True), Exit(None, 9, False), Exit(127, None, False)]
)
def test_what_is_no_error_of_the_evaluation_is_not_blamed_on_a_package(exit: Exit) -> None:
    assert not isinstance(failure(exit, "words", 1800, "hello"), PackagesUnavailable)


def test_what_cannot_be_printed_is_left_out_of_what_is_thrown() -> None:
    assert thrown_words("error: not\x08 for\x1b[2J\n you\x00") == "not for[2J you"
