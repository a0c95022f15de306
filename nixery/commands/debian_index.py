"""nixery-debian-index: write the index of the embedded Debian package set from apt's lists."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nixery.commands.arguments import architecture, cache_folder
from nixery.commands.progress import progress_on
from nixery.debian.make import make_index
from nixery.errors import NixeryError


def main(argv: Sequence[str] | None = None) -> int:
    """The console script: 0, or 1 with one line on stderr that says what to do."""
    options = _parser().parse_args(argv)
    cache = cache_folder(os.environ, options.out)
    try:
        pin = make_index(options.out, options.arch or ["amd64"], cache, options.update, progress_on(sys.stderr))
    except NixeryError as error:
        print(f"nixery-debian-index: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"nixery-debian-index: cannot write {options.out}: {error}", file=sys.stderr)
        return 1
    print(f"{options.out}: {pin}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nixery-debian-index", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="the index's folder; an older index there is replaced")
    parser.add_argument("--arch", type=architecture, nargs="+", action="extend", help="Debian's names; default: amd64")
    parser.add_argument("--update", action="store_true", help="have apt fetch new lists, into a folder of our own")
    return parser


if __name__ == "__main__":
    sys.exit(main())
