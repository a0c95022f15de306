"""nixery-validate: pull images from a registry, and check all that can be checked of them."""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from nixery.commands.progress import Bar
from nixery.commands.reacting import INTERRUPTED, reacting
from nixery.errors import ConfigError
from nixery.fetching.proxy import Proxies
from nixery.validating.checks import Check, Checks
from nixery.validating.reference import Reference
from nixery.validating.run import Validation


def main(argv: Sequence[str] | None = None) -> int:
    """The console script: 0 when all holds, 1 when something does not, or 130 when it was interrupted."""
    options = _parser().parse_args(argv)
    failed: list[Check] = []
    bar = Bar(sys.stderr, "bytes", time.monotonic) if sys.stderr.isatty() else None

    def tell(reference: Reference, checks: Checks) -> None:
        if bar is not None:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        failed.extend(checks.failed)
        _print(reference, checks, options.verbose)

    try:
        references = [Reference.parse(text) for text in options.references]
        proxies = Proxies.parse(os.environ)
        reacting(Validation(references, options.seconds, proxies, bar or _quiet, tell).run)
    except ConfigError as error:
        print(f"nixery-validate: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("nixery-validate: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 1 if failed else 0


def _print(reference: Reference, checks: Checks, verbose: bool) -> None:
    """What was found, and a summary."""
    for check in checks.all if verbose else checks.failed:
        words = "ok  " if check.fault is None else "FAIL"
        print(f"{words} {check.where}: {check.what}{'' if check.fault is None else f': {check.fault}'}")
    print(f"{reference}: {len(checks.all)} checks, {len(checks.failed)} failed", flush=True)


def _quiet(done: int, total: int) -> None:
    """No progress, where nobody looks."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nixery-validate", description=__doc__)
    parser.add_argument(
        "references",
        nargs="+",
        metavar="REFERENCE",
        help="[http[s]://][user:password@]host[:port]/name[:tag|@digest]; http by default on loopback, else https",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="print each check, not those alone that fail")
    parser.add_argument(
        "--seconds", type=float, default=300.0, metavar="N", help="the longest silence to wait for (default: 300)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
