"""Image configs: what may be in one, and what comes of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.images.config import ENVIRONMENT, MOST_BYTES, ImageConfig

WHOLE = {
    "Env": ["HOME=/root", "EMPTY="],
    "Entrypoint": ["/bin/server"],
    "Cmd": ["--port", "80", ""],
    "User": "www-data:33",
    "WorkingDir": "/var/www",
    "Labels": {"b": "ü", "a": ""},
    "ExposedPorts": {"80/tcp": {}, "53/udp": {}, "8080": {}},
    "Volumes": {"/data": {}},
    "StopSignal": "SIGRTMIN+3",
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["A=b", "/x", "80/tcp", "SIGHUP"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def test_all_fields_are_read_and_written() -> None:
    config = ImageConfig.parse(WHOLE)
    assert config.encode() == WHOLE
    assert ImageConfig.parse(config.encode()) == config


@given(st.dictionaries(st.sampled_from(list(WHOLE)), json_values) | json_values)
def test_what_is_read_survives_its_encoding_and_all_else_is_a_value_error(value: object) -> None:
    try:
        config = ImageConfig.parse(value)
    except ValueError:
        return
    assert ImageConfig.parse(config.encode()) == config


def test_the_order_of_a_sets_parts_changes_nothing() -> None:
    labels = WHOLE | {"Labels": {"a": "", "b": "ü"}, "ExposedPorts": {"8080": {}, "53/udp": {}, "80/tcp": {}}}
    assert ImageConfig.parse(labels) == ImageConfig.parse(WHOLE)


def test_variables_take_the_place_of_those_of_every_image() -> None:
    certificates = ENVIRONMENT[1]
    config = ImageConfig.parse({"Env": ["HOME=/root", "PATH=/opt/bin"]})
    assert config.render() == {"Env": ["PATH=/opt/bin", certificates, "HOME=/root"]}
    assert ImageConfig().render() == {"Env": list(ENVIRONMENT)}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "config has to be a set"),
        ([], "config has to be a set"),
        ({"Entrypont": ["x"]}, "config has 'Entrypont', which is none of Entrypoint, Cmd"),
        ({"Healthcheck": {}}, "config has 'Healthcheck'"),
        ({"Labels": {"x": "y" * MOST_BYTES}}, "config has more than 65536 bytes"),
        ({"Cmd": "bash"}, "config.Cmd has to be a list of strings"),
        ({"Cmd": None}, "config.Cmd has to be a list of strings"),
        ({"Entrypoint": ["a", 1]}, "config.Entrypoint has to be a list of strings"),
        ({"Entrypoint": [""]}, "config.Entrypoint begins with an empty string"),
        ({"Cmd": ["a\0b"]}, "config.Cmd has a control character in 'a\\x00b'"),
        ({"Env": {"A": "b"}}, "config.Env has to be a list of strings"),
        ({"Env": ["PATH"]}, "config.Env has 'PATH', which is not NAME=value"),
        ({"Env": ["x" * 99]}, f"config.Env has '{'x' * 50}', which"),
        ({"Env": ["=x"]}, "config.Env has '=x', which is not NAME=value"),
        ({"Env": ["A=1", "A=2"]}, "config.Env sets a variable twice"),
        ({"Env": ["A=1\n"]}, "config.Env has a control character"),
        ({"Env": ["A=\x7f"]}, "config.Env has a control character"),
        ({"User": 1000}, "config.User has to be a string"),
        ({"User": "a b"}, "config.User has 'a b', which is not a user"),
        ({"User": ""}, "config.User has ''"),
        ({"User": "us\u0435r"}, "config.User has 'us\u0435r'"),
        ({"User": "x" * 99 + " "}, f"config.User has '{'x' * 50}', which"),
        ({"WorkingDir": "data"}, "config.WorkingDir has 'data', which is not an absolute path"),
        ({"Labels": {"a": 1}}, "config.Labels has to be a set of strings"),
        ({"Labels": ["a"]}, "config.Labels has to be a set of strings"),
        ({"Labels": {"": "x"}}, "config.Labels has a label without a name"),
        ({"Labels": {"a\x1b": "x"}}, "config.Labels has a control character"),
        ({"ExposedPorts": {"http": {}}}, "config.ExposedPorts has 'http', which is not a port"),
        ({"ExposedPorts": {"65536": {}}}, "config.ExposedPorts has '65536'"),
        ({"ExposedPorts": {"0": {}}}, "config.ExposedPorts has '0'"),
        ({"ExposedPorts": {"80/sctp": {}}}, "config.ExposedPorts has '80/sctp'"),
        ({"ExposedPorts": ["80"]}, "config.ExposedPorts has to be a set of empty sets"),
        ({"ExposedPorts": {"80": 1}}, "config.ExposedPorts has a value for '80'"),
        ({"ExposedPorts": {"80": None}}, "config.ExposedPorts has a value for '80'"),
        ({"Volumes": {"/data": []}}, "config.Volumes has a value for '/data'"),
        ({"Volumes": {"data": {}}}, "config.Volumes has 'data', which is not an absolute path"),
        ({"StopSignal": "TERM"}, "config.StopSignal has 'TERM', which is not a signal"),
    ],
)
def test_what_is_wrong_is_named(value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        ImageConfig.parse(value)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    "value",
    [
        {"User": "machine$"},
        {"User": "0:wheel"},
        {"ExposedPorts": {"65535/udp": {}}},
        {"StopSignal": "9"},
        {"Labels": {str(number): "" for number in range(5000)}},
    ],
)
def test_what_may_be_is_taken_as_it_is(value: dict[str, object]) -> None:
    assert ImageConfig.parse(value).encode() == value


def test_the_store_paths_that_it_needs_are_known() -> None:
    one, two, three = (f"/nix/store/{letter * 32}-x-1.0" for letter in "abc")
    config = ImageConfig.parse(
        {
            "Entrypoint": [f"{one}/bin/x"],
            "Env": [f"P={two}/bin:{one}"],
            "WorkingDir": f"{three}/share",
            "Labels": {"l": one + "0"},
        }
    )
    assert config.store_paths("/nix/store") == {one, two, three}
    assert config.store_paths("/nix.store") == set()
    assert config.store_paths("/other/store") == set()
