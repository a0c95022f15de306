"""nixery-validate, as a user runs it; test_valid_images.py has it look at every image of the test set."""

import subprocess
import sys
from pathlib import Path

from tests.integration.daemon import PROJECT, SECONDS, Daemon, running

NAMES = ("hello", "shell/hello", "arm64/hello", "shell/other/7zip/big")


def validate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "nixery.commands.validate", *arguments)
    return subprocess.run(command, check=False, cwd=PROJECT, capture_output=True, text=True, timeout=SECONDS)


def test_images_hold_in_each_format(daemon: Daemon) -> None:
    references = [f"127.0.0.1:{daemon.port}/{name}" for name in NAMES]
    done = validate("-v", *references)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for reference in references:
        assert f"ok   {reference}:latest (OCI): the diff ID of layer 2 is that of its tar" in done.stdout
        assert f"ok   {reference}:latest (Docker): the diff ID of layer 2 is that of its tar" in done.stdout
    digest = daemon.pull("hello").headers["Docker-Content-Digest"]
    assert validate(f"{references[0]}@{digest}").returncode == 0


def test_images_for_several_platforms_hold(tmp_path: Path, packages: Path) -> None:
    settings = {"NIXERY_PKGS_PATH": str(packages), "NIXERY_PLATFORMS": "linux/amd64,linux/arm64"}
    with running(tmp_path / "daemon", **settings) as daemon:
        references = [f"127.0.0.1:{daemon.port}/{name}" for name in NAMES]
        done = validate("-v", *references)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for family in ("OCI", "Docker"):
        for platform in ("linux/amd64", "linux/arm64"):
            assert f"ok   {references[0]}:latest ({family}, {platform}): its platform is what the index" in done.stdout


def test_an_image_that_cannot_be_had_is_told_in_the_words_of_the_registry(daemon: Daemon) -> None:
    done = validate(f"127.0.0.1:{daemon.port}/nothing", f"127.0.0.1:{daemon.port}/hello@sha256:{'0' * 64}")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("FAIL ") == 3
    assert done.stdout.count(": GET has status 200: 404 ") == 3
    assert "MANIFEST_UNKNOWN" in done.stdout


def test_a_registry_that_is_not_there_is_told(daemon: Daemon) -> None:
    daemon.stop()
    done = validate(f"127.0.0.1:{daemon.port}/hello")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("the host refuses the connection") == 2
