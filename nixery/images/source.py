"""A package set fixed in content: what Nix evaluates, and the identity that goes into a build's key."""

from attrs import frozen


@frozen
class PinnedSource:
    """A package set as of one moment.

    `pin` identifies the content everywhere (it is part of the BuildKey). `expression` (a file or folder that Nix
    imports) and `arguments` (strings given to the set beside system, config and overlays) say where it is on this
    host; equal pins mean equal content whatever these are. `home`: where the set is developed, for a person: a URL
    without login and query, or None where it has none; images say it.
    """

    kind: str
    pin: str
    expression: str
    arguments: tuple[tuple[str, str], ...] = ()
    home: str | None = None
