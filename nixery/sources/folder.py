"""A path of this host as it is looked at: what it contains, and how that is known to hold still."""

import contextlib
import os

from attrs import frozen

from nixery.images.graph import StorePath
from nixery.sources.content import Content
from nixery.sources.watch import Exhausted, Watch, shared_mount


@frozen
class Look:
    """What was seen. `pin`: the store path, or the content's hash; `root`: the inode that the path led to.

    `untold`: why edits are not told of; None when they are.
    """

    pin: str
    root: tuple[int, ...]
    untold: str | None


class Folder:
    """A folder or file by its path, which may come to lead elsewhere. One look at a time.

    What the path leads to is watched below. Not watched: what links in it lead to, and names that its files are given
    elsewhere (hard links) after the last look.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._content = Content()
        self._watch = Watch()
        self._exhausted: str | None = None

    def look(self) -> Look:
        """Walk and hash, in a thread. What is edited after the call began is seen by this look, or by `unedited`.

        Raises OSError.
        """
        self._watch.edited()  # what came until now will be seen
        root = _root(self._path)  # before anything else: if the path leads elsewhere from now on, this will differ
        real = os.path.realpath(self._path)
        if _immutable(real):
            self._watch.close()
            return Look(real, root, None)
        mount = shared_mount(real)
        untold = self._exhausted if mount is None else f"{mount} does not tell of all edits"
        if untold is None:
            with contextlib.suppress(Exhausted):
                return Look(self._watched_hash(real), root, None)
        self._watch.close()
        return Look(self._content.hash(real), root, untold or self._exhausted)

    def _watched_hash(self, real: str) -> str:
        try:
            with self._watch.round() as watch:
                return self._content.hash(real, watch)
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
