"""Images of the embedded Debian package set, pulled and run by real clients.

Needs a Debian or Ubuntu host with apt's lists, and the mirror that these name.
"""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.clients import Podman, copied, podman_in
from tests.integration.conftest import need
from tests.integration.daemon import Daemon, eventually, running


@pytest.fixture(scope="module")
def debian(debian_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    settings = {"NIXERY_DEBIAN_INDEX": str(debian_index), "NIXERY_MAX_LAYERS": "20"}
    with running(tmp_path_factory.mktemp("debian-daemon"), **settings) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    need("podman", "runc")
    with podman_in(tmp_path_factory.mktemp("podman")) as podman:
        yield podman


def reference(debian: Daemon, name: str) -> str:
    return f"127.0.0.1:{debian.port}/{name}"


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("shell/curl/jq", "amd64"),
        ("shell/git/htop", "amd64"),
        ("python3", "amd64"),
        ("nginx", "amd64"),
        ("arm64/hello", "arm64"),
    ],
)
def test_skopeo_copies_the_image(debian: Daemon, tmp_path: Path, name: str, architecture: str) -> None:
    need("skopeo")
    options = ("--override-arch", architecture)
    config = copied(reference(debian, name), tmp_path / "layout", *options)
    assert config["architecture"] == architecture


def test_skopeo_copies_the_docker_format_too(debian: Daemon, tmp_path: Path) -> None:
    need("skopeo")
    assert copied(reference(debian, "shell/curl/jq"), tmp_path / "layout", "--format=v2s2")["architecture"] == "amd64"


def test_curl_and_jq_run(debian: Daemon, podman: Podman) -> None:
    image = reference(debian, "shell/curl/jq")
    assert "OpenSSL" in podman.run(image, "curl", "--version")
    assert podman.run(image, "bash", "-c", 'echo \'{"a":[1,{"b":"c"}]}\' | jq -r .a[1].b') == "c\n"


def test_git_commits(debian: Daemon, podman: Podman) -> None:
    script = """
        cd /tmp && git init -q repository && cd repository && echo text > file && git add file
        git -c user.name=me -c user.email=me@example.org commit -q -m 'a first commit' && git log --format=%s
    """
    assert podman.run(reference(debian, "shell/git/htop"), "bash", "-ec", script) == "a first commit\n"
    assert "htop 3" in podman.run(reference(debian, "shell/git/htop"), "htop", "--version")


def test_python_has_ssl_with_certificates_and_sqlite(debian: Daemon, podman: Podman) -> None:
    script = """if True:
        import json, sqlite3, ssl
        rows = sqlite3.connect(":memory:").execute("select 6 * 7").fetchone()
        print(json.dumps([rows, ssl.create_default_context().cert_store_stats()["x509_ca"] > 50]))
    """
    assert json.loads(podman.run(reference(debian, "python3"), "python3", "-c", script)) == [[42], True]


NGINX = """
daemon off; error_log stderr; pid /tmp/nginx.pid; events {}
http { access_log off; server { listen 127.0.0.1:%d; location / { return 200 "nginx answers"; } } }
"""


def test_nginx_answers(debian: Daemon, podman: Podman, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(NGINX % port)
    with podman.serving(reference(debian, "nginx"), tmp_path, "nginx", "-c", "/conf/nginx.conf"):
        assert eventually(lambda: answer(port) == b"nginx answers")


def answer(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read()
    except OSError:
        return b""
    finally:
        connection.close()
