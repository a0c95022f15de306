"""Why a run of Nix failed, as one of our errors: what failed, where, and what to do next."""

import re

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
from nixery.images.name import ALWAYS

# nix-build's exit status is 1 for an evaluation that failed, and otherwise a set of bits with 100 for a build that
# failed and 101 for one that timed out (Nix manual, "nix-build", and Worker::exitStatus).
_EVALUATION, _TIMED_OUT = 1, 101

# timeout(1), "Exit status": the program was found and cannot be started, or was not found.
_NOT_STARTED = (126, 127)

_OVERRAN = re.compile(r"timed out after \d+ seconds")
_HIDDEN_PROGRAM = re.compile(r"executing '(/[^']*)': No such file or directory")
_STALE_INDEX = re.compile(r"unable to download '([^']*)': HTTP error 404")
_EDITED = re.compile(r"store path mismatch in \(possibly filtered\) path added from")  # builtins.path, in path.nix
_BUILD = re.compile(
    r"builder for '|build of '|timed out after|dependencies of derivation|unable to download|hash mismatch"
    r"|is required to build '"
)


def failure(exit: Exit, words: str, build_seconds: float, looked_at: str | None) -> NixeryError:
    """The error for a run that ended badly and said `words`; `build_seconds` is the most that a run may take.

    `looked_at`: the package whose evaluation had begun; empty where that of the set had; None where it was over.
    """
    if exit.timed_out:
        return BuildTimedOut(
            f"the build took longer than {build_seconds:g} s and was ended (NIXERY_BUILD_TIMEOUT){_after(words)}"
        )
    if exit.signal is not None:
        return NixUnavailable(f"nix-build was ended by signal {exit.signal}{_after(words)}")
    if exit.status in _NOT_STARTED:
        return NixUnavailable(f"nix-build cannot be started: {words}; is Nix still on the daemon's PATH?")
    if exit.status == _TIMED_OUT or _OVERRAN.search(words):
        return BuildTimedOut(f"a builder took too long (NIX_TIMEOUT): {words}")
    if _EDITED.search(words):
        return SourceOutdated("the package set was edited while Nix read it: pull again")
    if looked_at == "" or (exit.status == _EVALUATION and not _BUILD.search(words)):
        return not_evaluated(looked_at or "", words or "Nix did not say why")
    kind = SourceOutdated if _STALE_INDEX.search(words) else BuildFailed
    return kind(f"Nix cannot build the image: {words or 'it did not say why'}{_hint(words)}")


def not_evaluated(name: str, words: str) -> NixeryError:
    """The error for a package that ends the evaluation, or with no name for the set.

    Where nobody asked for the package, as it is in every image, it is the set's fault.
    """
    if name in ("", *ALWAYS):
        return EvaluationFailed(f"Nix cannot evaluate the package set: {words}")
    return PackagesUnavailable(f"{name} cannot be evaluated: {words}")


def thrown_words(stderr: str) -> str:
    """What an evaluation that ended in an error says of its cause: a newer Nix says it last, below its trace."""
    told = stderr.partition("(use '--show-trace'")[0]
    return "".join(filter(str.isprintable, " ".join(told.rpartition("error:")[2].split())))


def _after(words: str) -> str:
    return f"; the last that it said: {words}" if words else ""


def _hint(words: str) -> str:
    hidden = _HIDDEN_PROGRAM.search(words)
    if hidden is not None:
        return (
            f". Nix's sandbox hides {hidden[1]} of this host, which the package set builds with: set `sandbox = false` "
            "or `extra-sandbox-paths` (see docs/debian-package-set.md)"
        )
    if _STALE_INDEX.search(words):
        return (
            ". The server has this file no more. A newer state of the package set may name another: for Debian's, "
            "run nixery-debian-index again"
        )
    return ""
