"""Object stores that are slow, cut off or away: images come late or are refused, and nothing wrong is ever stored."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen

from tests.integration import versitygw
from tests.integration.conftest import need
from tests.integration.daemon import running
from tests.integration.fake_gcs import fake_gcs
from tests.integration.faults import Trial, cut_at_random, cut_in_uploads, down, peak_mebibytes, slow
from tests.integration.gcs_front import front
from tests.integration.stored import explained, many_images, verified
from tests.integration.toxiproxy import Proxy, toxiproxy

COMMON = {"NIXERY_MAX_LAYERS": "2", "NIXERY_BLOBS": "proxy", "NIXERY_HOLD": "20"}
MOST_MEBIBYTES = 192


@frozen
class Way:
    """Settings of a daemon that reaches its storage by a proxy; and `direct`, of who reaches it without."""

    settings: dict[str, str]
    direct: dict[str, str]
    proxy: Proxy


@contextmanager
def s3(folder: Path) -> Iterator[Way]:
    need("versitygw", "toxiproxy-server")
    with versitygw.serving(folder / "s3") as gateway, toxiproxy(gateway.port) as proxy:
        direct = {"NIXERY_STORAGE_BACKEND": "s3", **versitygw.ENVIRONMENT, **gateway.bucket("images")}
        yield Way({**direct, "S3_ENDPOINT": proxy.url}, direct, proxy)


@contextmanager
def gcs(folder: Path) -> Iterator[Way]:
    need("fake-gcs-server", "toxiproxy-server")
    with fake_gcs("images") as port, front(port) as faithful, toxiproxy(faithful.port) as proxy:
        direct = {
            "NIXERY_STORAGE_BACKEND": "gcs",
            "GCS_BUCKET": "images",
            "STORAGE_EMULATOR_HOST": faithful.url,
        }
        yield Way({**direct, "STORAGE_EMULATOR_HOST": proxy.url}, direct, proxy)


STORES = {"s3": s3, "gcs": gcs}
FAULTS = {fault.__name__: fault for fault in (slow, cut_in_uploads, cut_at_random, down)}
CASES = [(store, fault) for store in STORES for fault in FAULTS]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[tuple[str, str], Future[int]]]:
    """All cases side by side, as most of it is waiting: the memory in MiB that each daemon had at most."""
    with ThreadPoolExecutor(len(CASES)) as threads:
        yield {case: threads.submit(undergone, *case, tmp_path_factory.mktemp("-".join(case))) for case in CASES}


def undergone(store: str, fault: str, folder: Path) -> int:
    packages = many_images(folder / "packages")
    began = time.monotonic()
    with STORES[store](folder) as way:
        settings = {"NIXERY_PKGS_PATH": str(packages), **COMMON, **way.settings}
        with running(folder / "daemon", **settings) as daemon, explained(daemon):
            trial = Trial(daemon, way.proxy)
            trial.undergo(FAULTS[fault])
            peak = peak_mebibytes(daemon)
        words = verified(folder / "reader", way.direct)
    print(f"{store} {fault}: {time.monotonic() - began:.0f} s, {peak} MiB; {dict(trial.answers)}; {words}")
    return peak


@pytest.mark.parametrize(("store", "fault"), CASES)
def test_images_come_and_all_that_is_stored_is_right(
    outcomes: Mapping[tuple[str, str], Future[int]], store: str, fault: str
) -> None:
    assert outcomes[store, fault].result() < MOST_MEBIBYTES
