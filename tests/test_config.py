import re
from pathlib import Path

import pytest

from nixery.config import Config, Face, read_config, read_storage
from nixery.errors import ConfigError
from nixery.settings import SETTINGS

PROJECT = Path(__file__).parent.parent


def read(**environment: str) -> Config:
    return read_config(environment, {}, "x86_64", 2, None)


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "default.nix").write_text("{ }")
    return str(tmp_path)


def test_defaults(source: str) -> None:
    config = read(NIXERY_PKGS_PATH=source, HOME="/home/me")
    assert (config.platform, config.storage.backend) == ("amd64", "filesystem")
    assert config.face == Face(None, 8080, False, (), ())
    assert (config.nix.builder_seconds, config.nix.build_seconds, config.hold) == (60, 1800, 240)
    assert (config.stale, config.stale_max, config.packages.ttl) == ("serve", 7 * 24 * 3600, 300)
    assert (config.nix.settings, config.nix.cross, config.packages.flake) == ({}, False, False)
    assert (config.max_layers, config.max_builds, config.pack_workers) == (94, 2, 2)
    assert not config.zstd
    assert config.storage.state == "/home/me/.local/state/nixery"
    assert config.storage.settings["STORAGE_PATH"] == "/home/me/.local/state/nixery/storage"
    assert (config.packages.kind, config.packages.place) == ("path", source)


def test_the_default_nix_of_a_folder_stands_for_it(source: str) -> None:
    assert read(NIXERY_PKGS_PATH=f"{source}/default.nix").packages.place == source


def test_an_option_overrides_its_variable_and_an_empty_variable_says_nothing(source: str) -> None:
    environment = {"NIXERY_PKGS_PATH": source, "PORT": "1", "NIX_TIMEOUT": ""}
    config = read_config(environment, {"port": "9000", "nix-timeout": None}, "x86_64", 2, None)
    assert (config.face.port, config.nix.builder_seconds) == (9000, 60)
    assert read_config(environment, {}, "x86_64", 2, "unix:/run/nixery").face.listen == "unix:/run/nixery"


def test_the_http_face(source: str) -> None:
    face = read(
        NIXERY_PKGS_PATH=source,
        NIXERY_CATALOG="yes",
        NIXERY_CORS_ORIGINS="https://Tool.example, http://[::1]:8000",
        NIXERY_TRUSTED_PROXIES="10.0.0.0/8, ::1",
    ).face
    assert face.catalog
    assert face.origins == ("https://tool.example", "http://[::1]:8000")
    assert list(map(str, face.proxies)) == ["10.0.0.0/8", "::1/128"]
    assert read(NIXERY_PKGS_PATH=source, NIXERY_CORS_ORIGINS="*").face.origins == ("*",)


@pytest.mark.parametrize(
    ("environment", "state"),
    [
        ({"STATE_DIRECTORY": "/var/lib/nixery:/var/lib/other"}, "/var/lib/nixery"),
        ({"XDG_STATE_HOME": "/state"}, "/state/nixery"),
        ({"HOME": "/home/me"}, "/home/me/.local/state/nixery"),
        ({}, "/var/.local/state/nixery"),
    ],
)
def test_the_state_folder(source: str, environment: dict[str, str], state: str) -> None:
    assert read(NIXERY_PKGS_PATH=source, **environment).storage.state == state


@pytest.mark.parametrize(
    ("variable", "value", "may_be"),
    [
        ("PORT", "http", "a whole number from 1 to 65535"),
        ("PORT", "0", "a whole number from 1 to 65535"),
        ("NIXERY_CATALOG", "1", "yes or no"),
        ("NIXERY_CORS_ORIGINS", "tool.example", "origins such as"),
        ("NIXERY_CORS_ORIGINS", "https://tool.example/", "origins such as"),
        ("NIXERY_CORS_ORIGINS", "*, https://tool.example", "origins such as"),
        ("NIXERY_CORS_ORIGINS", "https://a,", "origins such as"),
        ("NIXERY_TRUSTED_PROXIES", "10.0.0.1/8", "addresses and networks such as"),
        ("NIXERY_TRUSTED_PROXIES", "proxy.example", "addresses and networks such as"),
        ("PORT", "8080 ", "a whole number from 1 to 65535"),
        ("PORT", "\u0668", "a whole number from 1 to 65535"),
        ("PORT", "9" * 5000, "a whole number from 1 to 65535"),
        ("NIX_TIMEOUT", "-1", "a whole number from 1 to 86400"),
        ("NIXERY_MAX_LAYERS", "126", "a whole number from 2 to 125"),
        ("NIXERY_PKGS_PATH", "/nonexistent", "a folder with a default.nix"),
        ("NIXERY_PKGS_PATH", "/etc/passwd", "a folder with a default.nix"),
        ("NIXERY_DEBIAN_INDEX", "/", "a folder that nixery-debian-index has written"),
        ("NIX_POPULARITY_URL", "ftp://example.org/x", "an http://, https:// or file:// URL"),
        ("NIX_POPULARITY_URL", "relative", "an http://, https:// or file:// URL"),
        ("NIXERY_CHANNEL", "../nixos", "a channel's name, such as nixos-unstable"),
        ("NIXERY_CHANNEL_URL", "file:///mirror", "an http:// or https:// URL"),
        ("NIXERY_CHANNEL_URL", "http://a b", "an http:// or https:// URL"),
        ("NIXERY_PLATFORMS", "linux/riscv64", "linux/amd64, linux/arm64, or both"),
        ("NIXERY_PLATFORMS", "linux/amd64,amd64", "linux/amd64, linux/arm64, or both"),
        ("NIXERY_STALE", "yes", "serve or revalidate or never"),
        ("NIXERY_STALE_MAX", "0", "a whole number from 1 to"),
        ("NIXERY_SUBSTITUTERS", "https://a\nsandbox = false", "URLs of binary caches"),
        ("NIXERY_BUILDERS", "ssh://a\rx", "machines as Nix"),
        ("NIXERY_PKGS_REPO", "--upload-pack=x", "a URL or path of a git repository"),
        ("NIXERY_GIT_SUBMODULES", "true", "yes or no"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(variable: str, value: str, may_be: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(**{variable: value})
    line = caught.value.message
    assert line.startswith(f"{variable} is {value[:200]!r}; it may be {may_be}")
    assert "\n" not in line


def test_no_source_and_two_sources_are_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no package set: set NIXERY_PKGS_PATH .* or NIXERY_DEBIAN_INDEX"):
        read()
    (tmp_path / "index.json").write_text("{}")
    with pytest.raises(ConfigError, match="NIXERY_PKGS_PATH and NIXERY_DEBIAN_INDEX are both set"):
        read(NIXERY_PKGS_PATH=source, NIXERY_DEBIAN_INDEX=str(tmp_path))


def test_platforms_are_the_hosts_or_those_that_were_said(source: str) -> None:
    assert read(NIXERY_PKGS_PATH=source).platforms == ("amd64",)
    assert read(NIXERY_PKGS_PATH=source, NIXERY_PLATFORMS="linux/arm64, linux/amd64").platforms == ("arm64", "amd64")


def test_nix_settings_are_those_that_were_given_and_none_is_an_empty_one(source: str) -> None:
    given = read(NIXERY_PKGS_PATH=source, NIXERY_SUBSTITUTERS="none", NIXERY_BUILDERS="ssh://a", NIXERY_CROSS="yes").nix
    assert (given.settings, given.cross) == ({"substituters": "", "builders": "ssh://a"}, True)


def test_addresses_and_files_are_what_they_say(source: str) -> None:
    config = read(NIXERY_PKGS_PATH=source, NIX_POPULARITY_URL="https://a/b", NIXERY_CHANNEL_URL="http://mirror/nix/")
    assert (config.popularity, config.packages.channel_url) == ("https://a/b", "http://mirror/nix")
    path = f"{source}/default.nix"
    assert read(NIXERY_PKGS_PATH=source, NIX_POPULARITY_URL=f"file://{path}").popularity == path
    channel = read(NIXERY_CHANNEL="nixos-25.05").packages
    assert (channel.kind, channel.place, channel.channel_url) == ("channel", "nixos-25.05", None)


def test_a_machine_without_images_is_refused(source: str) -> None:
    with pytest.raises(ConfigError, match="'riscv64'; images are made for x86_64 and aarch64"):
        read_config({"NIXERY_PKGS_PATH": source}, {}, "riscv64", 1, None)


def test_the_storage_is_that_of_the_daemon_whatever_else_is_set(source: str) -> None:
    environment = {
        "NIXERY_PKGS_PATH": source,
        "HOME": "/home/me",
        "S3_BUCKET": "images",
        "NIXERY_STORAGE_BACKEND": "s3",
    }
    config = read(**environment)
    place = read_storage({**environment, "PORT": "wrong", "NIXERY_PKGS_PATH": "/nowhere"}, {"nixery-blobs": "proxy"})
    assert (place.backend, place.state) == (config.storage.backend, config.storage.state)
    assert place.settings["NIXERY_BLOBS"] == "proxy"
    for name in ("STORAGE_PATH", "NIXERY_MEMORY_LIMIT", "S3_BUCKET", "HOME"):
        assert place.settings[name] == config.storage.settings[name]
    with pytest.raises(ConfigError, match="NIXERY_BLOBS is 'x'"):
        read_storage(environment, {"nixery-blobs": "x"})


def test_settings_that_are_not_read_are_as_if_they_were_not_set(source: str) -> None:
    some = [setting for setting in SETTINGS if setting.variable in ("NIXERY_PKGS_PATH", "PORT")]
    environment = {"NIXERY_PKGS_PATH": source, "PORT": "9000", "NIXERY_HOLD": "wrong", "NIXERY_CATALOG": "yes"}
    config = read_config(environment, {}, "x86_64", 2, None, some)
    assert (config.face.port, config.hold, config.face.catalog) == (9000, 240, False)


def test_the_documentation_lists_the_settings_as_they_are() -> None:
    text = (PROJECT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| `--([a-z0-9-]+)` \| (.*?) \| (.*?) \|", text, re.MULTILINE)
    assert rows == [(s.variable, s.option, s.default or "none", s.help) for s in SETTINGS]
