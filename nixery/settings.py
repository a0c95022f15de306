"""The daemon's settings: a table of what each is called, what it says, and what it may be.

docs/configuration.md describes the same settings; a test holds the two together.
"""

import os
from collections.abc import Callable

from attrs import frozen

from nixery import values


@frozen
class Setting:
    """One setting. `parse` raises ValueError that says what the value may be; `default` as a person writes it."""

    variable: str
    default: str
    help: str
    parse: Callable[[str], object] = str

    @property
    def option(self) -> str:
        """The option of the same name."""
        return self.variable.lower().replace("_", "-")


_DAY = 24 * 3600
_TTL = values.whole(0, _DAY)
_YES_OR_NO = values.one_of("yes", "no")

SOURCES = {
    "NIXERY_PKGS_PATH": "path",
    "NIXERY_PKGS_REPO": "git",
    "NIXERY_CHANNEL": "channel",
    "NIXERY_DEBIAN_INDEX": "debian",
}
"""The settings of which exactly one is to be set, and the kind of package set that each stands for."""

NIX_SETTINGS = {
    "NIXERY_SUBSTITUTERS": "substituters",
    "NIXERY_TRUSTED_PUBLIC_KEYS": "trusted-public-keys",
    "NIXERY_BUILDERS": "builders",
}
"""The settings that are Nix's own, by what Nix calls them."""

STORAGE_SETTINGS = (
    Setting("NIXERY_STORAGE_BACKEND", "filesystem", "where blobs are stored: filesystem, gcs, s3 or memory"),
    Setting("STORAGE_PATH", "storage in the state folder", "the filesystem backend's folder", os.path.abspath),
    Setting("GCS_BUCKET", "", "the gcs backend's bucket of Google Cloud Storage"),
    Setting(
        "GCS_SIGN",
        "key with a file of credentials, else public",
        "who signs links to the gcs backend's blobs: key, iam, or public (nobody)",
        values.one_of("key", "iam", "public"),
    ),
    Setting("S3_BUCKET", "", "the s3 backend's bucket"),
    Setting("S3_ENDPOINT", "Amazon's", "URL of the server that has the s3 backend's bucket", values.address),
    Setting("S3_REGION", "as boto3 finds it", "region of the s3 backend's bucket"),
    Setting(
        "S3_PATH_STYLE", "yes with S3_ENDPOINT", "whether S3's URLs have the bucket in the path: yes or no", _YES_OR_NO
    ),
    Setting(
        "NIXERY_BLOBS",
        "redirect",
        "how blobs of a bucket are answered: redirect (by a link to them) or proxy (by us)",
        values.one_of("redirect", "proxy"),
    ),
    Setting("NIXERY_MEMORY_LIMIT", "1024", "MiB that the memory backend's blobs may take", values.whole(1, 1 << 20)),
)
"""The settings that a storage is made from; see nixery.storage.interfaces.IStorageBackend."""

SETTINGS = (
    Setting("PORT", "8080", "TCP port to listen on, on all of the host's addresses", values.whole(1, 65535)),
    Setting("NIXERY_CATALOG", "no", "whether the names that were pulled are listed to all: yes or no", _YES_OR_NO),
    Setting("NIXERY_CORS_ORIGINS", "", "web pages' origins whose scripts may read the registry, or *", values.origins),
    Setting("NIXERY_TRUSTED_PROXIES", "", "addresses and networks whose X-Forwarded-For is believed", values.networks),
    Setting(
        "NIXERY_PKGS_PATH",
        "",
        "package set: a folder with a default.nix, such as a checkout of nixpkgs",
        values.package_set,
    ),
    Setting(
        "NIXERY_PATH_TTL", "2", "seconds that an edit of NIXERY_PKGS_PATH may go unseen, where watching fails", _TTL
    ),
    Setting(
        "NIXERY_PKGS_REPO", "", "package set: a git repository, by a URL or path that git takes", values.repository
    ),
    Setting("NIXERY_GIT_SUBMODULES", "no", "whether submodules are part of the set: yes or no", _YES_OR_NO),
    Setting("NIXERY_CHANNEL", "", "package set: a channel of nixpkgs, such as nixos-unstable", values.channel),
    Setting("NIXERY_CHANNEL_URL", "the public ones", "mirror at which channels and their tarballs are", values.address),
    Setting(
        "NIXERY_DEBIAN_INDEX", "", "package set: Debian's, by an index of nixery-debian-index", values.debian_index
    ),
    Setting("NIXERY_FLAKE", "no", "whether the set is the flake's legacyPackages: yes or no", _YES_OR_NO),
    Setting("NIXERY_SOURCE_TTL", "300", "seconds for which what a tag means is not looked up again", _TTL),
    Setting(
        "NIXERY_STALE",
        "serve",
        "when the last good state is served: serve (newest cannot be had), revalidate (also while it is made) or never",
        values.one_of("serve", "revalidate", "never"),
    ),
    Setting(
        "NIXERY_STALE_MAX", "604800", "seconds for which the last good packages are served", values.whole(1, 366 * _DAY)
    ),
    *STORAGE_SETTINGS,
    Setting(
        "NIXERY_SUBSTITUTERS",
        "the host's",
        "binary caches that Nix takes paths from, instead of the host's",
        values.nix_line("URLs of binary caches, with spaces between them", values.are_stores),
    ),
    Setting(
        "NIXERY_TRUSTED_PUBLIC_KEYS",
        "the host's",
        "public keys that a binary cache's paths have to be signed by, instead of the host's",
        values.nix_line("public keys of binary caches (name:base64), with spaces between them", values.are_keys),
    ),
    Setting(
        "NIXERY_BUILDERS",
        "the host's",
        "machines that Nix may build on, instead of the host's",
        values.nix_line(
            "machines as Nix's `builders` takes them, or @ and the path of a file of them", values.are_machines
        ),
    ),
    Setting(
        "NIXERY_PLATFORMS", "the host's", "what images are for: linux/amd64, linux/arm64 or both", values.platforms
    ),
    Setting("NIXERY_CROSS", "no", "whether other platforms are cross-compiled by pkgsCross: yes or no", _YES_OR_NO),
    Setting("NIX_TIMEOUT", "60", "seconds that one builder of Nix may take", values.whole(1, _DAY)),
    Setting("NIXERY_BUILD_TIMEOUT", "1800", "seconds that nix-build may take for an image", values.whole(1, _DAY)),
    Setting("NIXERY_HOLD", "240", "seconds that a request waits for its image", values.whole(1, _DAY)),
    Setting(
        "NIX_POPULARITY_URL", "counted from each image", "popularity of packages, for sharing layers", values.popularity
    ),
    Setting(
        "NIXERY_POPULARITY_TTL", "86400", "seconds until the popularity is fetched again", values.whole(60, 366 * _DAY)
    ),
    Setting("NIXERY_MAX_LAYERS", "94", "most layers of an image", values.whole(2, 125)),
    Setting(
        "NIXERY_COMPRESSION",
        "gzip",
        "what layers of OCI images are compressed by: gzip or zstd",
        values.one_of("gzip", "zstd"),
    ),
    Setting("NIXERY_MAX_BUILDS", "number of cores", "builds that run at once", values.whole(1, 1000)),
    Setting("NIXERY_PACK_WORKERS", "number of cores", "processes that pack layers", values.whole(1, 1000)),
)
