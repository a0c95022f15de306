"""JSON in one form only, for values that are hashed: equal values have equal bytes, different ones different bytes."""

import hashlib
import json


def encode(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; raises ValueError for text that UTF-8 cannot carry."""
    # ASCII escapes would write two lone surrogates and the character that they make together alike.
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode()


def fingerprint(value: object) -> str:
    """The sha256 of encode(value), 64 hexadecimal digits."""
    return hashlib.sha256(encode(value)).hexdigest()


class OtherVersion(ValueError):
    """What was read back is of another version of ours: it counts as none, and is no fault."""
