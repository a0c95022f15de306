"""What the commands share of their arguments, and of the environment."""

import argparse
import os
import re
from collections.abc import Mapping
from pathlib import Path


def architecture(text: str) -> str:
    """Debian's name of an architecture; raises ArgumentTypeError."""
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{1,30}", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of an architecture, such as amd64 or arm64")
    return text


def cache_folder(environment: Mapping[str, str], out: Path) -> Path:
    """Where what is fetched for a command is kept: in $XDG_CACHE_HOME, else beside what it writes."""
    cache = environment.get("XDG_CACHE_HOME")
    return Path(cache, "nixery") if cache and os.path.isabs(cache) else out.absolute().parent / ".nixery-cache"
