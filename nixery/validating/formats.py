"""The media types of images, as the specifications list them.

Sources: OCI image-spec 1.1, "Media Types"; Docker's "Image Manifest V 2, Schema 2".
"""

from attrs import frozen


@frozen
class Family:
    """The media types that belong together. `layers`: of the layers that can be looked into."""

    name: str
    index: str
    manifest: str
    config: str
    layers: tuple[str, ...]

    @property
    def answers(self) -> tuple[str, str]:
        """What a tag may stand for."""
        return self.index, self.manifest


OCI = Family(
    "OCI",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    tuple(f"application/vnd.oci.image.layer.v1.tar{compression}" for compression in ("+gzip", "+zstd", "")),
)
DOCKER = Family(
    "Docker",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
    ("application/vnd.docker.image.rootfs.diff.tar.gzip",),
)
