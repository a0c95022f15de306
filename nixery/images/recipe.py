"""The recipe of an image: all that decides on its content before anything is built, and the key that stands for it."""

import hashlib
import json
from collections.abc import Iterable
from typing import Self

from attrs import field, frozen
from attrs.validators import deep_iterable, instance_of, optional

from nixery.images.canonical import encode
from nixery.images.name import ALWAYS, Platform

KEY_VERSION = 4
"""Raised whenever the same recipe gives another image."""

_text = instance_of(str)
_texts = deep_iterable(_text, instance_of(tuple))


@frozen
class Recipe:
    """What an image is made of.

    `kind`, `pin` and `home`: see PinnedSource; `expressions`: the hash of our own Nix expressions; `packages`: in their
    order of precedence; `popularity`: its hash; `limit`: most layers; `layout`: how store paths become layers and a
    root; `encoder`: the fingerprint of what compresses layers.
    """

    kind: str = field(validator=_text)
    pin: str = field(validator=_text)
    expressions: str = field(validator=_text)
    packages: tuple[str, ...] = field(validator=_texts)
    platform: Platform = field(validator=instance_of(Platform))
    command: tuple[str, ...] = field(validator=_texts)
    popularity: str = field(validator=_text)
    limit: int = field(validator=instance_of(int))
    layout: str = field(validator=_text)
    encoder: str = field(validator=_text)
    home: str | None = field(default=None, validator=optional(_text))

    def key(self) -> str:
        """The BuildKey: 64 hexadecimal digits that no other recipe has."""
        return hashlib.sha256(self.encode()).hexdigest()

    def encode(self) -> bytes:
        """The recipe as it is stored and hashed: canonical JSON."""
        return encode(
            {
                "version": KEY_VERSION,
                "kind": self.kind,
                "pin": self.pin,
                "expressions": self.expressions,
                "packages": self.packages,
                "platform": self.platform.value,
                "command": self.command,
                "popularity": self.popularity,
                "limit": self.limit,
                "layout": self.layout,
                "encoder": self.encoder,
                "home": self.home,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """What encode wrote; raises ValueError for anything else, other versions included."""
        try:
            value = json.loads(data)
            recipe = cls(
                kind=value["kind"],
                pin=value["pin"],
                expressions=value["expressions"],
                packages=tuple(value["packages"]),
                platform=Platform(value["platform"]),
                command=tuple(value["command"]),
                popularity=value["popularity"],
                limit=value["limit"],
                layout=value["layout"],
                encoder=value["encoder"],
                home=value["home"],
            )
            written = recipe.encode()
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a recipe: {error!r}") from error
        if written != data:
            raise ValueError("not a recipe of this version in its canonical form")
        return recipe


def single(packages: Iterable[str]) -> str | None:
    """The one package beside those that are in every image, or None."""
    asked = set(packages) - set(ALWAYS)
    return asked.pop() if len(asked) == 1 else None
