"""Tarballs of package sets, unpacked into Nix's store by nix-prefetch-url, which says the hash of what is in them."""

import os
import re
from collections.abc import Mapping

from attrs import frozen

from nixery.concurrency.coalescer import Coalescer
from nixery.concurrency.output import Capped
from nixery.concurrency.pool import Pool
from nixery.concurrency.process import Processes
from nixery.concurrency.recent import Recent
from nixery.errors import ManifestUnknown, SourceUnavailable, public
from nixery.fetching.address import shown
from nixery.sources.program import run

# What builtins.fetchTarball calls it too, so that it finds it in the store.
_OPTIONS = ("--unpack", "--print-path", "--name", "source", "--type", "sha256")
_PRINTED = re.compile(r"([0-9a-df-np-sv-z]{52})\n(/[^\n]+)\n")
_ERROR = re.compile(r"^ *error: *(?:unable to download '[^']*': )?(\S.*)$", re.MULTILINE)
_NOT_THERE = "HTTP error 404"
_OPENED_BY = ("default.nix", "flake.nix")
_AT_ONCE = 2
_TOLD = 400


@frozen
class Limits:
    """Seconds that a tarball may take as a whole, that a connection may take, and that nothing may come; and tries."""

    whole: float = 600.0
    connect: int = 15
    stalled: int = 60
    tries: int = 2

    @property
    def options(self) -> tuple[str, ...]:
        """The same for Nix (manual, conf-file)."""
        settings = {
            "connect-timeout": self.connect,
            "stalled-download-timeout": self.stalled,
            "download-attempts": self.tries,
        }
        return tuple(word for name, value in settings.items() for word in ("--option", name, str(value)))


class Tarballs:
    """Fetches each tarball once, for however many ask. `environment`: what Nix's programs get."""

    def __init__(
        self, processes: Processes, environment: Mapping[str, str], threads: Pool, limits: Limits = Limits()
    ) -> None:
        self._processes = processes
        self._program = processes.program("nix-prefetch-url")
        self._environment = environment
        self._threads = threads
        self._limits = limits
        self._fetches: Coalescer[str, str] = Coalescer(_AT_ONCE)
        self._hashes: Recent[str, str] = Recent()

    @property
    def waiting(self) -> int:
        """How many tarballs are being fetched, or wait for that."""
        return len(self._fetches)

    async def hash(self, url: str) -> str:
        """The SHA-256 (Nix's base 32) of what is in the tarball at a URL whose content never changes.

        It is in the store then. Raises ManifestUnknown when there is none, and SourceUnavailable.
        """
        return self._hashes.get(url) or await self._fetches.join(url, lambda: self._fetch(url))

    async def _fetch(self, url: str) -> str:
        stdout, stderr = Capped(4096), Capped(16384)
        command = (self._program, *_OPTIONS, *self._limits.options, "--", url)
        exit = await run(self._processes, command, self._environment, stdout, stderr, self._limits.whole)
        if exit.timed_out:
            raise _failure(url, f"not done in {self._limits.whole:g} s")
        printed = _PRINTED.fullmatch(stdout.text())
        if exit.status != 0 or printed is None:
            raise _error(url, stderr.text())
        # Nix also takes pages that are no tarballs, and makes an empty file or folder of them.
        if not await self._threads.run(_is_package_set, printed[2]):
            raise _failure(url, f"what is there is no package set in a tarball: it has no {_OPENED_BY[0]}")
        self._hashes.put(url, printed[1])
        return printed[1]


def _is_package_set(path: str) -> bool:
    return any(os.path.isfile(os.path.join(path, name)) for name in _OPENED_BY)


def _error(url: str, stderr: str) -> ManifestUnknown | SourceUnavailable:
    """What Nix says: a server's page may follow, indented."""
    found = _ERROR.search(stderr)
    said = found[1] if found else stderr.strip().rpartition("\n")[2]
    words = public("".join(filter(str.isprintable, said)))[:_TOLD]
    if _NOT_THERE in words:
        return ManifestUnknown(f"there is no {shown(url)}")
    return _failure(url, words or "nix-prefetch-url did not say why")


def _failure(url: str, why: str) -> SourceUnavailable:
    return SourceUnavailable(f"{shown(url)} cannot be fetched: {why}")
