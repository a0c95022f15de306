from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nixery.errors import SourceUnavailable
from nixery.fetching.address import Address, shown


def test_user_and_password_are_kept_apart() -> None:
    address = Address.parse("https://me:s%40cret@host:8443/a?b=c#d")
    assert address.url == "https://host:8443/a?b=c"
    assert address.authorization == "Basic bWU6c0BjcmV0"
    assert address.shown == "https://host:8443/a"
    assert "bWU6" not in repr(address)


def test_a_url_without_a_user_has_no_authorization() -> None:
    assert Address.parse("http://[::1]/a").authorization is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "ftp://host/a",
        "file:///etc/passwd",
        "http://",
        "http:///a",
        "http://host:port/",
        "http://[::1/",
        "//h/a",
    ],
)
def test_what_is_no_http_address_is_refused(text: str) -> None:
    with pytest.raises(SourceUnavailable):
        Address.parse(text)


@pytest.mark.parametrize("text", ["http://host/a b", "http://host/a\r\nX: y", "http://host/\0", "http://host/\u202e"])
def test_what_could_forge_a_line_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SourceUnavailable) as refused:
        Address.parse(text)
    assert "host" not in str(refused.value)


@pytest.mark.parametrize("text", ["http://me:sec/ret@host/", "ftp://me:secret@host", "https://secret:x@[::1"])
def test_a_wrong_url_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(SourceUnavailable) as refused:
        Address.parse(text)
    assert "sec" not in str(refused.value)


@given(st.text(), st.sampled_from(["http://{}@host/x", "https://me:{}@host/x?{}", "{}", "http://{}"]))
@example("host?@", "http://{}")
def test_any_text_is_an_address_or_refused(text: str, form: str) -> None:
    try:
        address = Address.parse(form.format(text, text))
    except SourceUnavailable:
        return
    assert address.url.startswith(("http://", "https://"))
    assert "@" not in urlsplit(address.url).netloc


def test_a_redirect_within_a_host_keeps_user_and_password() -> None:
    address = Address.parse("http://me:secret@host/a/b")
    assert address.follow("../c") == Address("http://host/c", address.authorization)


@pytest.mark.parametrize("location", ["http://other/", "https://host/", "//host:81/", "http://host.other/"])
def test_a_redirect_to_another_host_loses_them(location: str) -> None:
    assert Address.parse("http://me:secret@host/").follow(location).authorization is None


def test_a_redirect_out_of_http_is_refused() -> None:
    with pytest.raises(SourceUnavailable):
        Address.parse("http://host/").follow("file:///etc/passwd")


@pytest.mark.parametrize("location", ["http://[::1", "//[", "http://a\u2100b/", "http://host:port/"])
def test_a_redirect_to_what_is_no_url_is_refused(location: str) -> None:
    with pytest.raises(SourceUnavailable):
        Address.parse("http://host/").follow(location)


def test_a_person_sees_neither_secrets_nor_long_urls() -> None:
    assert shown("https://a:b@host/x?token=1#y") == "https://host/x"
    assert len(shown("http://" + "a" * 9999)) == 400
