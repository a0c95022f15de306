"""Counts how widely store paths are used: over a binary cache, a local store, or the index of Debian's packages."""
