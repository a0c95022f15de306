"""Where the time of a cold pull goes: a line and a picture of when each step was done, of one real run.

    python -m benchmarks.cold [--short] [--rows FILE] [--picture FILE]    docs/timeline.svg is such a picture

Needs Nix. 60 packages of 216 MB are built first; then a daemon with an empty storage is asked for an image of all of
them. What is built stays in Nix's store until it collects garbage. The steps are those of the daemon's log
(nixery/concurrency/timeline.py); when each layer was stored is when its file got its name. All of a package's files
must be in the layers as they were made. The floor is what Nix takes; the rest is from its end to the answer.
"""

import hashlib
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.daemons import NIX, Daemon, daemon
from benchmarks.report import Row, arguments, hand_over
from benchmarks.results import contents, expect, layers_of
from benchmarks.stores import TINY, USUAL, closure_of, grown

STEP = re.compile(r"([a-zA-Z ]+) ([0-9]+)(?:-([0-9]+))?(?:, |$)")

WIDTH, LEFT, ROW, TOP = 1000, 150, 26, 30
GRID = 50
"""Milliseconds from one line to the next."""

Step = tuple[str, int, int]
"""What was done, and the milliseconds until it was first and until it was last."""


def package_set(store: Path, graph: bytes) -> str:
    """Nix's expression for packages that are those trees, and refer to each other as the graph says."""
    closure = closure_of(graph)
    packages = [
        f'{info.path.name} = package "{info.path.name}" {info.path} [ {" ".join(p.name for p in info.references)} ];'
        for info in closure
    ]
    tops = {info.path for info in closure} - {path for info in closure for path in info.references}
    return f"""
{{ system, config, overlays }}: rec {{
  package = name: tree: references: derivation {{
    inherit name system references;
    builder = "/bin/sh";
    args = [ "-ec" "cp -r ${{toString tree}} $out; chmod -R u+w $out; echo $references > $out/references" ];
    PATH = "/usr/bin:/bin";
  }};
  {" ".join(packages)}
  all = package "all" {store}/all [ {" ".join(top.name for top in sorted(tops))} ];
  cacert = all;
  iana-etc = all;
}}
"""


def cold(folder: Path, expression: str, trees: Path) -> tuple[list[Step], list[float]]:
    """The steps of a cold pull, and the milliseconds until each layer was stored."""
    with daemon(folder, expression, NIX_CONFIG=NIX) as running:
        began = time.time()
        wall = running.pull("all")
        layers = [1000 * (blob.st_ctime - began) for blob in running.layers]
        check(layers_of(running, "all"), trees)
        return [*_steps(running), ("answered", round(1000 * wall), round(1000 * wall))], layers


def _steps(running: Daemon) -> list[Step]:
    line = next(line for line in running.log if "milliseconds: " in line)
    found = STEP.findall(line.partition("milliseconds: ")[2].strip())
    return [(word.strip(), int(first), int(last or first)) for word, first, last in found]


def picture(steps: Sequence[Step], layers: Sequence[float]) -> str:
    """SVG: a row for each step, from the end of the one before; ticks where layers were stored."""
    end = steps[-1][2]
    scale = (WIDTH - LEFT - 60) / end
    height = TOP + ROW * len(steps) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for at in range(0, end + 1, GRID):
        x, marked = LEFT + at * scale, at % (10 * GRID) == 0
        parts.append(f'<path d="M{x:.1f} {TOP - 8}V{height - 8}" stroke="{"#999" if marked else "#eee"}"/>')
        if marked:
            parts.append(f'<text x="{x:.1f}" y="{TOP - 12}" text-anchor="middle">{at} ms</text>')
    before = 0
    for number, (word, _, last) in enumerate(steps):
        y, x = TOP + ROW * number, LEFT + before * scale
        wide = max(1.0, (last - before) * scale)
        parts.append(f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(word)}</text>')
        parts.append(f'<rect x="{x:.1f}" y="{y + 3}" width="{wide:.1f}" height="{ROW - 8}" fill="#7a9fc9"/>')
        if word.startswith("layers stored"):
            ticks = (f"M{LEFT + layer * scale:.1f} {y + 3}v{ROW - 8}" for layer in layers if before <= layer <= last)
            parts.append(f'<path d="{"".join(ticks)}" stroke="#1f3b5c"/>')
        parts.append(f'<text x="{x + wide + 5:.1f}" y="{y + 16}">{last - before}</text>')
        before = last
    return "\n".join([*parts, "</svg>", ""])


def check(layers: Sequence[Path], trees: Path) -> None:
    """Raises WrongResult when a file of the trees is not in the layers, or another."""
    packed = {name.rpartition("-package-")[2]: digest for name, digest in contents(layers).items()}
    for file in trees.rglob("*/*"):
        if file.is_file():
            inside = str(file.relative_to(trees)).partition("-package-")[2]
            expect(packed.get(inside), hashlib.sha256(file.read_bytes()).hexdigest(), inside)


def main(words: Sequence[str]) -> None:
    """As the module says."""
    parser = arguments(__doc__)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="where the picture goes, as SVG")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as name:
        folder, trees = Path(name), Path(name, "store")
        (trees / "all").mkdir(parents=True)
        expression = package_set(trees, grown(trees, *(TINY if options.short else USUAL)))
        with daemon(folder, expression, NIX_CONFIG=NIX) as building:
            building.pull("all")
        steps, layers = cold(folder, expression, trees)
    for word, first, last in steps:
        print(f"{word:20} {first:6} {last:6}")
    if options.picture:
        options.picture.write_text(picture(steps, layers))
    ends = {word: last for word, _, last in steps}
    rows = [Row("until Nix ended", "ms", ends["Nix ended"]), Row("until the answer", "ms", ends["answered"])]
    hand_over([*rows, Row("from Nix's end to the answer", "ms", ends["answered"] - ends["Nix ended"])], options.rows)


if __name__ == "__main__":
    main(sys.argv[1:])
