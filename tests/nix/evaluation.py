"""Our expressions evaluated by the real Nix, for tests. Nothing is built, and nothing written to the store."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from nixery.nix import expressions
from nixery.nix.refusal import Refusal
from nixery.nix.report import Package, Report, looked_at, parse_report
from tests.integration.daemon import NIX_CONFIG

QUIRKS = Path(__file__).parent.parent / "integration" / "quirks.nix"
SYSTEM = "x86_64-linux"
_TRACE = "trace: nixery:"


def nix(*arguments: str, **environment: str) -> tuple[str, str]:
    """What `nix-instantiate --eval` writes to stdout and to stderr."""
    run = subprocess.run(
        ["nix-instantiate", "--eval", *arguments],
        env={**os.environ, "NIX_CONFIG": NIX_CONFIG, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return run.stdout, run.stderr


def image(names: Sequence[str], source: Path = QUIRKS, **arguments: str) -> tuple[str, str]:
    """The last that image.nix reports, and all of stderr."""
    given = {"source": str(source), "system": SYSTEM, "packages": json.dumps(names), **arguments}
    words = [word for pair in given.items() for word in ("--argstr", *pair)]
    _, stderr = nix(str(expressions.IMAGE), *words)
    reports = [line for line in stderr.splitlines() if line.startswith(_TRACE)]
    return reports[-1].removeprefix(_TRACE) if reports else "", stderr


def reported(names: Sequence[str], source: Path = QUIRKS, **arguments: str) -> Report:
    """The report on these names."""
    report, stderr = image(names, source, **arguments)
    assert looked_at(report or '""') is None, stderr
    return parse_report(report)


def verdicts(names: Sequence[str], source: Path = QUIRKS, **arguments: str) -> tuple[Package | Refusal, ...]:
    """What becomes of each name."""
    return reported(names, source, **arguments).verdicts


def package(name: str, source: Path = QUIRKS, **arguments: str) -> Package:
    """The package that a name stands for."""
    [verdict] = verdicts([name], source, **arguments)
    assert isinstance(verdict, Package), verdict
    return verdict


def opened(folder: Path, offered: Mapping[str, str] = {}, options: Sequence[str] = ()) -> tuple[object, str]:
    """What package-set.nix makes of a folder, as JSON, and stderr; None where it fails."""
    offer = "{ config = { }; overlays = [ ]; } // builtins.fromJSON offered"
    expression = f"{{ opener, folder, offered }}: import opener folder ({offer})"
    given = {"opener": str(expressions.FOLDER / "package-set.nix"), "folder": str(folder)}
    given["offered"] = json.dumps({"system": SYSTEM, **offered})
    words = [word for pair in given.items() for word in ("--argstr", *pair)]
    stdout, stderr = nix("--strict", "--json", *options, "--expr", expression, *words)
    return (json.loads(stdout) if stdout else None), stderr
