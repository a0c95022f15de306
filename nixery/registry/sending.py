"""A file's way into a plain TCP connection: the kernel sends it, and it does not come into our memory (sendfile(2))."""

import os
from socket import SocketIO

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

from nixery.registry.conditions import Span
from nixery.registry.contents import PIECE, Content, OpenFile
from nixery.registry.resident import can_say, in_memory
from nixery.registry.waiting import Waiting

MOST = 4 * 1024 * 1024
"""Bytes that a thread is to send at a time: as many as a socket holds at most, as a rule (tcp(7), tcp_wmem)."""

ALONE = 512 * 1024
"""The same for a client that is alone, which has a fifth more so where it shares our cores: it is left time to read."""

LITTLE = 256 * 1024
"""The same for a socket that took less: the more there is to send, the longer it takes to see what is in memory."""

_log = Logger()


@implementer(IPushProducer)
@define(eq=False)
class Sending:
    """The rest of an answer whose head is set: it sends the file, closes it, and ends the request.

    Threads send it in parts, and the reactor hears of it when all is sent: what handing over each part costs is time of
    cores that clients may need. Where not all can be sent, the connection is aborted, as that alone tells the client.
    There is one of these for each client that reads slowly, so it is small.
    """

    _request: Request
    _transport: Server
    _file: OpenFile
    _offset: int
    _end: int
    _waiting: Waiting
    _took_little: bool = False
    _held: SocketIO | None = None
    _stopped: bool = False

    def begin(self) -> None:
        """Send the head, and then the file as the client takes it."""
        self._request.registerProducer(self, True)
        self._request.write(b"")
        self._request.responseHeaders = Headers()  # those that are written would be a tenth of what a client costs
        self._wait()

    def _wait(self) -> None:
        """Have the transport call resumeProducing when all is written, and its socket takes more."""
        self._waiting.begin(self._abort, self._given)
        self._transport.producerPaused = True
        self._transport.startWriting()

    def pauseProducing(self) -> None:
        """Go on: who sends sees when the socket is full."""

    def resumeProducing(self) -> None:
        """Have the rest sent, as far as it is in memory.

        Else the next part may have to come from a disk: it is sent in the pool for files, and the client's time does
        not run meanwhile. Such parts are short: whoever has a file opened waits behind all that are read.
        """
        # Held, the socket keeps its descriptor when the connection ends. Else that number could be another client's by
        # then, who would get what a thread sends.
        self._held = self._transport.socket.makefile("wb", buffering=0)
        length = self._length
        if in_memory(self._file.descriptor, self._offset, length):
            try:
                self._file.pools.senders.begin(self)
            except OSError:
                self.over(Failure())
        else:
            self._waiting.over()
            read = self._file.pools.files.run(self._send, min(length, PIECE))
            Deferred.fromCoroutine(read).addCallbacks(lambda sent: self.over(None), self.over)

    def fileno(self) -> int:
        """See nixery.concurrency.senders.Outgoing, as for the next two."""
        assert self._held is not None
        return self._held.fileno()

    def part(self) -> bool:
        """Send what is in memory."""
        length = self._length
        if not in_memory(self._file.descriptor, self._offset, length):
            return False
        self._took_little = self._send(length) < LITTLE
        return self._offset < self._end

    def over(self, failure: Failure | None) -> None:
        """Go on with what comes from the disk, or is not sent for another reason, or end."""
        self._let_go()
        if self._stopped:
            self._file.close()
        elif failure is not None:
            self._failed(failure)
        elif self._offset < self._end:
            self._wait()
        else:
            self._finish()

    @property
    def _length(self) -> int:
        """Bytes of the next part."""
        usual = ALONE if self._file.pools.senders.alone else MOST
        return min(LITTLE if self._took_little else usual, self._end - self._offset)

    def _send(self, length: int) -> int:
        """How many bytes the socket took: none where it is full, or the client has left meanwhile.

        Raises OSError, and EOFError at the file's end.
        """
        if self._stopped:
            return 0
        try:
            sent = os.sendfile(self.fileno(), self._file.descriptor, self._offset, length)
        except BlockingIOError:
            return 0
        if not sent:
            raise EOFError(f"the content ended after {self._offset} bytes")
        self._request.sentLength += sent
        self._offset += sent
        return sent

    def _given(self) -> int:
        return self._offset

    def _let_go(self) -> None:
        assert self._held is not None
        self._held.close()
        self._held = None

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
            if self._held is None:
                self._file.close()
            elif self._file.pools.senders.leave(self):
                self.over(None)


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
