"""A blob on its way out: in pieces, no faster than the client takes them, and ended cleanly on every path.

A file that a client gets over plain TCP does not come into our memory: the kernel sends it (see sending). Of all else,
one piece is read or waits in the transport at a time, whatever the blob's size.
"""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from nixery.registry import sending
from nixery.registry.conditions import Span
from nixery.registry.contents import Content
from nixery.registry.sending import Handover
from nixery.registry.waiting import Waiting

_log = Logger()


def send(
    request: Request,
    opening: Callable[[], Awaitable[Content]],
    begin: Callable[[], None],
    clock: IReactorTime,
    span: Span,
) -> Deferred[Handover | None]:
    """Open a content, call `begin` to set the answer's headers, and write its `span`; for HEAD, only the former.

    Fires when all is written, or with what is to be rendered to have it sent; fails with what `opening` raises, and
    then nothing was written. When it breaks off later, the connection is aborted, as that alone tells the client, and
    the Deferred is left to be cancelled with the lost connection. Cancelling ends the sending; the content is closed as
    soon as no read is under way.
    """
    flow = _Flow(request, clock, span)
    waiter: Deferred[Handover | None] = Deferred(lambda _: flow.stopProducing())

    def ended(rest: Handover | None) -> None:
        if not flow.stopped:
            waiter.callback(rest)

    def not_begun(failure: Failure) -> None:
        if waiter.called:
            _log.failure("a blob could not be sent, and the client has left", failure)
        else:
            waiter.errback(failure)

    Deferred.fromCoroutine(_send(request, opening, begin, flow)).addCallbacks(ended, not_begun)
    return waiter


async def _send(
    request: Request, opening: Callable[[], Awaitable[Content]], begin: Callable[[], None], flow: "_Flow"
) -> Handover | None:
    content = await opening()
    with ExitStack() as held:
        held.callback(content.close)
        if flow.stopped:
            return None
        begin()
        if request.method == b"HEAD":
            return None
        if (way := sending.way(request, content, flow.span, flow.clock)) is not None:
            held.pop_all()
            return Handover(way)
        await flow.carry(content)
        return None


@implementer(IPushProducer)
class _Flow:
    """One content's way into one request, and what the transport says: go on, wait, or stop."""

    def __init__(self, request: Request, clock: IReactorTime, span: Span) -> None:
        self.stopped = False
        self.span = span
        self.clock = clock
        self._request = request
        self._resumed: Deferred[None] | None = None
        self._waiting = Waiting(clock, request.transport)

    async def carry(self, content: Content) -> None:
        """Write the content; where not all of it can be written, abort the connection and be stopped."""
        self._request.registerProducer(self, True)
        try:
            await self._write(content)
        except Exception:
            _log.failure("a blob of {size} bytes broke off", size=content.size)
            self._abort()
        if not self.stopped:
            self._request.unregisterProducer()

    async def _write(self, content: Content) -> None:
        offset, end = self.span.first, self.span.first + self.span.length
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
            self._waiting.begin(self._abort)

    def resumeProducing(self) -> None:
        """The client took it all."""
        resumed, self._resumed = self._resumed, None
        self._waiting.over()
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
