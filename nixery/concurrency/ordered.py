"""Services that stand on each other: stopped one after the other, the last first."""

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger


class OrderedServices(MultiService):
    """Starts its services in order, and stops each when those after it have ended."""

    _log = Logger()

    def stopService(self) -> Deferred[None]:
        """Fires when all have ended; one that fails to is logged and keeps the others from nothing."""
        self.running = 0
        return Deferred.fromCoroutine(self._stop([IService(service) for service in self]))

    async def _stop(self, services: list[IService]) -> None:
        for service in reversed(services):
            try:
                await maybeDeferred(service.stopService)
            except Exception:
                self._log.failure("{service} did not stop well", service=service)
