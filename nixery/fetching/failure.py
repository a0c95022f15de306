"""Why a page could not be fetched, in words for a person."""

from collections.abc import Iterator

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import error
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.web.client import RequestGenerationFailed, RequestTransmissionFailed, ResponseFailed

_WRAPPERS = (ResponseFailed, RequestGenerationFailed, RequestTransmissionFailed)


def why(failed: BaseException) -> str:
    """What the first cause says that we have words for."""
    causes = [*_causes(failed)]
    told = (words for cause in causes if (words := _words(cause)))
    return next(told, _plain(causes[0]))


def given_up(failed: BaseException) -> bool:
    """Whether it failed because nobody waits any more."""
    return any(isinstance(cause, (CancelledError, error.ConnectingCancelledError)) for cause in _causes(failed))


def _causes(failed: BaseException) -> Iterator[BaseException]:
    """Twisted's errors of HTTP hold the failures that led to them."""
    reasons: list[Failure] = failed.reasons if isinstance(failed, _WRAPPERS) else []
    for reason in reasons:
        assert reason.value is not None
        yield from _causes(reason.value)
    if not reasons:
        yield failed


def _words(cause: BaseException) -> str | None:
    if isinstance(cause, VerificationError):
        return "TLS fails: the certificate is another host's"
    if isinstance(cause, SSL.Error):
        return f"TLS fails: {_tls(cause)}"
    for kind, words in _KNOWN.items():
        if isinstance(cause, kind):
            return words
    return None


# The more special ones first.
_KNOWN: dict[type[BaseException], str] = {
    error.ConnectionRefusedError: "the host refuses the connection",
    error.DNSLookupError: "the host's name is not found",
    error.NoRouteError: "there is no way to the host",
    error.TimeoutError: "the host does not answer",
    error.ConnectionClosed: "the connection ended before the answer did",
}


def _tls(cause: SSL.Error) -> str:
    """OpenSSL's queue of errors: (library, function, reason) each."""
    queue = cause.args[0] if cause.args else ()
    reasons = [entry[-1] for entry in queue if isinstance(entry, tuple) and entry] if isinstance(queue, list) else []
    return ", ".join(map(str, reasons)) or "the other side does not speak it"


def _plain(cause: BaseException) -> str:
    text = "".join(filter(str.isprintable, str(cause)))[:200]
    return f"{type(cause).__name__} {text}".strip()
