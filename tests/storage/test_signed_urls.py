"""The verifier of signed URLs itself, by the vectors that Google publishes for those who make them."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from tests.storage.signed_urls import Asked, canonical_request, refusal, string_to_sign

# The vectors: googleapis/python-storage, tests/unit/url_signer_v4_test_data.json. The public key follows from any
# two of the signatures.
EMAIL = "test-iam-credentials@dummy-project-id.iam.gserviceaccount.com"
NOW = datetime(2019, 2, 1, 9, 0, 5, tzinfo=UTC)
KEY = RSAPublicNumbers(
    65537,
    int(
        "ac3f3322ac8a2db5f436af28d098f5a871211e1a8edfed0e3fb4c4171e55c5ce8f77006814dadf9c9448fd2f99683612d5abebe4"
        "faa9a7c83cf9434e32f23556c8c633cc634dac6456ff2698aa7aa52990b2d4eddb9a736357b1036c2fe313564b058d14dc76921d"
        "f9fa4bd343f0c5dd803d3fba54535b0ababd4f3fc3a8b9b58b14ee7d8b2e54139757d0eff7a63bd9d87021497b31d955ad0799e5"
        "ac747c16b28934b24c10610348ccfdc917d0694798094f680d81ee8aa290deb0978ba0bcda5fb7149c39fe0809e72ee2c3c304ac"
        "2152b257184116c1573e9960a5a411c261b3c046dffd7a6df6aa36eb0d943209f7d23b0e68a9527805fc712e95885fad",
        16,
    ),
).public_key()


def asked(method: str, host: str, path: str, names: str, signature: str, **headers: str) -> Asked:
    """A vector's request, which is good for ten seconds."""
    scope = "20190201%2Fauto%2Fstorage%2Fgoog4_request"
    query = (
        f"X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential={EMAIL.replace('@', '%40')}%2F{scope}"
        f"&X-Goog-Date=20190201T090000Z&X-Goog-Expires=10&X-Goog-SignedHeaders={names}&X-Goog-Signature={signature}"
    )
    return Asked(method, f"{path}?{query}", {"host": host, **headers})


GET = asked(
    "GET",
    "storage.googleapis.com",
    "/test-bucket/test-object",
    "host",
    "95e6a13d43a1d1962e667f17397f2b80ac9bdd1669210d5e08e0135df9dff4e56113485dbe429ca2266487b9d1796ebdee2d7cf6"
    "82a6ef3bb9fbb4c351686fba90d7b621cf1c4eb1fdf126460dd25fa0837dfdde0a9fd98662ce60844c458448fb2b352c203d9969"
    "cb74efa4bdb742287744a4f2308afa4af0e0773f55e32e92973619249214b97283b2daa14195244444e33f938138d1e5f561088c"
    "e8011f4986dda33a556412594db7c12fc40e1ff3f1bedeb7a42f5bcda0b9567f17f65855f65071fabb88ea12371877f3f77f10e1"
    "466fff6ff6973b74a933322ff0949ce357e20abe96c3dd5cfab42c9c83e740a4d32b9e11e146f0eb3404d2e975896f74",
)
RESUMABLE = asked(
    "POST",
    "storage.googleapis.com",
    "/test-bucket/test-object",
    "host%3Bx-goog-resumable",
    "4a6d39b23343cedf4c30782aed4b384001828c79ffa3a080a481ea01a640dea0a0ceb58d67a12cef3b243c3f036bb3799c6ee88e"
    "8db3eaf7d0bdd4b70a228d0736e07eaa1ee076aff5c6ce09dff1f1f03a0d8ead0d2893408dd3604fdabff553aa6d7af2da67cdba"
    "6790006a70240f96717b98f1a6ccb24f00940749599be7ef72aaa5358db63ddd54b2de9e2d6d6a586eac4fe25f36d86fc6ab1504"
    "18e9c6fa01b732cded226c6d62fc95b72473a4cc55a8257482583fe66d9ab6ede909eb41516a8690946c3e87b0f2052eb0e97e01"
    "2a14b2f721c42e6e19b8a1cd5658ea36264f10b9b1ada66b8ed5bf7ed7d1708377ac6e5fe608ae361fb594d2e5b24c54",
    **{"x-goog-resumable": "start"},
)
TRIMMED = asked(
    "GET",
    "storage.googleapis.com",
    "/test-bucket/test-object",
    "collapsed%3Bhost%3Bleading%3Btrailing",
    "1839511d6238d9ac2bbcbba8b23515b3757db35dfa7b8f9bc4b8b4aa270224df747c812526f1a3bcf294d67ed84cd14e074c36bc"
    "090e0a542782934a7c925af4a5ea68123e97533704ce8b08ccdf5fe6b412f89c9fc4de243e29abdb098382c5672188ee3f6fef71"
    "31413e252c78e7a35658825ad842a50609e9cc463731e17284ff7a14824c989f87cef22fb99dfec20cfeed69d8b3a08f00b43b82"
    "84eecd535e50e982b05cd74c5750cd5f986cfc21a2a05f7f3ab7fc31bd684ed1b823b64d29281e923fc6580c49005552ca19c253"
    "de087d9d2df881144e44eda40965cfdb4889bf3a35553c9809f4ed20b8355be481b92b9618952b6a04f3017b36053e15",
    **{"leading": "    xyz", "trailing": "abc    ", "collapsed": "abc    def"},
)
VIRTUAL = asked(
    "GET",
    "test-bucket.storage.googleapis.com",
    "/test-object",
    "host",
    "06c633ea060b0eda81ee58dd3337b01b0d243a44f18cb03ec948861f533a129e579c7fd4c856d187f1c7b86e5715ea0abf6a1c6b"
    "a32b69274d22b1b0406df6847dc87f0d289fe8dc0682351574849b8b13e4b66922f39441af96becb73ea4c56cd5e3eeb30bc91fe"
    "84e8bd205adca8639253bdb65b2fcaf2598a230c6d8f6d8177c9e58a61b6e826767f594056b490184d676897c4bbedc15d6fbf08"
    "c3fa82a406c62e74db661e6c5d7d3ced29e0619ee719dce4b8136360345b8dce120b9f1debd511c8dac3e6d874ee05bfda8c8f1c"
    "4fedd0c07fc6d98f5f18a349bb204d8ff401402a025194e2792df8a09282141157e4ca51d26a8d0d142a01c805321911",
)


@pytest.mark.parametrize("vector", [GET, RESUMABLE, TRIMMED, VIRTUAL])
def test_google_s_own_are_let_through(vector: Asked) -> None:
    assert refusal(vector, EMAIL, KEY, NOW) is None


def test_what_is_signed_is_what_google_says() -> None:
    lines = canonical_request(VIRTUAL).split("\n")
    assert lines[:2] == ["GET", "/test-object"]
    assert lines[3:] == ["host:test-bucket.storage.googleapis.com", "", "host", "UNSIGNED-PAYLOAD"]
    scope = "20190201/auto/storage/goog4_request"
    digest = "89eeae48258eccdcb1f592fb908008e3f5d36a949c002c1e614c94356dc18fc6"
    assert string_to_sign(VIRTUAL, scope) == f"GOOG4-RSA-SHA256\n20190201T090000Z\n{scope}\n{digest}"


@pytest.mark.parametrize(
    "other",
    [
        evolve(GET, method="HEAD"),
        evolve(GET, method="PUT"),
        evolve(GET, target=GET.target.replace("test-object", "test-object2")),
        evolve(GET, target=GET.target.replace("Expires=10", "Expires=11")),
        evolve(GET, target=GET.target.replace("T090000Z", "T090001Z")),
        evolve(GET, target=GET.target.replace("auto", "us")),
        evolve(GET, target=f"{GET.target}&generation=1"),
        evolve(GET, target=GET.target.replace("Signature=95", "Signature=96")),
        evolve(GET, target=GET.target.partition("&X-Goog-Signature")[0]),
        evolve(GET, target=f"{GET.target}zz"),
        evolve(GET, headers={"host": "elsewhere.example"}),
        evolve(RESUMABLE, headers={"host": "storage.googleapis.com"}),
    ],
)
def test_another_request_is_refused(other: Asked) -> None:
    assert refusal(other, EMAIL, KEY, NOW) == "the signature is of another request"


@pytest.mark.parametrize(
    "now", [NOW + timedelta(seconds=5), NOW + timedelta(days=1), NOW - timedelta(minutes=16), NOW - timedelta(days=1)]
)
def test_it_is_good_for_its_time_alone(now: datetime) -> None:
    assert refusal(GET, EMAIL, KEY, now) == "not at this time"


@pytest.mark.parametrize("seconds", ["604801", "-1", "", "ten"])
def test_no_time_is_longer_than_a_week(seconds: str) -> None:
    vector = evolve(GET, target=GET.target.replace("Expires=10", f"Expires={seconds}"))
    assert refusal(vector, EMAIL, KEY, NOW) == "not at this time"


def test_another_account_is_refused() -> None:
    assert refusal(GET, "other@example.com", KEY, NOW) == "not signed by this account"
    unsigned = evolve(GET, target="/test-bucket/test-object")
    assert refusal(unsigned, EMAIL, KEY, NOW) == "not signed by this account"


def test_the_host_has_to_be_signed() -> None:
    vector = evolve(GET, target=GET.target.replace("SignedHeaders=host", "SignedHeaders=x"))
    assert refusal(vector, EMAIL, KEY, NOW) == "the host is not signed"
