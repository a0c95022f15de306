"""An image, in all of its formats and for all of its platforms."""

from collections.abc import Callable, Mapping

from attrs import define, field

from nixery.images.digest import Digest
from nixery.validating.blobs import Blobs, Seen
from nixery.validating.checks import Checks, Place
from nixery.validating.client import Client
from nixery.validating.documents import Config, Descriptor, Document, Malformed
from nixery.validating.formats import DOCKER, OCI, Family
from nixery.validating.manifests import Manifests
from nixery.validating.reference import Reference

_MOST_LAYERS = 127  # what Docker's overlay2 takes

Step = Callable[[int, int], None]
"""Is told how many bytes of blobs have come, and how many there are."""


@define
class Image:
    """Checks one image."""

    client: Client
    reference: Reference
    step: Step
    checks: Checks = field(factory=Checks, init=False)
    _manifests: list[tuple[Place, Family, Document, str | None]] = field(factory=list, init=False)
    _done: int = field(default=0, init=False)
    _total: int = field(default=0, init=False)

    async def check(self) -> Checks:
        """All checks: first of the manifests, then of each blob once, then of how they fit together."""
        for families in [(OCI, DOCKER)] if self.reference.is_digest else [(OCI,), (DOCKER,)]:
            await self._in(families)
        blobs = await self._blobs()
        for place, _, document, platform in self._manifests:
            _fit(place, document, platform, blobs)
        return self.checks

    async def _in(self, families: tuple[Family, ...]) -> None:
        names = " or ".join(family.name for family in families)
        place = self.checks.at(f"{self.reference} ({names})")
        asked = Manifests(self.client, self.reference)
        document = await asked.by_tag(place, [type for family in families for type in family.answers])
        if document is None:
            return
        family = next((each for each in families if document.media_type in each.answers), families[0])
        if document.config is not None:
            self._found(place, family, document, None)
            return
        place.true("the index has manifests", len(document.manifests) > 0, "it has none")
        for child in document.manifests:
            await self._child(asked, family, child)

    async def _child(self, asked: Manifests, family: Family, child: Descriptor) -> None:
        place = self.checks.at(f"{self.reference} ({family.name}, {child.platform or child.digest})")
        place.true("the index names its platform", child.platform is not None, "it does not")
        document = await asked.by_digest(place, child.digest)
        if document is not None:
            place.equal("its mediaType is what the index says", document.media_type, child.media_type)
            place.equal("its size is what the index says", document.size, child.size)
            self._found(place, family, document, child.platform)

    def _found(self, place: Place, family: Family, document: Document, platform: str | None) -> None:
        if document.config is None:
            place.true("it is a manifest", False, "it is an index, in an index")
            return
        place.equal("its mediaType is that of its format", document.media_type, family.manifest)
        place.equal("its config is of its format", document.config.media_type, family.config)
        for layer in document.layers:
            known = layer.media_type in family.layers
            place.true("its layers are of its format", known, f"{layer.digest} is {layer.media_type!r}")
        self._manifests.append((place, family, document, platform))

    async def _blobs(self) -> Mapping[Digest, Seen]:
        """Check each blob once, however many manifests name it."""
        named: dict[tuple[Digest, int, bool], Descriptor] = {}
        for _, _, document, _ in self._manifests:
            for blob in document.blobs:
                named.setdefault((blob.digest, blob.size, blob is not document.config), blob)
        self._total = sum(blob.size for blob in named.values())
        checked = Blobs(self.client, self._stepped)
        seen: dict[Digest, Seen] = {}
        for (digest, _, layer), blob in named.items():
            place = self.checks.at(f"{self.reference} ({'layer' if layer else 'config'} {digest})")
            seen[digest] = await checked.seen(place, self.reference.blob(str(digest)), blob, layer)
        return seen

    def _stepped(self, more: int) -> None:
        self._done += more
        self.step(self._done, max(self._done, self._total))


def _fit(place: Place, document: Document, platform: str | None, blobs: Mapping[Digest, Seen]) -> None:
    """Check that a config is that of its manifest's layers, and of the platform that an index says."""
    layers = len(document.layers)
    place.true("it has at most 127 layers", 0 < layers <= _MOST_LAYERS, str(layers))
    assert document.config is not None
    body = blobs[document.config.digest].config
    if body is None:
        return  # which was told
    try:
        config = Config.read(body)
    except Malformed as error:
        place.true("its config can be read", False, str(error))
        return
    found = [blobs[layer.digest].diff_id for layer in document.layers]
    said = [str(diff_id) for diff_id in config.diff_ids]
    place.equal("its diff_ids are as many as its layers", len(said), layers)
    for number, (diff_id, word) in enumerate(zip(found, said, strict=False), 1):
        if diff_id is not None:
            place.equal(f"the diff ID of layer {number} is that of its tar", word, str(diff_id))
    place.equal("its history has an entry for each layer", config.filled, layers)
    place.true("its config has a platform", config.platform is not None, "it has none")
    if platform is not None:
        place.equal("its platform is what the index says", config.platform, platform)
