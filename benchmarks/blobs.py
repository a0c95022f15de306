"""How fast blobs go out, and what that costs, beside nginx and Go's http.ServeFile: GB/s, CPU seconds a GB, memory.

    python benchmarks/blobs.py [MEGABYTES [TIMES [SECONDS]]]    a blob of 100 MB, 30 times; slow clients for 20 s

Needs nginx and Go. All servers serve the same file on the loopback interface, in turns, so that what else the machine
does meets all of them; nginx is one process, as ours is, and Go takes all cores. "nixery, copying" is ours without
sendfile: the way that TLS goes. The clients (benchmarks/go/blobs) have the kernel drop what comes. Then 2,000 clients
read at 50 KB/s each, and something else is asked for beside them: of ours a manifest, of the others a file of its size.

What is to be reached, of the better of nginx and Go: 0.9 of their GB/s, and twice their CPU seconds a GB. The floor is
the kernel's own work, which is most of nginx's.
"""

import hashlib
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
ROUNDS = 7
CONNECTIONS = (1, 16, 64)
SLOW, SPEED = 2000, 50_000
GB, KIB = 1e9, 1024
TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds in which CPU time is counted."""

DAEMON = "from twisted.scripts.twistd import run; run()"
COPYING = f"from nixery.registry import sending; sending.way = lambda *_: None; {DAEMON}"
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


class Server(NamedTuple):
    """A server that runs, and the addresses of the blob and of the manifest."""

    pid: int
    blob: str
    manifest: str

    @property
    def cpu(self) -> float:
        """Seconds (proc(5), stat)."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, words[11:13])) * TICK

    @property
    def memory(self) -> int:
        """Bytes, with its part of what it shares (proc(5), smaps_rollup)."""
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{self.pid}/smaps_rollup").read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1]) * KIB


class Store(NamedTuple):
    """A folder that all of them serve."""

    folder: Path
    blob: str
    manifest: str

    @property
    def layers(self) -> Path:
        return self.folder / "storage" / "layers"


def make(folder: Path, size: int) -> Store:
    """A layer of noise, and the manifest of an image of it."""
    store = folder / "storage" / "layers"
    store.mkdir(parents=True)
    blob = keep(store, os.urandom(size))
    part = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": size, "digest": f"sha256:{blob}"}
    media_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": part, "layers": [part] * 20}
    return Store(folder, blob, keep(store, json.dumps(manifest).encode()))


def keep(folder: Path, data: bytes) -> str:
    """The name under which it is stored."""
    name = hashlib.sha256(data).hexdigest()
    (folder / name).write_bytes(data)
    return name


@contextmanager
def process(*command: str, port: str = "", **settings: str) -> Iterator[tuple[int, str]]:
    """The process's number, and the port that it prints where none is given."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | settings) as child:
        assert child.stdout is not None
        try:
            if not port:
                port = next(found[1] for line in child.stdout if (found := re.search(r"(?:port|on) (\d+)$", line)))
            threading.Thread(target=child.stdout.read, daemon=True).start()  # else it would wait for room for its log
            yield child.pid, port
        finally:
            child.terminate()


@contextmanager
def daemon(store: Store, code: str) -> Iterator[Server]:
    """Ours, which needs no Nix to serve what is stored."""
    arguments = ("-n", "--pidfile=", "nixery-storage", "--listen", "tcp:0:interface=127.0.0.1:backlog=4096")
    settings = {"STORAGE_PATH": str(store.folder / "storage"), "NIXERY_PKGS_PATH": "/", "HOME": str(store.folder)}
    with process(sys.executable, "-c", code, *arguments, **settings) as (pid, port):
        root = f"http://127.0.0.1:{port}/v2/x"
        yield Server(pid, f"{root}/blobs/sha256:{store.blob}", f"{root}/manifests/sha256:{store.manifest}")


@contextmanager
def nginx(store: Store) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = store.folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=store.folder, port=port, layers=store.layers))
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    with process(program, "-c", str(configuration), port=str(port)) as (pid, _):
        root = f"http://127.0.0.1:{port}"
        yield Server(pid, f"{root}/{store.blob}", f"{root}/{store.manifest}")


@contextmanager
def go(store: Store, program: str) -> Iterator[Server]:
    with process(program, "serve", str(store.layers)) as (pid, port):
        root = f"http://127.0.0.1:{port}"
        yield Server(pid, f"{root}/{store.blob}", f"{root}/{store.manifest}")


def run(program: str, *arguments: object) -> list[float]:
    """The numbers that the Go program prints."""
    words = subprocess.run([program, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [float(word) for word in words.split()]


class Pulled(NamedTuple):
    """GB a second, and CPU seconds a GB."""

    speed: float
    cpu: float


def pull(program: str, server: Server, connections: int, times: int) -> Pulled:
    before = server.cpu
    size, seconds = run(program, "pull", server.blob, connections, times)
    return Pulled(size / seconds / GB, max(TICK, server.cpu - before) / size * GB)


def pulls(program: str, servers: Mapping[str, Server], times: int) -> None:
    """Print the best speed and the least CPU that each server reaches in all rounds, and what ours are of those."""
    for connections in CONNECTIONS:
        best: dict[str, Pulled] = {}
        for _ in range(ROUNDS):
            for name, server in servers.items():
                new = pull(program, server, connections, times)
                old = best.get(name, new)
                best[name] = Pulled(max(old.speed, new.speed), min(old.cpu, new.cpu))
        ours = best["nixery"]
        for name, (speed, cpu) in best.items():
            print(
                f"{connections:3} connections  {name:16} {speed:5.2f} GB/s  {cpu:6.3f} CPU s a GB"
                f"   nixery: {ours.speed / speed:5.2f} of its speed, {ours.cpu / cpu:5.2f} of its CPU",
                flush=True,
            )


def slow(program: str, servers: Mapping[str, Server], seconds: int) -> None:
    """Print what many slow clients cost each server."""
    for name, server in servers.items():
        run(program, "pull", server.manifest, 1, 100)
        memory, cpu = server.memory, server.cpu
        seen: list[int] = []
        timer = threading.Timer(seconds * 0.8, lambda: seen.append(server.memory))  # noqa: B023 - it is joined below
        timer.start()
        speed, median, worst = run(program, "slow", server.blob, SLOW, SPEED, seconds, server.manifest)
        timer.join()
        print(
            f"{SLOW} clients at {speed / 1000:4.1f} KB/s  {name:16} {(seen[0] - memory) / SLOW / KIB:6.1f} KiB each"
            f"  {(server.cpu - cpu) / seconds:5.2f} cores  beside them p50 {median:6.2f} ms, p99 {worst:7.2f} ms",
            flush=True,
        )


def main(arguments: list[str]) -> None:
    """As the module says."""
    megabytes, times, seconds = [*map(int, arguments), *(100, 30, 20)[len(arguments) :]]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        store = make(Path(name), megabytes * 1_000_000)
        program = str(Path(name, "clients"))
        subprocess.run(["go", "build", "-o", program, "."], check=True, cwd=ROOT / "benchmarks" / "go" / "blobs")
        servers = {
            "nixery": running.enter_context(daemon(store, DAEMON)),
            "nginx": running.enter_context(nginx(store)),
            "Go": running.enter_context(go(store, program)),
            "nixery, copying": running.enter_context(daemon(store, COPYING)),
        }
        for server in servers.values():
            run(program, "pull", server.blob, 1, 3)
        pulls(program, servers, times)
        slow(program, servers, seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
