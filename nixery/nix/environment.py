"""The environment that Nix's programs get: the daemon's own, and what our use of them needs."""

import grp
from collections.abc import Mapping


def child_environment(environment: Mapping[str, str], user: int) -> dict[str, str]:
    """The environment for Nix, from the daemon's own, for a daemon that runs as the user of that number.

    Nix as root wants build users. Where the host has none, and nobody has said what to do then, it could build nothing
    at all: so it is told to build as root. The user's own nix.conf stays as it is. The host's sandbox too.
    """
    child = {**environment, "LC_ALL": "C", "NO_COLOR": "1"}
    if user == 0 and "NIX_REMOTE" not in environment and not _says_build_users(environment) and not _has_build_users():
        child["NIX_CONFIG"] = f"{environment.get('NIX_CONFIG', '')}\nbuild-users-group ="
    return child


def _says_build_users(environment: Mapping[str, str]) -> bool:
    return "build-users-group" in environment.get("NIX_CONFIG", "")


def _has_build_users() -> bool:
    try:
        return bool(grp.getgrnam("nixbld").gr_mem)
    except KeyError:
        return False
