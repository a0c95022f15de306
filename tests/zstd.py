"""The reference for what is made and read here: zstd by its name in the standard library, or that of its backport."""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["zstd"]
