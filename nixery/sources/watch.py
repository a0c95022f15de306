"""What the kernel tells of edits below a folder (inotify(7)), and whether it would tell at all."""

import contextlib
import errno
import os
import re
from collections.abc import Callable, Iterator

from inotify_simple import INotify, flags, parse_events

from nixery.sources.content import NOT_CONTENT

_EDITS = (
    (flags.MODIFY | flags.ATTRIB | flags.CLOSE_WRITE | flags.CREATE | flags.DELETE)
    | (flags.MOVED_FROM | flags.MOVED_TO | flags.DELETE_SELF | flags.MOVE_SELF)
)  # fmt: skip
_EXHAUSTED = {errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_READ = 1 << 16

_SHARED = re.compile(r"nfs4?|cifs|smb\w*|9p|virtiofs|ceph|fuse(\..*)?|afs|lustre|gfs2|ocfs2|vboxsf|vmhgfs|prl_fs|drvfs")
"""File systems that others may write to without our kernel's knowing."""


class Watch:
    """Watches folders, each with its direct children, and says whether anything was edited.

    Opened by the first round, in the thread that walks; between rounds `edited` is asked in the reactor.
    """

    def __init__(self) -> None:
        self._inotify: INotify | None = None
        self._watched: set[int] = set()

    @contextlib.contextmanager
    def round(self) -> Iterator[Callable[[str], None]]:
        """One walk: gives a function that watches a folder or file from now on. What it is not told is let go.

        Raises Exhausted, and then watches nothing; raises OSError when a path cannot be watched.
        """
        before, self._watched = self._watched, set()
        try:
            yield self._add
        except Exhausted:
            self.close()
            raise
        except OSError:
            self._watched |= before
            raise
        if self._inotify is not None:
            for watched in before - self._watched:
                with contextlib.suppress(OSError):  # the kernel lets go itself of what is deleted
                    self._inotify.rm_watch(watched)

    def _add(self, path: str) -> None:
        try:
            if self._inotify is None:
                self._inotify = INotify(nonblocking=True)
            self._watched.add(self._inotify.add_watch(path, _EDITS | flags.DONT_FOLLOW))
        except OSError as error:
            if error.errno in _EXHAUSTED:
                raise Exhausted(error.errno, error.strerror) from error
            raise

    def edited(self) -> bool:
        """Whether anything was edited since the last call. Blocks for microseconds, and reads all that there is.

        When the kernel's queue has run over, something was; what was lost is made up for by the next round.
        """
        found = False
        if self._inotify is not None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    data = os.read(self._inotify.fileno(), _READ)
                    found = found or any(_is_edit(event.mask, event.name) for event in parse_events(data))
        return found

    def close(self) -> None:
        """Watch nothing any more; the next round opens it again."""
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None
        self._watched = set()


class Exhausted(OSError):
    """No watch, or no descriptor, is left."""


def _is_edit(mask: int, name: str) -> bool:
    return name != NOT_CONTENT and not mask & flags.IGNORED


def shared_mount(folder: str, mountinfo: str = "/proc/self/mountinfo") -> str | None:
    """The mount at, above or below a folder (a real path) of a kind that does not tell of all edits: kind and place.

    See proc(5), /proc/pid/mountinfo. Raises OSError.
    """
    above = ("", "")
    for place, kind in _mounts(mountinfo):
        if _is_below(folder, place):
            above = max(above, (place, kind), key=lambda mount: len(mount[0]))
        elif _is_below(place, folder) and _SHARED.fullmatch(kind):
            return f"{kind} at {place}"
    place, kind = above
    return f"{kind} at {place}" if _SHARED.fullmatch(kind) else None


def _mounts(mountinfo: str) -> Iterator[tuple[str, str]]:
    """Place and kind. The last one at a place hides the others, so it comes first."""
    with open(mountinfo, encoding="utf-8", errors="surrogateescape") as file:
        lines = file.read().splitlines()
    for line in reversed(lines):
        mount, _, system = line.partition(" - ")
        place = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), mount.split(" ")[4])
        yield place, system.split(" ")[0]


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
