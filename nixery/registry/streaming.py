"""A blob on its way out: read in pieces, no faster than the client takes them, and ended cleanly on every path.

Memory: one piece is read or waits in the transport at a time, whatever the blob's size.
"""

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from nixery.registry.conditions import Span
from nixery.registry.contents import Content

PATIENCE = 120.0
"""Seconds after which a client that has not taken the piece it was sent is dropped."""

_log = Logger()


def send(
    request: Request,
    opening: Callable[[], Awaitable[Content]],
    begin: Callable[[], None],
    clock: IReactorTime,
    span: Span,
) -> Deferred[None]:
    """Open a content, call `begin` to set the answer's headers, and write its `span`; for HEAD, only the former.

    Fires when all is written; fails with what `opening` raises, and then nothing was written. When it breaks off
    later, the connection is aborted, as that alone tells the client, and the Deferred is left to be cancelled with
    the lost connection. Cancelling ends the sending; the content is closed as soon as no read is under way.
    """
    flow = _Flow(request, clock, span)
    waiter: Deferred[None] = Deferred(lambda _: flow.stopProducing())

    def ended(complete: bool) -> None:
        if complete and not waiter.called:
            waiter.callback(None)

    def not_begun(failure: Failure) -> None:
        if waiter.called:
            _log.failure("a blob could not be sent, and the client has left", failure)
        else:
            waiter.errback(failure)

    Deferred.fromCoroutine(_send(request, opening, begin, flow)).addCallbacks(ended, not_begun)
    return waiter


async def _send(
    request: Request, opening: Callable[[], Awaitable[Content]], begin: Callable[[], None], flow: "_Flow"
) -> bool:
    """Whether the answer is complete."""
    content = await opening()
    try:
        if flow.stopped:
            return False
        begin()
        return request.method == b"HEAD" or await flow.carry(content)
    finally:
        content.close()


@implementer(IPushProducer)
class _Flow:
    """One content's way into one request, and what the transport says: go on, wait, or stop."""

    def __init__(self, request: Request, clock: IReactorTime, span: Span) -> None:
        self.stopped = False
        self._span = span
        self._request = request
        self._clock = clock
        self._resumed: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None

    async def carry(self, content: Content) -> bool:
        """Write the content; says whether all of it was written. The connection is aborted where it cannot be."""
        self._request.registerProducer(self, True)
        try:
            await self._write(content)
        except Exception:
            _log.failure("a blob of {size} bytes broke off", size=content.size)
            self._abort()
        if self.stopped:
            return False
        self._request.unregisterProducer()
        return True

    async def _write(self, content: Content) -> None:
        offset, end = self._span.first, self._span.first + self._span.length
        while offset < end and not self.stopped:
            piece = await content.read(offset, min(content.piece, end - offset))
            if not piece:
                raise EOFError(f"the content ended after {offset} bytes")
            self._request.write(piece)
            offset += len(piece)
            if self._resumed is not None:
                await self._resumed

    def pauseProducing(self) -> None:
        """The transport's buffer is full."""
        if self._resumed is None and not self.stopped:
            self._resumed = Deferred()
            self._timer = self._clock.callLater(PATIENCE, self._abort)

    def resumeProducing(self) -> None:
        """The client took it all."""
        resumed, self._resumed = self._resumed, None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if resumed is not None:
            resumed.callback(None)

    def stopProducing(self) -> None:
        """The client is gone."""
        self.stopped = True
        self.resumeProducing()

    def _abort(self) -> None:
        self.stopProducing()
        # ITransport does not declare what every stream transport of Twisted has.
        self._request.transport.abortConnection()  # type: ignore[union-attr]
