"""The environment that Nix's programs get: the daemon's own, and what our use of them needs."""

import grp
from collections.abc import Mapping
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})

# Nix waits up to five minutes for a silent binary cache, five times over, and fails where one breaks off halfway.
_CACHES = ("connect-timeout = 5", "stalled-download-timeout = 15", "fallback = true")


def child_environment(environment: Mapping[str, str], user: int, settings: Mapping[str, str] = _NONE) -> dict[str, str]:
    """The environment for Nix, from the daemon's own, for a daemon that runs as the user of that number.

    `settings`: of nix.conf, each a name and one line, for these programs alone: they stand in place of what the host
    says. With binary caches among them, a dead one costs a bounded time and what it cannot give is built; the
    environment's NIX_CONFIG may say other times.

    Nix as root wants build users. Where the host has none, and nobody has said what to do then, it could build nothing
    at all: so it is told to build as root. The user's own nix.conf stays as it is. The host's sandbox too.
    """
    child = {**environment, "LC_ALL": "C", "NO_COLOR": "1"}
    given = environment.get("NIX_CONFIG", "")
    added = [f"{name} = {value}" for name, value in settings.items()]
    if user == 0 and "NIX_REMOTE" not in environment and not _says_build_users(environment) and not _has_build_users():
        added.append("build-users-group =")
    if added:
        bounds = _CACHES if settings.get("substituters") else ()
        child["NIX_CONFIG"] = "\n".join((*bounds, given, *added))
    return child


def _says_build_users(environment: Mapping[str, str]) -> bool:
    return "build-users-group" in environment.get("NIX_CONFIG", "")


def _has_build_users() -> bool:
    try:
        return bool(grp.getgrnam("nixbld").gr_mem)
    except KeyError:
        return False
