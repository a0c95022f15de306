"""What the services of twistd share: their options, how they listen, and how they say that they cannot start."""

import contextlib
import gc
import sys
from collections.abc import Iterable, Iterator

from twisted.application import strports
from twisted.application.service import IService
from twisted.internet.error import CannotListenError

from nixery.concurrency.heap import give_back_large_blocks
from nixery.concurrency.ordered import OrderedServices
from nixery.config import Face
from nixery.errors import ConfigError
from nixery.registry.listening import everywhere
from nixery.registry.site import Site
from nixery.settings import Setting
from nixery.tap.wiring import Reactor

FILE_THREADS = 8

SEND_THREADS = 4
"""They wait for no disk and no client, and send some gigabytes a second each: more than a network takes."""

_TURN = 0.001
"""Seconds after which a thread (one that plans layers) lets the reactor in when that waits for the interpreter."""


def parameters(settings: Iterable[Setting]) -> list[list[str | None]]:
    """One option for each setting, and where to listen (twisted.python.usage, optParameters)."""
    listen = ["listen", None, None, "a Twisted endpoint to listen on, instead of PORT"]
    words = {s.option: f"{s.help} [{s.variable}; default: {s.default or 'none'}]" for s in settings}
    return [listen, *([option, None, None, text] for option, text in words.items())]


class Daemon(OrderedServices):
    """Ends the process with one line when its port or its folders cannot be had, rather than serve nothing."""

    def __init__(self, called: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._called = called

    def privilegedStartService(self) -> None:
        """Listen."""
        with in_one_line(self._called):
            super().privilegedStartService()  # type: ignore[no-untyped-call]  # Twisted has not typed it

    def startService(self) -> None:
        """Start all services."""
        give_back_large_blocks()
        with in_one_line(self._called):
            super().startService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        _have_requests_wait_less()


def _have_requests_wait_less() -> None:
    """Tell the interpreter that answers come first."""
    gc.freeze()  # else each full collection goes through all modules again: 11 ms and more in which nobody is served
    sys.setswitchinterval(_TURN)


@contextlib.contextmanager
def in_one_line(called: str) -> Iterator[None]:
    """End the process with one line and status 1 where it cannot start; `called`: what the line begins with."""
    try:
        yield
    except ConfigError as error:
        raise SystemExit(f"{called}: {error}") from None
    except CannotListenError as error:
        raise SystemExit(f"{called}: {error}; choose another PORT, or another endpoint by --listen") from None
    except OSError as error:
        raise SystemExit(f"{called}: cannot start: {error}") from None


def listening(face: Face, site: Site, reactor: Reactor) -> IService:
    """The port of a site; raises ConfigError."""
    endpoint = face.listen or everywhere(face.port)
    try:
        return strports.service(endpoint, site, reactor)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"--listen is {endpoint!r}, which is no Twisted endpoint: {error}") from error
