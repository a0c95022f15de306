"""What may be shown of words in which there may be a login."""

import pytest

from nixery.errors import public


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pass@word@host/a@b", "https://host/a@b"),
        ("ssh://git@host:22/a", "ssh://host:22/a"),
        ("git@host:a/b", "git@host:a/b"),
        ("/srv/set", "/srv/set"),
    ],
)
def test_a_url_is_shown_without_who_and_password(url: str, shown: str) -> None:
    assert public(url) == shown


@pytest.mark.parametrize("login", ["me:p'w", 'me:p"w', "me:p@w", "me", ":pw"])
def test_a_login_is_left_out_whatever_it_is_made_of(login: str) -> None:
    assert public(f"cannot read 'https://{login}@host/x'.") == "cannot read 'https://host/x'."
