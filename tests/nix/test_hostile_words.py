"""Nothing that a name, a tag or a ref has in it is read as Nix or by a shell: it arrives as it was, or not at all."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nixery.errors import DigestInvalid, NameInvalid, TagInvalid
from nixery.images.name import parse_components, parse_reference
from nixery.images.source import PinnedSource
from nixery.nix import expressions
from nixery.nix.driver import Limits, Nix
from nixery.nix.refusal import Refusal
from nixery.nix.report import parse_report
from tests.nix.evaluation import SYSTEM, nix

_PIECES = (
    *(
        "${",
        "}",
        "''",
        '"',
        "'",
        "\\",
        "`id`",
        "$(id)",
        ";",
        "\n",
        "\r",
        "\t",
        "|",
        "&",
        "#",
        "%",
        "*",
        "[",
        "@",
        "\u2028",
    ),
    *(
        "-",
        "--",
        "--expr",
        "abort",
        'builtins.abort "x"',
        '${abort "x"}',
        "<nixpkgs>",
        "{ }:",
        "/*",
        "/etc/passwd",
        "../",
    ),
    *("a", "."),
)
_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
"""NUL cannot be in an argument of a program, and UTF-16's surrogates in no UTF-8."""

WORDS = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map("".join) | st.text(_CHARACTERS, max_size=30)

_GIVEN = """given: builtins.mapAttrs
  (name: word: { x = derivation { name = "x"; builder = "b"; system = "s"; } // { version = word; }; })
  (removeAttrs given [ "system" "config" "overlays" ])"""
"""A set that has for each argument a package whose version it is."""


REAL = settings(deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
"""For the real Nix, which is too slow to look for the smallest example that fails."""


class Programs:
    """Stands for Processes: names are all that is needed of programs that are not run."""

    def program(self, name: str) -> str:
        return name


def command(source: PinnedSource, names: list[str]) -> tuple[str, ...]:
    """The arguments that the driver gives to Nix."""
    driver = Nix(Programs(), {}, str(expressions.IMAGE), lambda: "", Limits(1, 1))  # type: ignore[arg-type]
    return driver._evaluation(source, names, SYSTEM)


def evaluated(source: PinnedSource, names: list[str]) -> str:
    """The report of the real Nix."""
    _, stderr = nix(*command(source, names))
    return stderr.rpartition("trace: nixery:")[2].partition("\n")[0]


@given(st.lists(WORDS, max_size=5), st.lists(st.tuples(WORDS, WORDS), max_size=3, unique_by=lambda pair: pair[0]))
def test_words_stand_in_one_argument_as_json_alone(names: list[str], arguments: list[tuple[str, str]]) -> None:
    source = PinnedSource("git", "pin", "/set.nix", tuple(arguments))
    flakes = ["--option", "extra-experimental-features", "flakes"] if ("flake", "yes") in arguments else []
    assert list(command(source, names)) == [
        *(str(expressions.IMAGE), *flakes),
        *("--argstr", "source", "/set.nix"),
        *("--argstr", "packages", json.dumps(names)),
        *("--argstr", "image", names[0] if len(set(names)) == 1 else ""),
        *("--argstr", "system", SYSTEM),
        *("--argstr", "arguments", json.dumps(dict(arguments))),
    ]


@pytest.mark.integration
@settings(REAL, max_examples=5)
@given(names=st.lists(WORDS, min_size=200, max_size=200))
def test_nix_takes_hostile_names_for_names_that_it_does_not_know(
    names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("set") / "default.nix"
    source.write_text("{ set.a = 1; }")
    verdicts = parse_report(evaluated(PinnedSource("path", "pin", str(source)), names)).verdicts
    assert [(verdict.name, isinstance(verdict, Refusal) and verdict.reason) for verdict in verdicts] == [
        (name, "unknown") for name in names
    ]


@pytest.mark.integration
@settings(REAL, max_examples=3)
@given(words=st.lists(WORDS, min_size=200, max_size=200))
def test_nix_gives_hostile_arguments_to_the_set_as_they_are(
    words: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("set") / "default.nix"
    source.write_text(_GIVEN)
    arguments = tuple((f"n{number}", word) for number, word in enumerate(words))
    report = evaluated(PinnedSource("git", "pin", str(source), arguments), [f"n{at}.x" for at in range(len(words))])
    assert [verdict["meta"]["version"] for verdict in json.loads(report)["packages"]] == words


@given(WORDS)
def test_names_and_tags_of_images_have_no_character_that_means_anything(text: str) -> None:
    plain = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:")
    for parse, error in ((parse_components, NameInvalid), (parse_reference, (TagInvalid, DigestInvalid))):
        try:
            parse(text)
        except error:
            continue
        assert set(text) <= plain
        assert not text.startswith("-")
