from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from nixery.concurrency.ordered import OrderedServices


class Slow(Service):
    """Stops when the test says so."""

    def __init__(self, log: list["Slow"]) -> None:
        self.log = log
        self.stopped: Deferred[None] = Deferred()

    def stopService(self) -> Deferred[None]:
        super().stopService()
        self.log.append(self)
        return self.stopped


class OrderedServicesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.log: list[Slow] = []
        self.services = OrderedServices()
        self.first, self.second = Slow(self.log), Slow(self.log)
        for service in (self.first, self.second):
            service.setServiceParent(self.services)
        self.services.startService()

    def test_each_is_stopped_when_the_one_after_it_has_ended(self) -> None:
        done = self.services.stopService()
        assert self.log == [self.second]
        self.second.stopped.callback(None)
        assert self.log == [self.second, self.first]
        self.assertNoResult(done)
        self.first.stopped.callback(None)
        self.successResultOf(done)
        assert not self.services.running

    def test_one_that_fails_to_stop_keeps_the_others_from_nothing(self) -> None:
        done = self.services.stopService()
        self.second.stopped.errback(RuntimeError("cannot stop"))
        self.first.stopped.callback(None)
        self.successResultOf(done)
        assert len(self.flushLoggedErrors(RuntimeError)) == 1
