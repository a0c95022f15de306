from pathlib import Path

import pytest

from nixery.settings import SETTINGS

PARSE = {setting.variable: setting.parse for setting in SETTINGS}
KEY = "cache.example.org-1:" + "A" * 43 + "="


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("NIXERY_SUBSTITUTERS", "https://cache.nixos.org http://me:secret@[::1]:8080/?priority=10&trusted=true"),
        (
            "NIXERY_SUBSTITUTERS",
            "file:///srv/cache /srv/store s3://bucket?region=eu-west-1 ssh://host ssh-ng://me@host",
        ),
        ("NIXERY_TRUSTED_PUBLIC_KEYS", f"{KEY} {KEY}"),
        ("NIXERY_BUILDERS", "ssh://me@host x86_64-linux,i686-linux /etc/key 4 1.5 kvm,big-parallel - aG9zdA== ; other"),
        ("NIXERY_BUILDERS", "mac x86_64-darwin - - -"),
    ],
)
def test_settings_of_nix_stay_as_they_are_written(variable: str, text: str) -> None:
    assert PARSE[variable](text) == text


@pytest.mark.parametrize("variable", ["NIXERY_SUBSTITUTERS", "NIXERY_TRUSTED_PUBLIC_KEYS", "NIXERY_BUILDERS"])
def test_the_word_none_is_an_empty_list(variable: str) -> None:
    assert PARSE[variable]("none") == ""


def test_builders_may_be_in_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "machines").touch()
    assert PARSE["NIXERY_BUILDERS"](f"@{tmp_path}/machines") == f"@{tmp_path}/machines"
    with pytest.raises(ValueError, match="or @ and the path of a file of them, or none"):
        PARSE["NIXERY_BUILDERS"](f"@{tmp_path}/nothing")


@pytest.mark.parametrize("variable", ["NIXERY_SUBSTITUTERS", "NIXERY_TRUSTED_PUBLIC_KEYS", "NIXERY_BUILDERS"])
@pytest.mark.parametrize("text", [" ", "{}\nsandbox = false", "{}\tx", "{} # more", "{}\u2028", "\u00e9"])
def test_a_value_cannot_be_more_than_one_line_of_nix_conf(variable: str, text: str) -> None:
    good = {"NIXERY_SUBSTITUTERS": "https://a.example", "NIXERY_TRUSTED_PUBLIC_KEYS": KEY, "NIXERY_BUILDERS": "ssh://a"}
    assert PARSE[variable](good[variable])
    with pytest.raises(ValueError, match=", or none"):
        PARSE[variable](text.format(good[variable]))


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("NIXERY_SUBSTITUTERS", "cache.nixos.org"),
        ("NIXERY_SUBSTITUTERS", "https://a.example none"),
        ("NIXERY_SUBSTITUTERS", "https://"),
        ("NIXERY_SUBSTITUTERS", "http://["),
        ("NIXERY_SUBSTITUTERS", "ftp://a.example"),
        ("NIXERY_SUBSTITUTERS", "file://host/srv"),
        ("NIXERY_TRUSTED_PUBLIC_KEYS", KEY + "A"),
        ("NIXERY_TRUSTED_PUBLIC_KEYS", KEY[:-5] + "="),
        ("NIXERY_TRUSTED_PUBLIC_KEYS", KEY.partition(":")[2]),
        ("NIXERY_BUILDERS", "@machines"),
        ("NIXERY_BUILDERS", "ssh://a linux - many"),
        ("NIXERY_BUILDERS", "a b c 1 1 f g h i"),
        ("NIXERY_BUILDERS", "ssh://a;;ssh://b"),
    ],
)
def test_what_nix_would_not_understand_is_refused(variable: str, text: str) -> None:
    with pytest.raises(ValueError, match=", or none"):
        PARSE[variable](text)
