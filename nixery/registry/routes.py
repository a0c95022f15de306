"""The routes of the registry (OCI distribution-spec 1.1, "Endpoints"): each parses its address and answers."""

from contextlib import suppress

from attrs import Factory, field, frozen
from klein import Klein
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource
from twisted.web.server import Request

from nixery.errors import AlgorithmUnknown, BlobUnknown, ManifestUnknown, NameUnknown, Unsupported
from nixery.images.digest import Digest
from nixery.images.name import ImageName, Tag, parse_components, parse_reference
from nixery.registry import answers, blobs, listings
from nixery.registry.catalog import Catalog
from nixery.registry.contents import Pools
from nixery.registry.headers import values
from nixery.registry.interfaces import Images
from nixery.registry.known import Known, Shortcut, State
from nixery.registry.manifests import Manifest
from nixery.registry.negotiation import media_type_of, render
from nixery.registry.refusals import refuse
from nixery.registry.sending import Handover
from nixery.storage.interfaces import IStorage


@frozen
class Registry:
    """The registry's HTTP face.

    `pools` is where files are read and sent; `clock` times clients that take nothing;
    `catalog`: None to list no images.
    """

    images: Images
    storage: IStorage
    pools: Pools
    clock: IReactorTime
    catalog: Catalog | None = None
    _known: Known = field(init=False, default=Factory(lambda self: Known(self.images, self.clock), takes_self=True))

    app = Klein()

    def resource(self) -> IResource:
        """All that is below /v2: the routes, and a shortcut to what they answered a moment ago."""
        return Shortcut(self._known, self.app.resource())

    @app.route("/v2", methods=["GET"])
    @app.route("/v2/", methods=["GET"])
    def version(self, request: Request) -> bytes:
        """Say that this is a registry."""
        return answers.whole(request, b"{}", {"Content-Type": answers.JSON})

    @app.route("/v2/<path:name>/manifests/<reference>", methods=["GET"])
    async def manifest(self, request: Request, name: str, reference: str) -> bytes:
        """A manifest: by tag in the format that the client asks for, by digest as it is stored."""
        try:
            wanted = parse_reference(reference)
        except AlgorithmUnknown as error:
            raise ManifestUnknown(error.message) from None
        if isinstance(wanted, Tag):
            return await self._catalogued(request, ImageName.parse(name), wanted)
        parse_components(name)
        return await self._by_digest(request, wanted)

    async def _catalogued(self, request: Request, name: ImageName, tag: Tag) -> bytes:
        body = await self._by_tag(request, name, tag)
        if self.catalog is not None:
            await self.catalog.add(name)
        return body

    async def _by_tag(self, request: Request, name: ImageName, tag: Tag) -> bytes:
        served = await self.images.by_tag(name, tag)
        body, media_type = render(served.rendered, values(request, "Accept"))
        headers = {"Vary": "Accept", **answers.FOR_NOW, **answers.warning(served.warning)}
        manifest = Manifest.of(body, media_type, headers)
        if served.pinned is not None:
            self._known.keep(request, manifest, State(tag, served.pinned))
        return manifest.begin(request)

    async def _by_digest(self, request: Request, digest: Digest) -> bytes:
        body = await self.images.by_digest(digest)
        try:
            media_type = media_type_of(body)
        except ValueError:
            raise ManifestUnknown(f"what is stored as {digest} is not a manifest; ask for it as a blob") from None
        manifest = Manifest.of(body, media_type, answers.FOR_EVER)
        self._known.keep(request, manifest, None)
        return manifest.begin(request)

    @app.route("/v2/<path:name>/blobs/<digest>", methods=["GET"])
    async def blob(self, request: Request, name: str, digest: str) -> Handover | None:
        """A layer or a config. The name plays no part: blobs are shared by all images."""
        parse_components(name)
        try:
            parsed = Digest.parse(digest)
        except AlgorithmUnknown as error:
            raise BlobUnknown(error.message) from None
        location = await self.storage.find(parsed)
        if location is None:
            self._known.forget()  # a manifest that names it may be known
        return await blobs.answer(request, parsed, location, self.pools, self.clock)

    @app.route("/v2/_catalog", methods=["GET"])
    async def repositories(self, request: Request) -> bytes:
        """The names under which images were had, where the operator lets them be listed."""
        if self.catalog is None:
            raise NameUnknown("this registry does not list its images; its operator can have it do so: NIXERY_CATALOG")
        return listings.repositories(request, await self.catalog.names())

    @app.route("/v2/<path:name>/tags/list", methods=["GET"])
    async def tag_list(self, request: Request, name: str) -> bytes:
        """What the package set's source can name. The name plays no part: all images have the same tags."""
        parse_components(name)
        return listings.tags(request, name, await self.images.tags())

    @app.route("/v2/<path:name>/referrers/<digest>", methods=["GET"])
    def referrers(self, request: Request, name: str, digest: str) -> bytes:
        """What refers to a manifest: nothing does."""
        parse_components(name)
        with suppress(AlgorithmUnknown):
            Digest.parse(digest)
        return listings.no_referrers(request)

    @app.route("/v2/<path:name>/blobs/uploads/", strict_slashes=False)
    def upload(self, request: Request, name: str) -> bytes:
        """Where a push begins: no push gets further."""
        raise Unsupported("nothing can be pushed: this registry makes images when they are pulled")

    @app.handle_errors(Exception)
    def refused(self, request: IRequest, failure: Failure) -> bytes:
        """Whatever went wrong, as the registry's error JSON."""
        return refuse(request, failure)
