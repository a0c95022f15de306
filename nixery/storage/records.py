"""Names of records: checked once, so that none can name a file or an object outside its folder."""

import re

_RECORD = re.compile(r"v1(?:/[a-z0-9][a-z0-9.:-]{0,200}){1,4}", re.ASCII)


def checked(name: str) -> str:
    """The name itself; raises ValueError for one that no caller of ours makes."""
    if _RECORD.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a record's name")
    return name
