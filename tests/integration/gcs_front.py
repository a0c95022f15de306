"""A proxy before fake-gcs-server that does what it leaves out, and cuts connections.

It refuses links that are not signed, and changes of metadata and removals that name another generation. It does not
pass on a part of an upload that has come already, which the server would take for the next.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from attrs import define, field

from tests.integration.passing import Answer, Passing
from tests.loopback import listening
from tests.storage.google_account import EMAIL, key
from tests.storage.signed_urls import Asked, refusal

_API = ("/storage/", "/upload/", "/download/", "/resumable/")


@define
class Front:
    """A proxy, and what it is to do.

    `cuts`: for each part of an upload to come, whether the connection breaks "before" it is passed on, "after" that, or
    not (""). `late`: by how much its clock is ahead. `forbidden`: a method that
    nobody may use. `requests`: method and path of each.
    """

    upstream: int
    cuts: list[str] = field(factory=list)
    late: timedelta = timedelta(0)
    forbidden: str = ""
    requests: list[str] = field(factory=list)
    answered: dict[str, Answer] = field(factory=dict)
    port: int = 0
    lock: threading.Lock = field(factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def noted(self, asked: Asked) -> str:
        """Note a request; when its connection is to break."""
        with self.lock:
            self.requests.append(f"{asked.method} {asked.target}")
            return self.cuts.pop(0) if self.cuts and asked.method == "PUT" else ""


@contextmanager
def front(upstream: int) -> Iterator[Front]:
    """A proxy that runs meanwhile, before the server on that port."""
    state = Front(upstream)
    with listening(partial(_Handler, state)) as state.port:
        yield state


class _Handler(Passing[Front]):
    def do_GET(self) -> None:
        asked = Asked(self.command, self.path, {name.lower(): text for name, text in self.headers.items()})
        body = self.body()
        cut = self.state.noted(asked)
        status = self._refused(asked)
        if status:
            self.answer(status, {}, b"")
        elif cut == "before":
            self.close_connection = True
        else:
            answer = self._once(asked, body)
            if cut == "after":
                self.close_connection = True
            else:
                self.answer(*answer)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _refused(self, asked: Asked) -> int:
        """The status with which Google would refuse what the server takes, or 0."""
        if asked.method == self.state.forbidden:
            return 403
        if not asked.path.startswith(_API):
            refused = refusal(asked, EMAIL, key().public_key(), datetime.now(UTC) + self.state.late)
            return 403 if refused else 0
        generation = asked.parameters.get("ifGenerationMatch")
        if asked.method not in ("PATCH", "DELETE") or generation is None:
            return 0
        status, _, body = self.passed(self.state.upstream, "GET", asked.path, asked.headers, b"")
        return 412 if status == 200 and json.loads(body)["generation"] != generation else 0

    def _once(self, asked: Asked, body: bytes) -> Answer:
        """The server's answer, which is the same when a part of an upload is sent again."""
        if asked.method != "PUT":
            return self._server(asked, body)
        part = f"{asked.target} {asked.headers['content-range']}"
        if part not in self.state.answered:
            self.state.answered[part] = self._server(asked, body)
        return self.state.answered[part]

    def _server(self, asked: Asked, body: bytes) -> Answer:
        return self.passed(self.state.upstream, asked.method, asked.target, asked.headers, body)
