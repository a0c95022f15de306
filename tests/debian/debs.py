"""Makes .debs and Packages lists for the tests. A .deb is made by hand, because dpkg-deb makes no hostile ones."""

import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, content: bytes = b"", mode: int = 0o644) -> Entry:
    """A regular file."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    return member, content


def special(name: str, kind: bytes, target: str = "", mode: int = 0o755) -> Entry:
    """A folder, link, device ... of one of tarfile's kinds."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, target, mode
    return member, b""


def link(name: str, target: str) -> Entry:
    return special(name, tarfile.SYMTYPE, target)


def write_deb(path: Path, entries: Iterable[Entry], control: str = "Package: it\n", **scripts: str) -> Path:
    """deb(5): an ar archive of debian-binary, control.tar.gz and data.tar.gz."""
    texts = {"control": control, **scripts}
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": _tar(entry(f"./{name}", text.encode()) for name, text in texts.items()),
        "data.tar.gz": _tar(entries),
    }
    path.write_bytes(b"!<arch>\n" + b"".join(_ar(name, content) for name, content in parts.items()))
    return path


def paragraph(name: str, version: str = "1", **fields: str) -> str:
    """A paragraph of a Packages list; `depends="a"` is Depends, `pre_depends` is Pre-Depends."""
    known = {"Package": name, "Version": version, "Filename": f"pool/{name}_{version}_all.deb", "SHA256": "0" * 64}
    given = {key.replace("_", "-").title(): value for key, value in fields.items() if key != "sha256"}
    if "sha256" in fields:
        given["SHA256"] = fields["sha256"]
    return "".join(f"{key}: {value}\n" for key, value in {**known, **given}.items()) + "\n"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lines(*paragraphs: str) -> list[bytes]:
    return "".join(paragraphs).encode().splitlines(keepends=True)


def contents(folder: Path) -> Mapping[str, bytes]:
    """Path below `folder` -> bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _tar(entries: Iterable[Entry]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, content in entries:
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _ar(name: str, content: bytes) -> bytes:
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
    return header.encode() + content + b"\n" * (len(content) % 2)
