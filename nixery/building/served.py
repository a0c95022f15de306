"""What somebody gets who asks for an image by its tag."""

from attrs import frozen

from nixery.images.index import Rendered
from nixery.images.source import PinnedSource


@frozen
class Served:
    """An image, and what the client is to be told with it, if anything.

    `pinned`: the newest state of the package set, where it is from that.
    """

    rendered: Rendered
    warning: str | None = None
    pinned: PinnedSource | None = None
