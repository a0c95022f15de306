"""nixery-storage: verify what is stored, or count it; nothing is written."""

import argparse
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore

from nixery.auditing.statistics import Counting, Statistics
from nixery.auditing.verification import Verification
from nixery.commands.progress import Bar
from nixery.commands.reacting import INTERRUPTED, reacting
from nixery.concurrency.ordered import OrderedServices
from nixery.concurrency.pool import Threads
from nixery.config import StoragePlace, read_storage
from nixery.errors import NixeryError
from nixery.settings import STORAGE_SETTINGS
from nixery.storage.backend import backend_named
from nixery.storage.interfaces import IReactorThreadsTime, IStorage, Surroundings

T = TypeVar("T")

_FILE_THREADS = 8


class Reactor(IReactorThreadsTime, IReactorCore):
    """What is needed of a reactor."""


def main(argv: Sequence[str] | None = None) -> int:
    """The console script: 0, 1 when something is wrong or cannot be had, or 130 when it was interrupted."""
    options = _parser().parse_args(argv)
    given = {setting.option: getattr(options, setting.variable) for setting in STORAGE_SETTINGS}
    try:
        place = read_storage(os.environ, given)
        return _stats(place, options.json) if options.command == "stats" else _verify(place)
    except NixeryError as error:
        print(f"{_clear()}nixery-storage: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{_clear()}nixery-storage: interrupted", file=sys.stderr)
        return INTERRUPTED


def _verify(place: StoragePlace) -> int:
    def tell(fault: str) -> None:
        print(_clear(), end="", file=sys.stderr, flush=True)
        print(fault, flush=True)

    async def verified(storage: IStorage) -> Verification:
        verification = Verification(storage, tell, _bar("blobs found"), _bar("bytes of blobs"), _bar("records"))
        await verification.run()
        return verification

    found = _within(place, verified)
    outdated = f", {found.outdated} of other versions" if found.outdated else ""
    tell(
        f"{len(found.listing)} blobs ({found.listing.bytes} bytes) and {found.records} records{outdated}: "
        f"{found.faults or 'nothing'} wrong"
    )
    return 1 if found.faults else 0


def _stats(place: StoragePlace, as_json: bool) -> int:
    async def counted(storage: IStorage) -> Statistics:
        return await Counting(storage, _bar("blobs found"), _bar("images")).run()

    found = _within(place, counted)
    print(_clear(), end="", file=sys.stderr, flush=True)
    print(json.dumps(found.values()) if as_json else _table(found))
    return 0


def _table(found: Statistics) -> str:
    kinds = {
        "blobs": (found.blobs, f"{found.blob_bytes} bytes"),
        "layers": (found.layers, ""),
        "images": (found.images, f"{found.image_bytes} bytes if each were alone: sharing saves {found.saved_bytes}"),
        "indexes": (found.indexes, ""),
        "tags": (found.tags, "last good states of tags"),
        "pins": (found.pins, "refs of package sets"),
        "names": (found.names, "for the catalog"),
    }
    return "\n".join(f"{kind:<8}{count:>12}  {words}".rstrip() for kind, (count, words) in kinds.items())


def _within(place: StoragePlace, work: Callable[[IStorage], Awaitable[T]]) -> T:
    """What the work comes to, with the storage's services run around it, also when it is interrupted."""

    async def run(reactor: Reactor) -> T:
        files = Threads(reactor, _FILE_THREADS, "files")
        surroundings = Surroundings(reactor, files, os.path.join(place.state, "spool"), read_only=True)
        storage = backend_named(place.backend).make(place.settings, surroundings)
        services = OrderedServices()  # type: ignore[no-untyped-call]  # Twisted's
        for service in (files, storage):
            IService(service).setServiceParent(services)
        reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
        services.startService()  # type: ignore[no-untyped-call]  # Twisted's
        return await work(storage)

    return reacting(run)


def _bar(what: str) -> Bar:
    return Bar(sys.stderr, what, time.monotonic)


def _clear() -> str:
    """What takes a bar away, where there may be one."""
    return "\r\x1b[K" if sys.stderr.isatty() else ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nixery-storage", description=__doc__)
    for setting in STORAGE_SETTINGS:
        words = f"{setting.help} [{setting.variable}; default: {setting.default or 'none'}]".replace("%", "%%")
        parser.add_argument(f"--{setting.option}", dest=setting.variable, metavar="VALUE", help=words)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("verify", help="hash each blob anew, and see that records name only what is stored")
    stats = commands.add_parser("stats", help="say how much is stored, and what images save by sharing layers")
    stats.add_argument("--json", action="store_true", help="as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
