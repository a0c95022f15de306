"""A path of this host as it is looked at: what it contains, and how that is known to hold still."""

import contextlib
import os

from attrs import frozen

from nixery.images.graph import StorePath
from nixery.sources.content import Stamps, nar_hash, stamps
from nixery.sources.watch import Exhausted, Watch, shared_mount


@frozen
class Look:
    """What was seen. `pin`: the store path, or the content's hash; `place`: the path without links.

    `root`: the inode that the path led to; `untold`: why edits are not told of, None when they are.
    """

    pin: str
    place: str
    root: tuple[int, ...]
    untold: str | None = None


class Folder:
    """A folder or file by its path, which may come to lead elsewhere. One look at a time.

    What the path leads to is watched below. Not watched: what links in it lead to, and names that its files are given
    elsewhere (hard links) after the last look.
    """

    def __init__(self, path: str, seconds: float = float("inf")) -> None:
        self._path = path
        self._seconds = seconds
        self._watch = Watch()
        self._exhausted: str | None = None
        self._untold: tuple[Stamps, Look] | None = None

    def look(self) -> Look:
        """Walk and hash, in a thread. What is edited after the call began is seen by this look, or by `unedited`.

        Where edits are not told of, gives the last look's own Look if all stamps are as they were. Raises OSError, as
        TimeoutError when reading takes longer than `seconds`.
        """
        self._watch.edited()  # what came until now will be seen
        root = _root(self._path)  # before anything else: if the path leads elsewhere from now on, this will differ
        place = os.path.realpath(self._path)
        if _immutable(place):
            self._watch.close()
            return Look(place, place, root)
        mount = shared_mount(place)
        untold = self._exhausted if mount is None else f"{mount} does not tell of all edits"
        if untold is None:
            with contextlib.suppress(Exhausted):
                return Look(self._watched_hash(place), place, root)
        self._watch.close()
        return self._look_untold(place, root, untold or self._exhausted or "")

    def _look_untold(self, place: str, root: tuple[int, ...], untold: str) -> Look:
        now = stamps(place)  # before the content is read: what is edited since then has others
        if self._untold is not None and self._untold[0] == now and self._untold[1].root == root:
            return self._untold[1]
        look = Look(nar_hash(place, seconds=self._seconds), place, root, untold)
        self._untold = (now, look) if now.settled else None
        return look

    def _watched_hash(self, place: str) -> str:
        try:
            with self._watch.round() as watch:
                return nar_hash(place, watch, self._seconds)
        except Exhausted as error:
            self._exhausted = (
                f"it cannot be watched ({error.strerror}): raise fs.inotify.max_user_watches and "
                "fs.inotify.max_user_instances by sysctl, or the limit of open files, and start again"
            )
            raise

    def unedited(self, look: Look) -> bool:
        """Whether what the last look saw, whose edits are told of, is still there. Blocks for microseconds."""
        if self._watch.edited():
            return False
        try:
            return _root(self._path) == look.root
        except OSError:
            return False

    def close(self) -> None:
        """Watch no more; the next look begins anew."""
        self._watch.close()


def _root(path: str) -> tuple[int, ...]:
    status = os.stat(path)
    return status.st_dev, status.st_ino, status.st_ctime_ns


def _immutable(path: str) -> bool:
    try:
        StorePath.parse(path)
    except ValueError:
        return False
    return not os.stat(path).st_mode & 0o222
