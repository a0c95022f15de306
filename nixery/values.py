"""What the values of settings may be: each function takes what was said, or raises ValueError that says what may be."""

import os
import re
from collections.abc import Callable
from ipaddress import ip_network
from urllib.parse import urlsplit

_CHANNEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?", re.ASCII)
_ADDRESS = re.compile(r"https?://[!-~]+", re.ASCII)


def whole(least: int, most: int) -> Callable[[str], int]:
    """Takes whole numbers from `least` to `most`."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def package_set(text: str) -> str:
    """A folder with a package set."""
    folder = package_set_of_others(text)
    if not any(os.path.isfile(os.path.join(folder, name)) for name in ("default.nix", "flake.nix")):
        raise ValueError("a folder with a default.nix, or a flake.nix (NIXERY_FLAKE)")
    return folder


def package_set_of_others(text: str) -> str:
    """A folder that need not be here; its default.nix stands for it, as other files would lack what they import."""
    folder = os.path.abspath(text)
    return os.path.dirname(folder) if os.path.basename(text) == "default.nix" else folder


def repository(text: str) -> str:
    """As git takes it; a path of this host becomes absolute, as git runs in more than one folder."""
    if text.startswith("-") or not text.isprintable():
        raise ValueError("a URL or path of a git repository")
    return os.path.abspath(text) if os.path.isdir(text) else text


def channel(text: str) -> str:
    """A channel, branch or git tag as an image's tag can say it."""
    if _CHANNEL.fullmatch(text) is None:
        raise ValueError("a channel's name, such as nixos-unstable")
    return text


def address(text: str) -> str:
    """An HTTP URL, without a slash at its end."""
    if _ADDRESS.fullmatch(text) is None:
        raise ValueError("an http:// or https:// URL")
    return text.rstrip("/")


def one_of(*words: str) -> Callable[[str], str]:
    """Takes one of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(" or ".join(words))
        return text

    return parse


def platforms(text: str) -> str:
    """Platforms of images, in their order, with commas between them."""
    found = [word.strip().removeprefix("linux/") for word in text.split(",")]
    if not set(found) <= {"amd64", "arm64"} or len(set(found)) != len(found):
        raise ValueError("linux/amd64, linux/arm64, or both with a comma between them")
    return ",".join(found)


def origins(text: str) -> str:
    """Origins of web pages as browsers write them (Fetch standard, "Origin header"), with commas between them."""
    found = [word.strip().lower() for word in text.split(",")]
    if found != ["*"] and not all(map(_ORIGIN.fullmatch, found)):
        raise ValueError("origins such as https://tool.example, with commas between them, or * for all")
    return ",".join(found)


def networks(text: str) -> str:
    """IP addresses and networks, with commas between them."""
    try:
        return ",".join(str(ip_network(word.strip())) for word in text.split(","))
    except ValueError:
        raise ValueError("addresses and networks such as 10.0.0.0/8 or ::1, with commas between them") from None


def debian_index(text: str) -> str:
    """The folder of an index."""
    if not os.path.isfile(os.path.join(text, "index.json")):
        raise ValueError("a folder that nixery-debian-index has written")
    return os.path.abspath(text)


def popularity(text: str) -> str:
    """An HTTP URL, or the absolute path of a file."""
    path = text.removeprefix("file://")
    if _ADDRESS.fullmatch(text) is None and not (os.path.isabs(path) and os.path.isfile(path)):
        raise ValueError("an http://, https:// or file:// URL, or the absolute path of a file that exists")
    return text if _ADDRESS.fullmatch(text) else path


def nix_line(may_be: str, fits: Callable[[str], bool]) -> Callable[[str], str]:
    """A value as one line of nix.conf, where `#` would begin a comment; empty for the word `none`."""

    def parse(text: str) -> str:
        if text == "none":
            return ""
        if not text.isascii() or not text.isprintable() or "#" in text or not text.strip() or not fits(text):
            raise ValueError(f"{may_be}, or none")
        return text

    return parse


def are_stores(text: str) -> bool:
    """Whether these are stores that Nix can substitute from (Nix manual, "Store Types")."""
    try:
        urls = [urlsplit(word) for word in text.split()]
    except ValueError:
        return False
    return all(
        bool(url.hostname)
        if url.scheme in ("http", "https", "s3", "ssh", "ssh-ng")
        else url.scheme in ("", "file") and not url.netloc and url.path.startswith("/")
        for url in urls
    )


def are_keys(text: str) -> bool:
    """Whether each is a name and the base64 of an Ed25519 key's 32 bytes."""
    return all(re.fullmatch(r"[^:]+:[A-Za-z0-9+/]{43}=", word) for word in text.split())


def are_machines(text: str) -> bool:
    """Whether these are machines, with semicolons between them (Nix manual, "builders")."""
    return all(map(_is_machine, text.split(";")))


def _is_machine(text: str) -> bool:
    """Whether it is a machine, or @ and a file of them; jobs and speed are numbers or `-`."""
    fields = text.split()
    if not 1 <= len(fields) <= 8 or fields[0].startswith("-"):
        return False
    if fields[0].startswith("@"):
        return len(fields) == 1 and os.path.isabs(fields[0][1:]) and os.path.isfile(fields[0][1:])
    return all(re.fullmatch(r"[\d.]+|-", field) for field in fields[3:5])
