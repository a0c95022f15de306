"""Runs Nix for an image: one evaluation and one build, then the graph of what came out."""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence

from attrs import frozen
from twisted.logger import Logger

from nixery.concurrency.output import Capped, Lines
from nixery.concurrency.process import Exit, Processes
from nixery.concurrency.timeline import note
from nixery.errors import BuildFailed, NixeryError, NixUnavailable, PackagesUnavailable
from nixery.images.config import ImageConfig
from nixery.images.graph import Closure, StorePath
from nixery.images.name import ALWAYS
from nixery.images.recipe import single
from nixery.images.source import PinnedSource
from nixery.nix.closure import Registrations
from nixery.nix.failure import failure, not_evaluated, thrown_words
from nixery.nix.log import Log
from nixery.nix.refusal import Refusal
from nixery.nix.report import Described, Package, Report, looked_at, parse_report

_AT_ONCE = 5000
"""Store paths in one command line: some 400 kB of the 2 MB that Linux allows."""

_QUERY_SECONDS = 60.0

_TOLD = 50
"""Packages of which an error says why they cannot be had. An image that a set describes may list any number."""

_FLAKE = ("flake", "yes")
"""What package-set.nix takes as the wish for a flake. Nix has them as an experimental feature."""


@frozen
class Limits:
    """Seconds that one builder, and a whole run, may take."""

    builder: int
    run: int


@frozen
class Built:
    """What Nix built. It is held against Nix's garbage collector until release is called.

    `config`: of an image that the package set describes itself.
    """

    packages: tuple[Package, ...]
    closure: Closure
    roots_folder: str
    config: ImageConfig | None = None

    @property
    def outputs(self) -> tuple[StorePath, ...]:
        """The outputs that go into the image, in the packages' order."""
        return tuple(dict.fromkeys(output for package in self.packages for output in package.outputs))

    def release(self) -> None:
        """Let go of the garbage collector's roots: a few links, removed at once."""
        shutil.rmtree(self.roots_folder, ignore_errors=True)


class Nix:
    """Nix's programs, as found on PATH when the daemon started.

    `roots`: says where links that hold outputs may lie. `cross`: the Nix system on which packages for other systems are
    cross-built, where the package set offers that; None to build them as the set does for their own system.
    """

    _log = Logger()

    def __init__(
        self,
        processes: Processes,
        environment: Mapping[str, str],
        expression: str,
        roots: Callable[[], str],
        limits: Limits,
        cross: str | None = None,
    ) -> None:
        self._processes = processes
        self._environment = environment
        self._expression = expression
        self._roots = roots
        self._limits = limits
        self._cross = cross
        self._nix_build, self._nix_store, self._nix_instantiate = (
            processes.program(name) for name in ("nix-build", "nix-store", "nix-instantiate")
        )

    async def build(self, source: PinnedSource, names: Sequence[str], system: str) -> Built:
        """Build what these names stand for.

        Raises PackagesUnavailable with a reason for each package that cannot be had, EvaluationFailed, BuildFailed,
        BuildTimedOut, or NixUnavailable.
        """
        try:
            folder = tempfile.mkdtemp(dir=self._roots())
        except OSError as error:
            raise NixUnavailable(
                f"there is no place for links to what Nix builds: {error.strerror or error}"
            ) from error
        try:
            packages, image = await self._build(source, names, system, folder)
            closure = await self._closure([output for package in packages for output in package.outputs])
            note("graph read")
            refusal = None if image is None else image.refused(closure)
            if refusal is not None:
                raise PackagesUnavailable(str(refusal))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Built(packages, closure, folder, None if image is None else image.config)

    async def _build(
        self, source: PinnedSource, names: Sequence[str], system: str, folder: str
    ) -> tuple[tuple[Package, ...], Described | None]:
        marker = f"nixery {secrets.token_hex(16)} "  # a builder's words go to the same log, and could pass for a report
        log = Log(marker, lambda derivation: self._log.info("building {derivation}", derivation=derivation))
        options = ("--log-format", "internal-json", "--timeout", str(self._limits.builder))
        links = ("--out-link", os.path.join(folder, "root"))
        report = ("--argstr", "marker", marker)
        command = (self._nix_build, *self._evaluation(source, names, system), *report, *options, *links)
        exit = await self._run(command, Capped(4096), log, self._limits.run)
        note("Nix ended")
        if log.forged:
            raise BuildFailed(
                "a package's build passes itself off as the evaluation: Nix's sandbox would keep it from that"
            )
        if log.report is None or exit.status != 0:
            raise failure(exit, log.error, self._limits.run, looked_at(log.report))
        said = _checked(log.report)
        refusals = [verdict for verdict in said.verdicts if isinstance(verdict, Refusal)]
        if refusals:
            raise await self._refused(source, names, system, refusals)
        return tuple(verdict for verdict in said.verdicts if isinstance(verdict, Package)), said.image

    async def _refused(
        self, source: PinnedSource, names: Sequence[str], system: str, refusals: Sequence[Refusal]
    ) -> NixeryError:
        """The error for packages that cannot be had, with what the first that throws has to say."""
        told: list[Refusal] = []
        for refusal in refusals:
            if refusal.reason == "throws" and not any(earlier.detail for earlier in told):
                words = await self._thrown(source, names, system, refusal.name)
                told.append(Refusal(refusal.name, refusal.reason, words))
            else:
                told.append(refusal)
        for refusal in told:
            if refusal.reason == "throws" and refusal.name in ALWAYS:
                return not_evaluated(refusal.name, str(refusal))
        more = f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
        return PackagesUnavailable("; ".join(map(str, told[:_TOLD])) + more)

    async def _thrown(self, source: PinnedSource, names: Sequence[str], system: str, name: str) -> str:
        stderr = Capped(2048)
        command = (self._nix_instantiate, *self._evaluation(source, names, system), "--argstr", "force", name)
        await self._run(command, Capped(0), stderr, _QUERY_SECONDS)
        return thrown_words(stderr.text())

    async def _closure(self, outputs: Sequence[StorePath]) -> Closure:
        paths: list[str] = []
        lines = Lines(lambda line: paths.append(line.decode()))
        await self._query(("--query", "--requisites", *map(str, outputs)), lines)
        registrations = Registrations()
        for start in range(0, len(paths), _AT_ONCE):
            await self._query(("--dump-db", *paths[start : start + _AT_ONCE]), Lines(registrations.line))
        try:
            return registrations.closure()
        except ValueError as error:
            raise NixUnavailable(f"nix-store does not describe the closure: {error}") from error

    async def _query(self, arguments: Sequence[str], stdout: Lines) -> None:
        stderr = Capped(4096)
        exit = await self._run((self._nix_store, *arguments), stdout, stderr, _QUERY_SECONDS)
        if exit.status != 0:
            raise NixUnavailable(f"nix-store {arguments[0]} failed: {stderr.text().strip()}")

    def _evaluation(self, source: PinnedSource, names: Sequence[str], system: str) -> tuple[str, ...]:
        values = {
            "source": source.expression,
            "packages": json.dumps(list(names)),
            "image": single(names) or "",
            "system": system,
            "arguments": json.dumps(dict(source.arguments)),
            **({} if self._cross is None else {"host": self._cross}),
        }
        flakes = ("--option", "extra-experimental-features", "flakes") if _FLAKE in source.arguments else ()
        return (self._expression, *flakes, *(word for pair in values.items() for word in ("--argstr", *pair)))

    async def _run(self, command: Sequence[str], stdout: Capped | Lines, stderr: Capped | Log, seconds: float) -> Exit:
        try:
            return await self._processes.run(command, self._environment, stdout, stderr, seconds)
        except OSError as error:
            raise NixUnavailable(f"{command[0]} cannot be started: {error.strerror}") from error


def _checked(report: str) -> Report:
    try:
        return parse_report(report)
    except ValueError as error:
        raise NixUnavailable(f"the evaluation's report cannot be read: {error}") from error
