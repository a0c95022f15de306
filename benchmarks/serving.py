"""The servers of benchmarks/blobs.py, which all serve one folder: ours twice, nginx, and Go's http.ServeFile."""

import hashlib
import json
import os
import socket
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from attrs import frozen

from benchmarks.daemons import TWISTD, Server, command, program, server
from benchmarks.results import OCI, fetched

COPYING = ("-c", f"from nixery.registry import sending; sending.way = lambda *_: None; {TWISTD[1]}")
NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} backlog=4096; root {layers}; }}
}}
"""


@frozen
class Store:
    """A folder that all of them serve, and the SHA-256 of what is asked for."""

    folder: Path
    blob: str
    manifest: str

    @property
    def layers(self) -> Path:
        return self.folder / "storage" / "layers"


@frozen
class Serving:
    """A server, and the addresses of the blob and of the manifest."""

    server: Server
    blob: str
    manifest: str


def make(folder: Path, size: int) -> Store:
    """A layer of noise, and the manifest of an image of it."""
    store = folder / "storage" / "layers"
    store.mkdir(parents=True)
    blob = keep(store, os.urandom(size))
    part = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": size, "digest": f"sha256:{blob}"}
    manifest = {"schemaVersion": 2, "mediaType": OCI, "config": part, "layers": [part] * 20}
    return Store(folder, blob, keep(store, json.dumps(manifest).encode()))


def keep(folder: Path, data: bytes) -> str:
    """The name under which it is stored."""
    name = hashlib.sha256(data).hexdigest()
    (folder / name).write_bytes(data)
    return name


def daemon(store: Store, python: Sequence[str]) -> AbstractContextManager[Server]:
    """Ours, which needs no Nix to serve what is stored."""
    settings = {"STORAGE_PATH": str(store.folder / "storage"), "NIXERY_PKGS_PATH": "/", "HOME": str(store.folder)}
    return server(store.folder, command(python, "nixery-storage", backlog=4096), **settings)


def nginx(store: Store) -> AbstractContextManager[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = store.folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=store.folder, port=port, layers=store.layers))
    return server(store.folder, (program("nginx") or "nginx", "-c", str(configuration)), port=str(port))


def started(running: ExitStack, store: Store, peers: str) -> dict[str, Serving]:
    """All servers. Raises WrongResult when one answers with other bytes."""

    def serving(context: AbstractContextManager[Server], blob: str = "/", manifest: str = "/") -> Serving:
        one = running.enter_context(context)
        return Serving(one, f"{one.root}{blob}{store.blob}", f"{one.root}{manifest}{store.manifest}")

    ours = ("/v2/x/blobs/sha256:", "/v2/x/manifests/sha256:")
    servers = {
        "nginx": serving(nginx(store)),
        "Go": serving(server(store.folder, (peers, "files", str(store.layers)))),
        "nixery, copying": serving(daemon(store, COPYING), *ours),
    }
    servers = {"nixery": serving(daemon(store, TWISTD), *ours), **servers}
    for one in servers.values():
        fetched(one.blob, store.blob)
        fetched(one.manifest, store.manifest)
    return servers
