"""The index: everything default.nix needs to know of an architecture's packages, as JSON files it reads on demand.

Layout below the index's folder (format 1):

    index.json               see nixery.debian.description
    <arch>/meta.json         bases: addresses that `debs` count into; implied and core: see preferences.IMPLIED
    <arch>/names.json        every name -> the group it is in, or 0 for a group of that name
    <arch>/groups/<xx>.json  the groups of which the sha256 of the lead begins with xx
    <arch>/popularity.json   store path's name part -> how many groups depend on it directly
"""

import base64
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from attrs import frozen

from nixery.debian.description import Json
from nixery.debian.groups import Group, closure, group
from nixery.debian.packages import Package
from nixery.debian.preferences import IMPLIED, may_have_programs
from nixery.debian.resolve import Resolver


@frozen
class Contents:
    """One architecture's files: path below its folder -> what is in it."""

    files: Mapping[str, Json]
    groups: int
    unmet: int


def index(packages: Mapping[str, Package], architecture: str) -> Contents:
    """The files for the packages of one architecture (as `newest` chose them)."""
    resolver = Resolver(packages, architecture)
    dependencies = {name: resolver.dependencies(package) for name, package in sorted(packages.items())}
    groups = group({name: found.names for name, found in dependencies.items()})
    bases = sorted({package.base for package in packages.values()})
    files: dict[str, Json] = {
        "meta.json": _meta(groups, bases),
        "names.json": _names(groups, resolver.virtual_names()),
        "popularity.json": _popularity(groups, packages),
    }
    for prefix, shard in _shards(groups, packages, bases).items():
        files[f"groups/{prefix}.json"] = shard
    return Contents(files, len(groups), sum(found.unmet for found in dependencies.values()))


def _meta(groups: Iterable[Group], bases: list[str]) -> Json:
    groups = list(groups)
    lead_of = {name: found.lead for found in groups for name in found.members}
    implied: dict[str, Json] = {
        reason: [*sorted({lead_of[name] for name in names if name in lead_of})] for reason, names in IMPLIED.items()
    }
    depends = {found.lead: frozenset(found.depends) for found in groups}
    roots = frozenset(lead_of[name] for names in IMPLIED.values() for name in names if name in lead_of)
    return {"bases": [*bases], "implied": implied, "core": [*sorted(closure(depends, roots))]}


def _names(groups: Iterable[Group], virtual: Iterable[tuple[str, str]]) -> Json:
    lead_of = {name: found.lead for found in groups for name in found.members}
    names: dict[str, Json] = {name: lead_of[provider] for name, provider in virtual if not _FOR_BUILDS.match(name)}
    return {**names, **{name: 0 if name == lead else lead for name, lead in lead_of.items()}}


# Virtual packages that nobody types, a third of all names: features of crates, interfaces of Haskell libraries.
_FOR_BUILDS = re.compile(r"librust-|.*-[0-9a-f]{5}$")


def _popularity(groups: Iterable[Group], packages: Mapping[str, Package]) -> Json:
    counts = Counter(lead for found in groups for lead in found.depends)
    return {packages[lead].store_name: count for lead, count in counts.items()}


def _shards(groups: Iterable[Group], packages: Mapping[str, Package], bases: list[str]) -> dict[str, Json]:
    place = {base: number for number, base in enumerate(bases)}
    shards: dict[str, dict[str, Json]] = defaultdict(dict)
    for number in range(256):
        shards[f"{number:02x}"] = {}
    for found in groups:
        prefix = hashlib.sha256(found.lead.encode()).hexdigest()[:2]
        shards[prefix][found.lead] = _record(found, [packages[name] for name in found.members], place)
    return dict(shards)


def _record(found: Group, members: list[Package], place: Mapping[str, int]) -> Json:
    return {
        "version": members[0].version,
        "depends": [*found.depends],
        "programs": any(may_have_programs(package) for package in members),
        "debs": [[place[package.base], package.filename, _base64(package.sha256)] for package in members],
    }


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()
