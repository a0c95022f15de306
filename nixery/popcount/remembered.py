"""What a binary cache has said so far: a file that an interrupted count goes on from, and a later one starts with."""

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from nixery.errors import ConfigError


class Remembered:
    """References by digest, in an SQLite file. A path's digest stands for its references: they never change."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it; raises ConfigError."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, isolation_level=None)
            # Each answer is there when we are killed; that the host may stop is not worth a sync for each.
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.execute("CREATE TABLE IF NOT EXISTS narinfo (digest TEXT PRIMARY KEY, refs TEXT) WITHOUT ROWID")
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def get(self, digest: str) -> tuple[str, ...] | None:
        """What was kept, or None; raises ConfigError."""
        try:
            row = self._file.execute("SELECT refs FROM narinfo WHERE digest = ?", (digest,)).fetchone()
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return None if row is None else tuple(row[0].split())

    def keep(self, digest: str, references: tuple[str, ...]) -> None:
        """Keep what a cache has said; raises ConfigError."""
        try:
            self._file.execute("INSERT OR REPLACE INTO narinfo VALUES (?, ?)", (digest, " ".join(references)))
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> ConfigError:
        return ConfigError(f"{self._path}, where narinfos are kept, cannot be used: {error}; remove it or make room")
