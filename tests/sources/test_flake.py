import pytest
import pytest_twisted

from nixery.errors import ManifestUnknown
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.flake import AsFlake
from nixery.sources.interfaces import LATEST, Origin, Source

PLAIN = PinnedSource("git", "0123", "/git.nix", (("commit", "0123"),))
FLAKE = PinnedSource("git", "0123 as flake", "/git.nix", (("commit", "0123"), ("flake", "yes")))


class Plain:
    """A source that knows one state, and nothing of flakes."""

    origin = Origin("git at a server", refs=True)

    def __init__(self, lasting: bool = True) -> None:
        self._lasting = lasting
        self.asked: list[object] = []

    async def pin(self, tag: Tag) -> PinnedSource:
        self.asked.append(tag)
        return PLAIN

    def current(self, tag: Tag) -> PinnedSource | None:
        self.asked.append(tag)
        return PLAIN if tag == LATEST else None

    async def again(self, pin: str) -> PinnedSource:
        self.asked.append(pin)
        return PLAIN

    async def still(self, pinned: PinnedSource) -> bool:
        self.asked.append(pinned)
        return True

    async def renew(self, pinned: PinnedSource) -> bool:
        self.asked.append(pinned)
        return False

    async def tags(self) -> list[str]:
        return ["latest", "main"]

    def lasting(self, tag: Tag) -> bool:
        self.asked.append(tag)
        return self._lasting


@pytest_twisted.ensureDeferred
async def test_the_set_is_told_to_be_a_flake_and_its_pins_say_so() -> None:
    source: Source = AsFlake(Plain())
    assert await source.pin(LATEST) == FLAKE
    assert source.current(LATEST) == FLAKE
    assert source.current(Tag("unknown")) is None
    assert await source.again(FLAKE.pin) == FLAKE


@pytest_twisted.ensureDeferred
async def test_the_source_itself_sees_its_own_pins_and_arguments() -> None:
    plain = Plain()
    source = AsFlake(plain)
    await source.again(FLAKE.pin)
    assert await source.still(FLAKE) is True
    assert await source.renew(FLAKE) is False
    assert plain.asked == [PLAIN.pin, PLAIN, PLAIN]


@pytest_twisted.ensureDeferred
async def test_a_pin_from_before_the_setting_is_not_taken_for_a_flakes() -> None:
    plain = Plain()
    with pytest.raises(ManifestUnknown, match="NIXERY_FLAKE"):
        await AsFlake(plain).again(PLAIN.pin)
    assert plain.asked == []


@pytest.mark.parametrize("lasting", [True, False])
def test_last_good_images_are_kept_apart(lasting: bool) -> None:
    source = AsFlake(Plain(lasting))
    assert source.lasting(LATEST) is lasting
    assert source.origin == Origin("git at a server as flake", refs=True)


@pytest_twisted.ensureDeferred
async def test_its_tags_are_those_of_the_source() -> None:
    assert await AsFlake(Plain()).tags() == ["latest", "main"]
