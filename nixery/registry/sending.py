"""A file's way into a plain TCP connection: the kernel sends its pages, and none of them is copied (sendfile(2))."""

import os

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.tcp import Server
from twisted.internet.unix import Server as UnixServer
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from nixery.registry.conditions import Span
from nixery.registry.contents import PIECE, Content, OpenFile
from nixery.registry.resident import can_say, in_memory

PATIENCE = 120.0
"""Seconds after which a client that has not taken what it was sent is dropped."""

MOST = 1024 * 1024
"""Bytes sent at a time: other connections get their turn after them."""

_log = Logger()


@implementer(IPushProducer)
@define(eq=False)
class Sending:
    """The rest of an answer whose head is set: it sends the file, closes it, and ends the request.

    Where it cannot send all, it aborts the connection, as that alone tells the client. There is one of these for each
    client that reads slowly, so it is small, and nothing waits for it.
    """

    _request: Request
    _transport: Server
    _file: OpenFile
    _offset: int
    _end: int
    _clock: IReactorTime
    _timer: IDelayedCall | None = None
    _reading: bool = False
    _stopped: bool = False

    def begin(self) -> None:
        """Send the head, and then the file as the client takes it."""
        self._request.registerProducer(self, True)
        self._request.write(b"")
        self._request.responseHeaders = Headers()  # those that are written would be a tenth of what a client costs
        self._wait()

    def _wait(self) -> None:
        """Have the transport call resumeProducing when all is written, and its socket takes more."""
        if self._timer is None:
            self._timer = self._clock.callLater(PATIENCE, self._abort)
        else:
            self._timer.reset(PATIENCE)
        self._transport.producerPaused = True
        self._transport.startWriting()

    def pauseProducing(self) -> None:
        """Go on waiting: each part is sent when the transport asks for it."""

    def resumeProducing(self) -> None:
        """Send what is in memory. What is not is read in the file's pool before, which brings it there."""
        length = min(MOST, self._end - self._offset)
        if in_memory(self._file.descriptor, self._offset, length):
            self._move()
        else:
            self._forget_timer()
            self._reading = True
            reading = Deferred.fromCoroutine(self._file.read(self._offset, length))
            reading.addBoth(self._read).addCallbacks(lambda _: self._move(), self._break_off)

    def _read(self, result: bytes | Failure) -> bytes | Failure:
        self._reading = False
        if self._stopped:
            self._file.close()
        return result

    def _move(self) -> None:
        if self._stopped:
            return
        try:
            sent = self._send()
        except ConnectionError:  # seen before the transport sees it
            self._abort()
        except (OSError, EOFError):
            self._break_off(Failure())
        else:
            self._request.sentLength += sent
            self._offset += sent
            self._wait() if self._offset < self._end else self._finish()

    def _send(self) -> int:
        """How many bytes the socket took."""
        length = min(MOST, self._end - self._offset)
        try:
            sent = os.sendfile(self._transport.fileno(), self._file.descriptor, self._offset, length)
        except BlockingIOError:
            return 0
        if not sent:
            raise EOFError(f"the content ended after {self._offset} bytes")
        return sent

    def _break_off(self, failure: Failure) -> None:
        _log.failure("a blob of {size} bytes broke off", failure, size=self._file.size)
        self._abort()

    def _finish(self) -> None:
        self.stopProducing()
        self._request.unregisterProducer()
        self._request.finish()

    def _abort(self) -> None:
        self.stopProducing()
        self._transport.abortConnection()

    def stopProducing(self) -> None:
        """The client is gone, or has it all."""
        if not self._stopped:
            self._stopped = True
            self._forget_timer()
            if not self._reading:
                self._file.close()

    def _forget_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


class Handover(Resource):
    """What a route returns where a sending gives the answer: Klein then lets go of what it held for the request."""

    isLeaf = True

    def __init__(self, sending: Sending) -> None:
        self._sending = sending

    def render(self, request: Request) -> int:
        """See twisted.web.resource.IResource."""
        self._sending.begin()
        return NOT_DONE_YET


def way(request: Request, content: Content, span: Span, clock: IReactorTime) -> Sending | None:
    """A way for that part of a content; None where there is none, or it is not worth the while.

    There is none where TLS, or anything else, stands between the request and its socket, and for a file system that
    cannot say what of a file is in memory.
    """
    transport = request.transport
    if not isinstance(transport, Server) or isinstance(transport, UnixServer) or transport.TLS:
        return None
    if not isinstance(content, OpenFile) or span.length <= PIECE or not can_say(content.descriptor):
        return None
    return Sending(request, transport, content, span.first, span.first + span.length, clock)
