"""Images from earlier states of a package set, served where the newest cannot be had."""

from datetime import UTC, datetime

from twisted.logger import Logger

from nixery.building.last_good import Good, LastGood, Wanted
from nixery.building.newest import NO_VERDICT, Newest
from nixery.building.platforms import Platforms
from nixery.building.served import Served
from nixery.errors import ManifestUnknown, NixeryError
from nixery.images.index import Rendered


class Earlier:
    """Serves the last good states of tags, with a warning here and in the log."""

    _log = Logger()

    def __init__(self, good: LastGood, newest: Newest, platforms: Platforms) -> None:
        self._good = good
        self._newest = newest
        self._platforms = platforms

    async def any(self, wanted: Wanted) -> bool:
        """Whether there is a state that may be served."""
        return bool(await self._good.states(wanted))

    async def stored(self, wanted: Wanted, why: str | None) -> Served | None:
        """The newest image that is stored, if any is. `why`: what stands against a newer one; None if nothing does."""
        for good in await self._good.states(wanted):
            rendered = await self._stored(good)
            if rendered is not None:
                return Served(rendered) if why is None else self._stale(wanted, rendered, why, good)
        return None

    async def instead(self, wanted: Wanted, error: NixeryError, end: float) -> Served:
        """The image from the newest state that works, stored or built until `end` (by the clock).

        Raises an error of the same class that says why there is none; what such a state says of the packages, too.
        """
        tried: list[str] = []
        for good in await self._good.states(wanted):
            try:
                rendered = await self._stored(good) or await self._built(wanted, good, end)
            except (*NO_VERDICT, ManifestUnknown) as other:
                tried.append(f"the state {_short(good.pin)}: {other.message}")
                continue
            return self._stale(wanted, rendered, error.message, good)
        why, earlier = error.message.rstrip("."), "; ".join(tried) or "none was served before"
        raise type(error)(f"{why}. There is no earlier state to serve instead: {earlier}") from error

    async def _stored(self, good: Good) -> Rendered | None:
        return None if good.key is None else await self._platforms.known(good.key)

    async def _built(self, wanted: Wanted, good: Good, end: float) -> Rendered:
        return (await self._newest.earlier(wanted.name, good.pin, end)).rendered

    def _stale(self, wanted: Wanted, rendered: Rendered, why: str, good: Good) -> Served:
        current = datetime.fromtimestamp(good.at, UTC).isoformat(timespec="seconds")
        warning = f"the newest packages cannot be had ({why}); these are of {_short(good.pin)}, current at {current}"
        self._log.warn("{name}:{tag}: {warning}", name=wanted.name.text, tag=wanted.tag.text, warning=warning)
        return Served(rendered, warning)


def _short(pin: str) -> str:
    return pin[:12]
