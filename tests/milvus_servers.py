"""Milvus servers for tests, on loopback, from packages alone: an emulator, one process, and a cluster of seven.

    unshare -pfn --mount-proc bash -c 'ip link set lo up; exec "$@"' _ \
        SERVERS/bin/python -m tests.milvus_servers cluster SERVERS COMMAND…

A real server binds all interfaces and asks for no password, so it is started in a network of its own. In the
cluster the message queue is librdkafka's mock broker and the object store a folder: what is tested there are
shards, replicas and the loss of a node, not the queue. `make servers` installs what is needed into SERVERS.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HEALTHY = 180.0  # seconds until all parts must be; some 10 on an idle machine
PORT = 19_530
SERVERS = Path(os.environ.get("FEUD_SERVERS", Path(__file__).parents[1] / ".venv" / "servers"))
EMULATOR = SERVERS / "bin" / "milvus-lite"
NO_SERVERS = f"no Milvus in {SERVERS}: make servers"
ROLES = {
    "coordinator": ("mixture", "-rootcoord=true", "-querycoord=true", "-datacoord=true", "-indexcoord=true"),
    "proxy": ("proxy",),
    "query1": ("querynode",),
    "query2": ("querynode",),
    "data": ("datanode",),
    "index": ("indexnode",),
}
PORTS = {
    "query1": {"query_node_port": 22_001},
    "query2": {"query_node_port": 22_002},
    "data": {"data_node_port": 22_003},
    "index": {"index_node_port": 22_004},
}


class Processes:
    """Processes that end when it is left, the last first."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, dict[str, subprocess.Popen[bytes]]()

    def start(self, name: str, command: Sequence[str | Path], **environ: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                list(map(str, command)), stdout=log, stderr=log, cwd=self.folder, env={**os.environ, **environ}
            )

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.running.values()):
            process.kill()
            process.wait()


def configuration(template: str, folder: Path, broker: str, ports: Mapping[str, int]) -> str:
    """Milvus' configuration for one process of the cluster, from that of its package."""
    values: dict[str, Any] = {
        "etcd_port": 2379,
        "etcd_log_level": "info",
        "etcd_log_path": "stdout",
        "etcd_data_dir": folder / "unused",
        "local_storage_dir": folder / "data",
        "rocksmq_data_dir": folder / "rocksmq",
        "system_log_path": folder / "logs",
        **ports,
    }
    named = re.compile(r"\{\{\s*(\w+)(?:\(\w+\))?\s*(?::\s*(.*?))?\s*\}\}")
    text = named.sub(lambda m: str(values.get(m[1], (m[2] or "").strip())), template)
    text = text.replace("embed: true", "embed: false").replace("type: rocksmq", "type: kafka")
    queue = f"kafka:\n  brokerList: {broker}\n  readTimeout: 10\n"
    text = re.sub(r"^# kafka:\n#   brokerList:.*\n", queue, text, flags=re.MULTILINE)
    text = re.sub(r"^  ip:.*$", "  ip: 127.0.0.1", text, flags=re.MULTILINE)
    return re.sub(r"(session:\n\s+ttl:) 30", r"\1 5", text)  # a dead node is noticed in 5 s, not 30


def cluster(servers: Path, processes: Processes) -> None:
    """Start etcd and the six processes of Milvus."""
    import milvus
    from confluent_kafka import Producer

    folder = processes.folder
    milvus._initialize_data_files(str(servers / "milvus"))  # unpacks the program, once
    program = servers / "milvus" / "bin"
    package = Path(milvus.__file__).parent / "data"
    processes.kafka = Producer({"test.mock.num.brokers": 1})  # type: ignore[attr-defined]  # lives as long
    brokers = processes.kafka.list_topics(timeout=10).brokers.values()  # type: ignore[attr-defined]
    broker = ",".join(f"127.0.0.1:{each.port}" for each in brokers)
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    addresses = ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer]
    processes.start("etcd", [servers / "etcd/usr/bin/etcd", "--data-dir", folder / "etcd", *addresses])
    template = (package / "config.yaml.template").read_text()
    time.sleep(1)
    for number, (name, role) in enumerate(ROLES.items()):
        own = folder / "conf" / name
        own.mkdir(parents=True)
        (own / "milvus.yaml").write_text(configuration(template, folder, broker, PORTS.get(name, {})))
        shutil.copy(package / "glog.conf", own)
        processes.start(
            name,
            [program / "milvus", "run", *role],
            LD_LIBRARY_PATH=str(program),
            MILVUSCONF=str(own),
            METRICS_PORT=str(9101 + number),
            DEPLOY_MODE="DISTRIBUTED",
            MILVUS_RUN_DIR=str(folder / f"run-{name}"),
        )
        time.sleep(2 if name == "coordinator" else 0)
    for number in range(len(ROLES)):
        healthy(9101 + number)


def standalone(servers: Path, processes: Processes) -> None:
    """Start Milvus as one process."""
    code = "import sys; from milvus import MilvusServer; s = MilvusServer(); s.set_base_dir(sys.argv[1]); "
    code += f"s.listen_port = {PORT}; s.start(); s.server_proc.wait()"
    processes.start("standalone", [servers / "bin/python", "-c", code, processes.folder / "milvus"])
    healthy(9091)


@contextmanager
def emulator(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Run Milvus' emulator; gives its address for `FEUD_STORE`, and its process."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ["--data-dir", str(folder / "data"), "--host", "127.0.0.1", "--port", str(port)]
    with Processes(folder) as processes:
        processes.start("emulator", [EMULATOR, "server", *where])
        until = time.monotonic() + HEALTHY
        while time.monotonic() < until:
            told = (folder / "emulator.log").read_text("utf-8", "replace")
            assert processes.running["emulator"].poll() is None, f"the emulator ended: {told[-300:]}"
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"milvus://127.0.0.1:{port}", processes.running["emulator"]


def forget(address: str) -> None:
    """Remove everything of feud's from a server."""
    from pymilvus.exceptions import MilvusException

    from index.milvus import Server

    server = Server(address)
    with suppress(MilvusException):  # there is none
        server._client.drop_alias("feud")
    for name in server.names():
        if name.startswith("feud_"):
            server.drop(name)


def healthy(port: int) -> None:
    """Wait until a process of Milvus says that it is well."""
    until = time.monotonic() + HEALTHY
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                if b"OK" in answer.read():
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"port {port} was not healthy within {HEALTHY:.0f} s")


def main(kind: str, servers: str, *command: str) -> int:
    """Start a server, run a command beside it, and return what that does."""
    with TemporaryDirectory() as name, Processes(Path(name)) as processes:
        began = time.monotonic()
        {"cluster": cluster, "standalone": standalone}[kind](Path(servers), processes)
        print(f"{kind} up in {time.monotonic() - began:.1f} s", flush=True)
        pids = {f"PID_{name.upper()}": str(process.pid) for name, process in processes.running.items()}
        environ = {**os.environ, **pids, "FEUD_TEST_STORE": f"milvus://127.0.0.1:{PORT}"}
        return subprocess.call(command, env=environ)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main(*sys.argv[1:]))
