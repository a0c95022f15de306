"""nixery-popcount: write a popularity file, by which images share their layers, for NIX_POPULARITY_URL."""

import argparse
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from nixery.commands.arguments import architecture, cache_folder
from nixery.commands.progress import Bar
from nixery.commands.reacting import INTERRUPTED, reacting
from nixery.errors import NixeryError
from nixery.fetching.proxy import Proxies
from nixery.popcount import nix
from nixery.popcount.counts import write
from nixery.popcount.debian import counts_of_index
from nixery.popcount.fetched import CacheCount, Listing, of_channel, of_digests


def main(argv: Sequence[str] | None = None) -> int:
    """The console script: 0, or 1 with one line on stderr that says what to do, or 130 when it was interrupted."""
    options = _parser().parse_args(argv)
    try:
        counts = _counts(options)
        write(counts, options.out)
    except NixeryError as error:
        print(f"nixery-popcount: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"nixery-popcount: cannot write {options.out}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("nixery-popcount: interrupted; run it again to go on", file=sys.stderr)
        return INTERRUPTED
    print(f"{options.out}: {len(counts)} names")
    return 0


def _counts(options: argparse.Namespace) -> Mapping[str, int]:
    if options.debian_index is not None:
        return counts_of_index(options.debian_index, options.arch or [])
    if options.store is not None:
        return nix.count_store(options.store).of_shared()
    if options.channel is not None:
        return _fetch(of_channel(options.channel_url, options.channel), options)
    return _fetch(of_digests(nix.outputs(options.set, options.system)), options)


def _fetch(listing: Listing, options: argparse.Namespace) -> Mapping[str, int]:
    bar = Bar(sys.stderr, "store paths", time.monotonic)
    folder, proxies = cache_folder(os.environ, options.out), Proxies.parse(os.environ)
    found = reacting(CacheCount(listing, options.cache, folder, bar, proxies).run)
    bar.end(found.asked, found.asked)
    if found.missing:
        print(f"{found.missing} of them are not in the cache, and count for nothing", file=sys.stderr)
    return found.counts.of_shared()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nixery-popcount", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    of = parser.add_mutually_exclusive_group(required=True)
    of.add_argument("--channel", type=_channel, help="count over a channel's binary cache, such as nixos-25.05")
    of.add_argument("--set", type=Path, metavar="FOLDER", help="count over the binary cache of a package set")
    of.add_argument(
        "--store", type=Path, nargs="*", metavar="PATH", help="count over the local store, or closures in it"
    )
    of.add_argument("--debian-index", type=Path, metavar="DIR", help="take what nixery-debian-index has counted")
    parser.add_argument("--channel-url", default="https://channels.nixos.org", metavar="URL", help="where channels are")
    parser.add_argument("--cache", default="https://cache.nixos.org", metavar="URL", help="the binary cache, over HTTP")
    parser.add_argument("--system", default=f"{os.uname().machine}-linux", help="Nix's system, for --set")
    parser.add_argument(
        "--arch", type=architecture, nargs="+", action="extend", help="Debian's, for --debian-index; default: all"
    )
    return parser


def _channel(text: str) -> str:
    if re.fullmatch(r"\w[\w.-]{0,127}", text, re.ASCII) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a channel, such as nixos-unstable")
    return text


if __name__ == "__main__":
    sys.exit(main())
