"""What of a client's taking is seen."""

import pytest
from twisted.internet.task import Clock

from nixery.registry import waiting
from nixery.registry.waiting import PATIENCE, Waiting


@pytest.mark.parametrize(
    ("sent", "untaken", "dropped"), [([10, 14], [2, 6], True), ([10, 14], [6, 2], False), ([10, 14], [2, 2], False)]
)
def test_what_a_socket_takes_is_not_what_its_client_takes(
    monkeypatch: pytest.MonkeyPatch, sent: list[int], untaken: list[int], dropped: bool
) -> None:
    in_socket, given, drops = iter(untaken), iter(sent), list[bool]()
    monkeypatch.setattr(waiting, "_untaken", lambda _: next(in_socket))
    clock = Clock()
    Waiting(clock, None).begin(lambda: drops.append(True), lambda: next(given))
    clock.pump([PATIENCE / 2, PATIENCE / 2])
    assert drops == [True] * dropped
