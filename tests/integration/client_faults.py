"""How the registry comes to each of its errors, and which of them no client meets."""

import shutil
from collections.abc import Callable, Mapping

from attrs import frozen

from nixery import errors
from nixery.errors import NixeryError
from tests.integration.daemon import Daemon


@frozen
class Fault:
    """What is asked for, what is answered, and what happened to the daemon before."""

    error: type[NixeryError]
    name: str = "hello"
    tag: str = "latest"
    happens: Callable[[Daemon], object] = lambda daemon: None


def _gone(daemon: Daemon) -> None:
    shutil.rmtree(daemon.settings["NIXERY_PKGS_PATH"])


def _edited(daemon: Daemon) -> None:
    with open(daemon.settings["NIXERY_PKGS_PATH"] + "/default.nix", "w") as file:
        file.write("{ }: { hello = ")


def _killed(daemon: Daemon) -> None:
    (daemon.folder / "bin" / "nix-build").write_text("#!/bin/sh\nkill -KILL $$\n")


def _unreadable(daemon: Daemon) -> None:
    assert daemon.ask("/v2/").status == 200, "it has started: the storage comes after the port"
    shutil.rmtree(daemon.storage)
    daemon.storage.write_text("not a folder")


OF_BRANCH: Mapping[str, Fault] = {
    "no such package": Fault(errors.PackagesUnavailable, "hallo"),
    "not free": Fault(errors.PackagesUnavailable, "unfree"),
    "not a good name": Fault(errors.NameInvalid, "arm64/amd64/hello"),
    "no such tag": Fault(errors.ManifestUnknown, "hello", "no-such-branch"),
    "no such digest": Fault(errors.ManifestUnknown, "hello", f"sha256:{'0' * 64}"),
    "does not build": Fault(errors.BuildFailed, "fails"),
    "cannot be packed": Fault(errors.PackingFailed, "whiteout"),
    "still building": Fault(errors.StillBuilding, "hangs"),
}
"""Of a daemon on a git repository, which answers after a second."""

OF_FOLDER: Mapping[str, Fault] = {
    "takes too long": Fault(errors.BuildTimedOut, "hangs"),
    "the set is wrong": Fault(errors.EvaluationFailed, happens=_edited),
    "the set is gone": Fault(errors.SourceUnavailable, happens=_gone),
    "Nix is killed": Fault(errors.NixUnavailable, happens=_killed),
    "the storage fails": Fault(errors.StorageUnavailable, happens=_unreadable),
}
"""Of a daemon on a folder whose builders may take two seconds; each has a daemon of its own."""

ELSEWISE: Mapping[str, type[NixeryError]] = {"pushing": errors.Unsupported, "stopping": errors.ShuttingDown}
"""What no pull of a daemon at rest meets."""

UNMET: Mapping[type[NixeryError], str] = {
    errors.ConfigError: "is told to whoever starts the daemon",
    errors.RequestInvalid: "of requests that are no HTTP",
    errors.TagInvalid: "clients check tags themselves",
    errors.DigestInvalid: "clients check digests themselves",
    errors.AlgorithmUnknown: 'looks as "no such digest" does: 404',
    errors.NameUnknown: "of addresses that clients do not ask for",
    errors.PageInvalid: "of lists in pages, which clients ask for rightly",
    errors.RangeInvalid: "clients that go on ask for a part that is there",
    errors.BlobUnknown: "of a blob that is lost between the manifest and the blob",
    errors.StillFetching: 'looks as "still building" does: 503',
    errors.SourceOutdated: 'looks as "does not build" does: 500',
}
"""Why no client meets them, or what else they look like."""
