"""A file's way into a plain TCP connection: the kernel sends it, and it does not come into our memory (sendfile(2))."""

import os

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.tcp import Server
from twisted.internet.unix import Server as UnixServer
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from nixery.concurrency.pool import Inline, Pool
from nixery.registry.conditions import Span
from nixery.registry.contents import PIECE, Content, OpenFile
from nixery.registry.resident import can_say, in_memory
from nixery.registry.waiting import Waiting

MOST = 4 * 1024 * 1024
"""Bytes that a thread is to send at a time: as many as a socket holds at most, as a rule (tcp(7), tcp_wmem)."""

MANY = 16 * 1024 * 1024
"""The same while others wait for a thread: what handing over costs is time of the cores that all of them need."""

LITTLE = 256 * 1024
"""Bytes that take less of the reactor's time to send than to hand to a thread."""

_log = Logger()
_here = Inline()


@implementer(IPushProducer)
@define(eq=False)
class Sending:
    """The rest of an answer whose head is set: it sends the file, closes it, and ends the request.

    Threads send it in parts, so that no other request waits meanwhile. Where a socket took little, its next part is
    little, and sent at once: handing that over would cost more. Where not all can be sent, the connection is aborted,
    as that alone tells the client. There is one of these for each client that reads slowly, so it is small, and no
    thread waits for a client.
    """

    _request: Request
    _transport: Server
    _file: OpenFile
    _offset: int
    _end: int
    _waiting: Waiting
    _took_little: bool = False
    _under_way: bool = False
    _stopped: bool = False

    def begin(self) -> None:
        """Send the head, and then the file as the client takes it."""
        self._request.registerProducer(self, True)
        self._request.write(b"")
        self._request.responseHeaders = Headers()  # those that are written would be a tenth of what a client costs
        self._wait()

    def _wait(self) -> None:
        """Have the transport call resumeProducing when all is written, and its socket takes more."""
        self._waiting.begin(self._abort)
        self._transport.producerPaused = True
        self._transport.startWriting()

    def pauseProducing(self) -> None:
        """Go on waiting: each part is sent when the transport asks for it."""

    def resumeProducing(self) -> None:
        """Send the next part."""
        Deferred.fromCoroutine(self._part()).addCallbacks(self._sent, self._failed)

    async def _part(self) -> int:
        """Send as much of the next part as the socket takes, in the pool for it; how many bytes that was."""
        pool, length = self._next()
        self._under_way = True
        try:
            # Held, the socket keeps its descriptor when the connection ends. Else that number could be another
            # client's by then, who would get what the thread sends.
            with self._transport.socket.makefile("wb", buffering=0) as held:
                return await pool.run(self._send, held.fileno(), length)
        finally:
            self._under_way = False
            if self._stopped:
                self._file.close()

    def _next(self) -> tuple[Pool, int]:
        """Where to send the next part, and how many bytes that is.

        While they may have to come from a disk, the client's time does not run. They are few then: whoever has a file
        opened waits behind all that are read.
        """
        senders = self._file.pools.senders
        most = LITTLE if self._took_little else MANY if senders.full else MOST
        length = min(most, self._end - self._offset)
        if not in_memory(self._file.descriptor, self._offset, length):
            self._waiting.over()
            return self._file.pools.files, min(length, PIECE)
        return senders if length > LITTLE else _here, length

    def _send(self, out: int, length: int) -> int:
        """How many bytes the socket took: none where it is full, or the client has left meanwhile.

        Raises OSError, and EOFError at the file's end.
        """
        if self._stopped:
            return 0
        try:
            sent = os.sendfile(out, self._file.descriptor, self._offset, length)
        except BlockingIOError:
            return 0
        if not sent:
            raise EOFError(f"the content ended after {self._offset} bytes")
        return sent

    def _sent(self, sent: int) -> None:
        if not self._stopped:
            self._request.sentLength += sent
            self._offset += sent
            self._took_little = sent < LITTLE
            self._wait() if self._offset < self._end else self._finish()

    def _failed(self, failure: Failure) -> None:
        if not failure.check(ConnectionError):  # by which the client is gone, before the transport sees it
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
            self._waiting.over()
            if not self._under_way:
                self._file.close()


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
    return Sending(request, transport, content, span.first, span.first + span.length, Waiting(clock, transport))
