"""What the environment says of proxies."""

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixery.errors import ConfigError
from nixery.fetching.proxy import STRAIGHT, Exempt, Proxies, Proxy, authority

NAMES = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
LABELS = st.lists(st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True), min_size=2, max_size=4)


def hosts(proxies: Proxies) -> tuple[str | None, str | None]:
    """The names of the proxies for http and for https."""
    http, https = proxies.http, proxies.https
    return None if http is None else http.host, None if https is None else https.host


def read(environment: dict[str, str]) -> Proxies | ConfigError:
    try:
        return Proxies.parse(environment)
    except ConfigError as error:
        return error


def exempts(no_proxy: str, host: str, port: int = 443) -> bool:
    proxies = Proxies.parse({"all_proxy": "proxy", "no_proxy": no_proxy})
    return proxies.to("https", host, port) is None


ENVIRONMENTS = {
    "http_proxy": ("proxy", None),
    "HTTP_PROXY": (None, None),
    "https_proxy": (None, "proxy"),
    "HTTPS_PROXY": (None, "proxy"),
    "all_proxy": ("proxy", "proxy"),
    "ALL_PROXY": ("proxy", "proxy"),
}


@pytest.mark.parametrize("variable", ENVIRONMENTS)
def test_each_variable_is_for_its_schemes(variable: str) -> None:
    assert hosts(Proxies.parse({variable: "http://proxy:3128"})) == ENVIRONMENTS[variable]


def test_the_more_special_variables_come_first() -> None:
    environment = {name: f"http://{name.replace('_', '-')}" for name in NAMES}
    assert hosts(Proxies.parse(environment)) == ("http-proxy", "https-proxy")
    for name in ("http_proxy", "https_proxy"):
        del environment[name]
    proxies = Proxies.parse(environment)
    assert proxies.http is not None
    assert proxies.https is not None
    assert (proxies.http.variable, proxies.https.variable) == ("all_proxy", "HTTPS_PROXY")


def test_an_empty_variable_is_none() -> None:
    assert Proxies.parse(dict.fromkeys([*NAMES, "no_proxy", "NO_PROXY"], "")) == STRAIGHT
    assert hosts(Proxies.parse({"https_proxy": "", "ALL_PROXY": "proxy"})) == ("proxy", "proxy")
    assert Proxies.parse({"no_proxy": "", "NO_PROXY": "a"}).exempt == (Exempt("a"),)


PROXIES = {
    "http://proxy:3128": "http://proxy:3128",
    "http://proxy:3128/": "http://proxy:3128",
    "https://proxy": "https://proxy:443",
    "proxy": "http://proxy:1080",
    "PROXY.example:8080": "http://proxy.example:8080",
    "me:secret@proxy:8080": "http://proxy:8080",
    "http://[::1]:3128": "http://[::1]:3128",
    "http://bücher.example:1": "http://xn--bcher-kva.example:1",
}


@pytest.mark.parametrize("text", PROXIES)
def test_a_proxy_is_read_as_curl_reads_it(text: str) -> None:
    assert Proxy.parse(text, "http_proxy").shown == PROXIES[text]


def test_user_and_password_are_kept_apart() -> None:
    proxy = Proxy.parse("http://me:sec%40ret@proxy:1", "https_proxy")
    assert proxy.authorization == "Basic bWU6c2VjQHJldA=="
    assert "bWU6" not in repr(proxy)
    assert Proxy.parse("http://proxy:1", "https_proxy").authorization is None


@pytest.mark.parametrize(
    "text", ["socks5://proxy:1080", "http://", "http://proxy:99999", "http://proxy/path", "http://a..b", "http://a b"]
)
def test_what_is_no_http_proxy_is_a_wrong_setting(text: str) -> None:
    with pytest.raises(ConfigError, match="^ALL_PROXY is '.*', which is no HTTP proxy such as http://"):
        Proxies.parse({"ALL_PROXY": text})


@settings(deadline=None)
@given(st.text("1a@:/?#[]%\\ é", max_size=6), st.text("1a@:/?#[]%\\ é", max_size=6))
def test_a_password_is_never_shown(before: str, after: str) -> None:
    text = f"http://me:{before}S3CRET{after}@proxy.example:3128"
    try:
        proxy = Proxy.parse(text, "https_proxy")
        told = repr(proxy)
    except ConfigError as error:
        told = str(error)
    else:
        assert proxy.shown == "http://proxy.example:3128"
    assert "S3CRET" not in told


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*NAMES, "no_proxy"]), st.text()))
def test_any_environment_is_read_or_refused(environment: dict[str, str]) -> None:
    variables = {name for name in NAMES if environment.get(name)}
    match read(environment):
        case ConfigError() as error:
            assert error.message.partition(" is ")[0] in variables
        case proxies:
            assert {proxy.variable for proxy in (proxies.http, proxies.https) if proxy is not None} <= variables
            assert proxies.to("http", "host.example", 80) in (proxies.http, None)
            assert proxies.to("https", "host.example", 443) in (proxies.https, None)


@settings(deadline=None)
@given(LABELS, LABELS, st.sampled_from(["", "."]), st.sampled_from(["", "."]), st.sampled_from([", ", ",", " "]))
def test_a_domain_is_for_itself_and_what_is_below_it(
    below: list[str], domain: list[str], before: str, after: str, comma: str
) -> None:
    name = ".".join(domain)
    listed = comma.join(["other.invalid", f"{before}{name.upper()}{after}"])
    assert exempts(listed, name)
    assert exempts(listed, f"{name}.")
    assert exempts(listed, ".".join([*below, *domain]))
    assert not exempts(listed, f"x{name}")
    assert not exempts(listed, f"{name}.x")
    assert not exempts(f"{before}{below[0]}.{name}", name)


@settings(deadline=None)
@given(st.ip_addresses(), st.integers(0, 32), st.booleans())
def test_a_network_is_for_its_addresses(address: object, bits: int, brackets: bool) -> None:
    entry = f"{address}/{bits}"
    assert exempts(f"a.example,{entry}", str(address))
    assert exempts(f"[{address}]" if brackets else str(address), str(address))
    elsewhere = "2001:db8::1" if ":" not in entry else "192.0.2.1"
    assert not exempts(entry, elsewhere)
    assert not exempts(entry, "host.example")


def test_an_address_outside_of_a_network_is_not_meant() -> None:
    assert exempts("10.0.0.0/8", "10.255.0.1")
    assert not exempts("10.0.0.0/8", "11.0.0.1")
    assert not exempts("0.1", "10.0.0.1")
    assert ip_network("10.0.0.0/8") == Exempt.parse("10.1.2.3/8").hosts


@settings(deadline=None)
@given(st.one_of(st.ip_addresses().map(str), LABELS.map(".".join)))
def test_a_star_is_for_all(host: str) -> None:
    assert exempts("*", host)
    assert exempts("a.example,*", host)


@pytest.mark.parametrize("no_proxy", ["", ",", ".", " , ", "..", ":", "[]"])
def test_nothing_is_for_none(no_proxy: str) -> None:
    assert not exempts(no_proxy, "host.example")


@pytest.mark.parametrize("entry", ["host.example:8443", "[::1]:8443", "127.0.0.1:8443", "*:8443"])
def test_a_port_is_the_only_one_that_is_meant(entry: str) -> None:
    host = entry.removesuffix(":8443").strip("[]").replace("*", "any.example")
    assert exempts(entry, host, 8443)
    assert not exempts(entry, host, 443)


def test_an_ipv6_address_with_a_port_has_brackets() -> None:
    assert authority("::1", 443) == "[::1]:443"
    assert authority("host.example", 443) == "host.example:443"
