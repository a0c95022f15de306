"""What Debian leaves to maintainer scripts, to Recommends or to a person's choice, decided here once.

Each table holds package names of Debian and Ubuntu; a name that a suite does not have decides nothing.
"""

from collections.abc import Mapping

from nixery.debian.packages import Package

# Only maintainer scripts need these, and maintainer scripts are never run.
_FOR_MAINTAINER_SCRIPTS = frozenset({
    "adduser", "base-passwd", "cdebconf", "debconf", "debconf-2.0", "default-logind", "dpkg", "dpkg-dev",
    "init-system-helpers", "install-info", "libpam-systemd", "lsb-base", "sysvinit-utils", "ucf",
})  # fmt: skip
# ... and these packages' programs really need one of them, or do not need what they name.
_EXCEPTIONS: Mapping[str, frozenset[str]] = {
    "build-essential": frozenset({"dpkg-dev"}),
    "debhelper": frozenset({"dpkg", "dpkg-dev"}),
    "dpkg-dev": frozenset({"dpkg"}),
}
_NOT_NEEDED_BY: Mapping[str, frozenset[str]] = {"ca-certificates": frozenset({"openssl"})}

# Recommends are ignored, except where a program is of no use without.
_NEEDED_THOUGH_RECOMMENDED: Mapping[str, str] = {"gcc": "libc6-dev", "clang": "libc6-dev"}

# Who provides a virtual package where neither a dependency nor a priority decides; the first is liked best.
_PREFERRED = (
    "mawk", "default-jre-headless", "default-jre", "exim4-daemon-light", "dbus", "systemd", "gcc", "g++", "libc6-dev",
    "libgl1", "libblas3", "liblapack3", "cron", "rsyslog", "nodejs", "ca-certificates", "tzdata", "xterm", "perl-base",
    "perl",
)  # fmt: skip
_LIKING = {name: place for place, name in enumerate(_PREFERRED)}
_PRIORITIES = {"required": 0, "important": 1, "standard": 2, "optional": 3, "extra": 4}

# Essential packages are nobody's declared dependency (Policy 3.8). A package that has programs gets the shell, for
# system(3); one that has scripts gets the interpreter, and for shell scripts the tools they commonly call. Which of
# these a package has is seen when it is unpacked, not from the lists.
IMPLIED: Mapping[str, tuple[str, ...]] = {
    "programs": ("dash",),
    "shell": (
        "coreutils", "dash", "debianutils", "diffutils", "findutils", "grep", "gzip", "hostname", "mawk", "sed", "tar",
    ),
    "bash": ("bash",),
    "perl": ("perl-base",),
}  # fmt: skip
_WITHOUT_PROGRAMS = frozenset({"debug", "doc", "fonts", "introspection", "libs", "localization", "oldlibs"})


def ignored_for(name: str) -> frozenset[str]:
    """Names whose clauses are left out of the dependencies of package `name`."""
    none: frozenset[str] = frozenset()
    return (_FOR_MAINTAINER_SCRIPTS | _NOT_NEEDED_BY.get(name, none)) - _EXCEPTIONS.get(name, none)


def needed_though_recommended(name: str) -> str:
    """A relationship field to add to the dependencies of package `name`; mostly empty."""
    return _NEEDED_THOUGH_RECOMMENDED.get(name, "")


def may_have_programs(package: Package) -> bool:
    """Whether it is worth to look for programs in it: libraries, fonts and documents stay free of IMPLIED."""
    return package.section not in _WITHOUT_PROGRAMS


def liking(package: Package) -> tuple[bool, int, int, int, str]:
    """Sorts the providers of a virtual package, the best first; a total order."""
    place = _LIKING.get(package.name, len(_LIKING))
    priority = _PRIORITIES.get(package.priority, _PRIORITIES["optional"])
    return (not package.essential, place, priority, len(package.name), package.name)
