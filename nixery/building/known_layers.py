"""What is known of the layers of an image that is being made: a few are looked up at once.

The answers to a hundred looks would come in one go, and requests wait for all of it. A bucket that is away takes a
minute for each.
"""

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore

from nixery.building.cache import Cache
from nixery.errors import StorageUnavailable
from nixery.images.manifest import Layer


class KnownLayers:
    """Looks up the layers of one image, in slots that all images share.

    Once a look fails, those that still wait fail too: each would take as long.
    """

    def __init__(self, cache: Cache, slots: DeferredSemaphore) -> None:
        self._cache = cache
        self._slots = slots
        self._waits: set[Deferred[DeferredSemaphore]] = set()
        self._failed: StorageUnavailable | None = None

    async def layer(self, key: str) -> Layer | None:
        """See Cache."""
        await self._turn()
        try:
            return await self._cache.layer(key)
        except StorageUnavailable as error:
            self._failed = error
            for wait in list(self._waits):
                wait.cancel()
            raise
        finally:
            self._slots.release()

    async def _turn(self) -> None:
        turn = self._slots.acquire()
        self._waits.add(turn)
        try:
            await turn
        except CancelledError:
            if self._failed is None:
                raise
            raise StorageUnavailable(self._failed.message) from None
        finally:
            self._waits.discard(turn)
