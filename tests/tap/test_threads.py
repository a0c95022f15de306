"""Which threads read files, and which send them, in both of our services."""

import os
from pathlib import Path
from typing import Any

import pytest
from twisted.application.service import IServiceCollection
from twisted.internet import reactor

from nixery import tap
from nixery.config import read_config
from nixery.registry.contents import Pools
from nixery.registry.routes import Registry
from nixery.tap import stored
from nixery.tap.daemon import FILE_THREADS, SEND_THREADS

SET = str(Path(__file__).parent.parent.parent / "nixery" / "expressions" / "debian")


@pytest.mark.parametrize("wiring", [pytest.param(tap, marks=pytest.mark.integration), stored])
def test_some_threads_wait_for_files_and_others_send_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wiring: Any
) -> None:
    given: list[tuple[Any, Pools]] = []

    def make(images: Any, storage: Any, pools: Pools, *others: Any) -> Registry:
        given.append((storage, pools))
        return Registry(images, storage, pools, *others)

    monkeypatch.setattr(wiring, "Registry", make)
    (tmp_path / "storage").mkdir()
    environment = {"PATH": os.environ["PATH"], "STATE_DIRECTORY": str(tmp_path), "NIXERY_PKGS_PATH": SET}
    services = list(IServiceCollection(wiring.wire(read_config(environment, {}, "x86_64", 1, None), reactor)))
    [(storage, pools)] = given
    assert pools.files._pool.max == FILE_THREADS  # type: ignore[attr-defined]
    assert pools.senders._size == SEND_THREADS
    assert storage._disk.threads is pools.files
    # They are started, and end when nothing needs them any more.
    assert {pools.files, pools.senders} <= set(services[: services.index(storage)])
