"""All benchmarks, one after the other: `python -m benchmarks`. See docs/performance.md for what each needs."""

import subprocess
import sys

NAMES = ("packing", "cold", "manifests", "blobs", "layering", "many_blobs", "zstd")


def main() -> int:
    """Run all of them, and say which failed."""
    failed = [name for name in NAMES if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode]
    for name in failed:
        print(f"benchmarks.{name} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
