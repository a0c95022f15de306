from enum import IntEnum
from io import FileIO
from typing import NamedTuple

class Event(NamedTuple):
    wd: int
    mask: int
    cookie: int
    name: str

class INotify(FileIO):
    def __init__(self, inheritable: bool = False, nonblocking: bool = False) -> None: ...
    def read(self, timeout: int | None = None) -> list[Event]: ...  # type: ignore[override]  # theirs gives no bytes
    def add_watch(self, path: str, mask: int) -> int: ...
    def rm_watch(self, wd: int) -> None: ...

def parse_events(data: bytes) -> list[Event]: ...

class flags(IntEnum):
    MODIFY = 0x2
    ATTRIB = 0x4
    CLOSE_WRITE = 0x8
    CLOSE_NOWRITE = 0x10
    OPEN = 0x20
    MOVED_FROM = 0x40
    MOVED_TO = 0x80
    CREATE = 0x100
    DELETE = 0x200
    DELETE_SELF = 0x400
    MOVE_SELF = 0x800
    IGNORED = 0x8000
    DONT_FOLLOW = 0x2000000
