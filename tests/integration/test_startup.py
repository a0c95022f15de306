"""What a start imports: the storage backend that was chosen, and no other's libraries."""

import re
from pathlib import Path

import pytest

from tests.integration.daemon import running
from tests.integration.places import PLACES

LIBRARIES = {"boto3", "botocore", "google.auth", "google.cloud.storage", "requests"}
CHOSEN = {
    "folder": set[str](),
    "s3": {"boto3", "botocore"},
    "gcs": {"google.auth", "google.cloud.storage", "requests"},
}


@pytest.mark.parametrize("kind", list(PLACES))
def test_the_libraries_of_other_backends_are_not_imported(tmp_path: Path, packages: Path, kind: str) -> None:
    with PLACES[kind](tmp_path) as place:
        settings = {**place.settings, "NIXERY_PKGS_PATH": str(packages), "PYTHONPROFILEIMPORTTIME": "1"}
        with running(tmp_path / "daemon", **settings) as daemon:
            assert daemon.pull("hello").status == 200
            imported = set(re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", daemon.log.decode(), re.MULTILINE))
    assert "nixery.tap" in imported
    assert imported & LIBRARIES == CHOSEN[kind]
