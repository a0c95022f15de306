"""What N costs: growth told apart, and a storage filled with whole images."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from benchmarks.cost.__main__ import MOST, seconds, table
from benchmarks.cost.asking import Client
from benchmarks.cost.filling import REPOSITORY, fill, manifest_of
from benchmarks.cost.growth import Curve, curves, growth
from benchmarks.report import WrongResult
from nixery.building.stored import Meaning, StoredImages
from nixery.concurrency.pool import Inline
from nixery.images.name import Platform
from nixery.sources import origins
from nixery.storage.filesystem import FilesystemStorage
from nixery.storage.folder import Folder

NUMBERS = (10, 30, 100, 300, 1000, 3000, 10_000)


def curve(cost: Callable[[int], float]) -> Curve:
    return Curve("it", tuple((n, cost(n)) for n in NUMBERS))


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("constant", [0.0, 0.1])
def test_the_exponent_of_a_power_is_found_also_above_a_constant(power: float, constant: float) -> None:
    found = growth([(n, constant + 0.01 * n**power) for n in NUMBERS])
    assert found == pytest.approx(power, abs=0.1)
    assert power != 1 or found == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("constant", [0.0, 5.0])
def test_n_log_n_is_no_worse_than_itself(constant: float) -> None:
    found = curve(lambda n: constant + n * math.log(n))
    assert found.growth == pytest.approx(found.n_log_n)
    assert 1.1 < found.n_log_n < 1.2


@pytest.mark.parametrize("cost", [lambda n: n**2, lambda n: n**1.5, lambda n: 1 + (n / 3500) ** 2])
def test_what_grows_faster_is_said_so(cost: Callable[[int], float]) -> None:
    assert curve(cost).growth > MOST * curve(cost).n_log_n
    assert "WORSE" in table(curve(cost))


@pytest.mark.parametrize("cost", [lambda n: n, lambda n: n * math.log(n), lambda n: 1 + n / 2000, lambda n: 3])
def test_what_does_not_is_not(cost: Callable[[int], float]) -> None:
    assert "WORSE" not in table(curve(cost))


def test_noise_is_no_growth() -> None:
    costs = [0.40, 0.41, 0.47, 0.39, 0.38, 0.43, 0.46]
    assert growth([*zip(NUMBERS, costs, strict=True)]) == pytest.approx(0)


def test_the_least_of_all_rounds_counts() -> None:
    costs = iter([3.0, 1.0, 2.0, 7.0, 9.0, 8.0])
    assert curves((1, 2), 3, lambda n: {"it": next(costs)}) == [Curve("it", ((1, 1.0), (2, 7.0)))]


def test_a_table_has_a_cost_and_its_nth_part() -> None:
    assert "1,000     300 ms       300 us" in table(Curve("it", ((1, 0.0003), (10, 0.003), (1000, 0.3))))
    assert [seconds(cost) for cost in (12.34, 0.0456, 2e-7)] == ["12.3 s", "45.6 ms", "0.2 us"]


@pytest_twisted.ensureDeferred
async def test_what_fills_a_storage_is_whole_images_with_their_tags(tmp_path: Path) -> None:
    fill(str(tmp_path), range(1, 3))
    fill(str(tmp_path), range(3, 5))
    storage = FilesystemStorage(Folder(str(tmp_path)), Inline())
    meaning = Meaning(origins.git(REPOSITORY, submodules=False), "", (Platform.AMD64,))
    images = StoredImages(storage, meaning, Clock())
    assert sorted(await images.tags()) == ["v1", "v2", "v3", "v4"]
    assert b"sha256:" in await images.by_digest(manifest_of(4))
    assert len(await storage.list_records("v1/names", "", 10)) == 4


class _Answer:
    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self._body = body

    def request(self, method: str, path: str, headers: object) -> None:
        """Nothing."""

    def getresponse(self) -> "_Answer":
        return self

    def read(self) -> bytes:
        return self._body


@pytest.mark.parametrize(
    ("status", "ask"),
    [
        (500, lambda client: client.get("/v2/")),
        (200, lambda client: client.expect("/v2/a/manifests/latest", "sha256:0")),
        (200, lambda client: client.count("/v2/_catalog", "repositories", 3)),
    ],
)
def test_a_wrong_answer_ends_it(status: int, ask: Callable[[Client], None]) -> None:
    with pytest.raises(WrongResult):
        ask(Client(iter([_Answer(status, b'{"repositories": ["a", "a", "b"]}')])))  # type: ignore[list-item]  # a double
