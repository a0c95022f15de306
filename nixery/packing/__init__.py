"""From store paths to layer blobs: a deterministic tar, gzip members, diff ID, digest and size in one pass."""
