"""A proxy that fails as networks do: toxiproxy, between a daemon and what it stands on.

Its API: https://github.com/Shopify/toxiproxy#http-api.
"""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attrs import frozen

from tests.integration.go_server import free_port, started

_SECONDS = 20.0


@frozen
class Proxy:
    """A proxy on `port`, and the port of the API that steers it."""

    api: int
    name: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, kind: str, stream: str = "upstream", toxicity: float = 1.0, **attributes: int) -> None:
        """Have connections fail in this way. `toxicity`: the part of them that does; `upstream`: from the daemon."""
        toxic = {"name": kind, "type": kind, "stream": stream, "toxicity": toxicity, "attributes": attributes}
        _asked(self.api, f"/proxies/{self.name}/toxics", toxic)

    def again(self, kind: str) -> None:
        """Draw anew which connections fail in this way, of those that are open too."""
        _asked(self.api, f"/proxies/{self.name}/toxics/{kind}", {})

    def take_down(self) -> None:
        """Cut all connections, and let no new ones in."""
        _asked(self.api, f"/proxies/{self.name}", {"enabled": False})

    def mend(self) -> None:
        """Let everything through again."""
        _asked(self.api, "/reset", {})


@contextmanager
def toxiproxy(upstream: int) -> Iterator[Proxy]:
    """A proxy that runs meanwhile, before the server on that port of 127.0.0.1."""
    api = free_port()
    with started(("toxiproxy-server", "-host", "127.0.0.1", "-port", str(api)), api):
        made = _asked(api, "/proxies", {"name": "way", "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{upstream}"})
        yield Proxy(api, "way", int(str(made["listen"]).rpartition(":")[2]))


def _asked(port: int, path: str, value: Mapping[str, object]) -> Mapping[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    connection.request("POST", path, json.dumps(value), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status in (200, 201, 204), text
    said: Mapping[str, object] = json.loads(text or "{}")
    return said
