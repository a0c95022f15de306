"""What clients print, without what another run would print otherwise."""

import re
from pathlib import Path

_PROGRESS = (
    r"^.*(?:CNI config file|elapsed: |: resolving  |active check failed|\+{9}).*$",
    r"^.*(?:[Cc]opying (?:blob|config)|existing blob).*$",
    r"^.*: (?:Preparing|Waiting|Layer already exists)$",
    r"\x1b\[[0-9;]*m",
    r"^time=(?:\"[^\"]*\"|\S+) ",
    r"^\d{4}/\d\d/\d\d [\d:]+ ",
)
_NOISE = re.compile("|".join(_PROGRESS), re.MULTILINE)

_VARIES = {
    r"127\.0\.0\.1:\d+": "registry:5000",
    r"sha256:(?!0{64})[0-9a-f]{64}": "sha256:…",
    r"(?<=/nix/store/)[0-9a-z]{32}": "…",
    r"(?<=/storage)\d+/\d+": "…",
}

_MOST = 2000
"""Characters of one client's words."""


def plain(text: str, folder: Path) -> str:
    """What was printed in a folder, each line once, without time and progress."""
    once: dict[str, str] = {}
    for line in public(_NOISE.sub("", text), folder).splitlines():
        once.setdefault(re.sub(r"\(\d/\d\)", "", line).strip(), line.rstrip())
    return "\n".join(line for line in once.values() if line)[-_MOST:]


def public(text: str, folder: Path) -> str:
    """Without ports, digests, and names of folders."""
    for pattern, words in _VARIES.items():
        text = re.sub(pattern, words, text)
    return text.replace(str(folder), "/srv").replace(folder.name, "1")
