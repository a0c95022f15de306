"""Where an image is: a registry's address, a name and a tag or digest."""

import re
from typing import Self

from attrs import frozen

from nixery.errors import ConfigError, NixeryError
from nixery.fetching.address import Address, shown
from nixery.images.name import parse_components, parse_reference

_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?", re.ASCII)


@frozen
class Reference:
    """An image in a registry.

    `registry`: its URL without a path, user and password in it where there are any; `reference`: a tag or a digest.
    """

    registry: str
    name: str
    reference: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """From [http[s]://][user:password@]host[:port]/name[:tag|@digest]; raises ConfigError.

        Without a scheme it is https, but http on loopback, as Docker has it.
        """
        scheme, slashes, rest = text.rpartition("://")
        host, _, image = rest.partition("/")
        if not slashes:
            scheme = "http" if _LOOPBACK.fullmatch(host.rpartition("@")[2]) else "https"
        registry = f"{scheme}://{host}"
        name, mark, reference = image.partition("@" if "@" in image else ":")
        reference = reference if mark else "latest"
        try:
            Address.parse(registry)
            parse_components(name)
            parse_reference(reference)
        except NixeryError as error:
            raise ConfigError(f"{shown(f'{registry}/{image}')!r} is no image in a registry: {error}") from error
        return cls(registry, name, reference)

    @property
    def is_digest(self) -> bool:
        """Whether it names one manifest by its digest."""
        return ":" in self.reference

    def manifest(self, reference: str | None = None) -> str:
        """The URL of the manifest, or of another one of the same name."""
        return f"{self.registry}/v2/{self.name}/manifests/{reference or self.reference}"

    def blob(self, digest: str) -> str:
        """The URL of a blob."""
        return f"{self.registry}/v2/{self.name}/blobs/{digest}"

    def __str__(self) -> str:
        mark = "@" if self.is_digest else ":"
        return f"{Address.parse(self.registry).url.partition('//')[2]}/{self.name}{mark}{self.reference}"
