"""One connection to a registry, and how often its routes are asked for an image."""

import re

from attrs import define, field

from nixery.images.digest import Digest
from nixery.images.manifest import Format
from tests.registry.wire import RECORD, FakeImages, Reply, Wire, World, parse

LATEST = "/v2/shell/git/manifests/latest"
OCI = RECORD.manifest(Format.OCI)
BY_DIGEST = f"/v2/git/manifests/{Digest.of(OCI)}"


class CountingImages(FakeImages):
    """Counts also what is asked for by digest."""

    def __init__(self) -> None:
        super().__init__()
        self.digests: list[Digest] = []
        self.manifests = {Digest.of(OCI): OCI}

    async def by_digest(self, digest: Digest) -> bytes:
        self.digests.append(digest)
        return await super().by_digest(digest)

    @property
    def times(self) -> int:
        """How often the routes asked for an image."""
        return len(self.asked) + len(self.digests)


@define
class Client:
    """One connection, so that it is one registry that answers, and the images that it has."""

    images: CountingImages = field(factory=CountingImages)
    world: World = field(init=False)
    wire: Wire = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.world = World(images=self.images)
        self.connect()

    def connect(self) -> None:
        self.wire = self.world.connect()

    def raw(self, target: str, *lines: str, method: str = "GET") -> bytes:
        """The bytes of the answer, without what time it is."""
        self.wire.transport.clear()
        head = (f"{method} {target} HTTP/1.1", "Host: r.test", *lines, "", "")
        self.wire.send("\r\n".join(head).encode("latin-1"))
        return re.sub(rb"\r\nDate: [^\r]+", b"", self.wire.received)

    def ask(self, target: str, *lines: str, method: str = "GET") -> Reply:
        return parse(self.raw(target, *lines, method=method), method)
