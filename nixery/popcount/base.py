"""The last component of a store path, such as <digest>-bash-5.2, in whichever folder the store is."""

BASE = r"[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+._?=-]{1,211}"
"""As a regular expression: 32 characters of Nix's base-32 alphabet, a dash and a name (Nix manual, "Store path")."""


def digest_of(base: str) -> str:
    """What a binary cache knows the path by."""
    return base[:32]


def name_of(base: str) -> str:
    """What stands after the digest and its dash: the name that popularity counts."""
    return base[33:]
