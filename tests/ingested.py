"""Ingestion on two nodes of Ray, one of which is killed at work: python -m tests.ingested DOCUMENTS [alone].

Run it where ray is installed (`make ray`). Each node has a loopback address of its own; Ray takes 127.0.0.1 for
that of the machine. The embedder is a stand-in, so what is measured is everything else.
"""

import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from index import Progress, Report, build
from index.nodes import Nodes
from tests.fakes import HashEmbedder

RAY = Path(sys.executable).parent / "ray"
ROOT = Path(__file__).parents[1]
HEAD, OTHER, PORT, CLIENTS = "127.0.0.2", "127.0.0.3", 6399, 9399
ADDRESS = f"ray://{HEAD}:{CLIENTS}"
SOON = {"RAY_health_check_period_ms": "1000", "RAY_health_check_failure_threshold": "3"}
WORDS = (
    "harbour",
    "lantern",
    "orchard",
    "copper",
    "violin",
    "glacier",
    "market",
    "bridge",
    "captain",
    "winter",
)


def write(file: Path, documents: int) -> None:
    """Write a JSONL file of short documents that share no sentence; the two last can't be read."""
    chosen = random.Random(7)
    with file.open("w") as lines:
        for number in range(documents):
            said = [f"The {' '.join(chosen.choices(WORDS, k=8))} of {number} was sold." for _ in range(4)]
            told = {
                "id": f"d{number}",
                "text": f"Story {number}\n\n" + " ".join(said),
                "title": f"Story {number}",
            }
            print(json.dumps(told), file=lines)
        print('{"id": "hollow"}\n{"torn', file=lines)


@contextmanager
def cluster() -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Two nodes with a core each, `head` and `other`."""
    environ = {**os.environ, **SOON, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)}
    small = ["--num-cpus=1", "--object-store-memory=100000000", "--block"]
    head = [f"--node-ip-address={HEAD}", f"--port={PORT}", f"--ray-client-server-port={CLIENTS}", "--head"]
    running: dict[str, subprocess.Popen[bytes]] = {}
    with TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as name:  # a socket's path must be short
        folder = Path(name)

        def start(name: str, *more: str) -> None:
            with (folder / f"{name}.log").open("wb") as log:
                command = ["timeout", "900", str(RAY), "start", *more, *small]
                running[name] = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
            until = time.monotonic() + 60
            while "block forever" not in (told := (folder / f"{name}.log").read_text()):
                assert time.monotonic() < until, told
                assert running[name].poll() is None, told
                time.sleep(0.2)

        try:
            start("head", *head, "--include-dashboard=false", f"--temp-dir={folder}")
            start("other", f"--address={HEAD}:{PORT}", f"--node-ip-address={OTHER}")
            yield running
        finally:
            for process in running.values():
                kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a node with all that it started, at once, as a machine ends."""
    for pid in _below(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _below(pid: int) -> list[int]:
    """A process and those that it and they have started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has just ended
            found += [each for child in task.read_text().split() for each in _below(int(child))]
    return found


def peak(process: subprocess.Popen[bytes]) -> float:
    """The most that a node's workers have had in memory, in MB."""
    told = [Path(f"/proc/{pid}/status").read_text() for pid in _below(process.pid)]
    most = [re.search(r"VmHWM:\s+(\d+)", each) for each in told if each.startswith("Name:\tray::_Worker")]
    return sum(int(each[1]) for each in most if each) / 1024


def main(documents: int, alone: bool) -> None:
    """Ingest, tell the count, the time and the memory; raise where the count is wrong."""
    with TemporaryDirectory() as name, ExitStack() as ends:
        folder, embedder, lost = Path(name), HashEmbedder(), ""
        write(folder / "stories.jsonl", documents)
        running, nodes = {}, None
        if not alone:
            running = ends.enter_context(cluster())
            nodes = ends.enter_context(Nodes(ADDRESS, embedder, HashEmbedder))
        began = time.monotonic()
        for step in build(folder / "stories.jsonl", folder / "home", embedder, workers=nodes):
            half = isinstance(step, Progress) and step.stage == "embed" and step.done > documents
            if half and "other" in running:
                lost = f"; killed after {time.monotonic() - began:.0f} s ({peak(running['other']):.0f} MB), "
                kill(running.pop("other"))
        seconds = time.monotonic() - began
        assert isinstance(step, Report)
        if nodes:
            lost += (
                f"{nodes.lost} worker lost, {nodes.again} batches done again, {peak(running['head']):.0f} MB"
            )
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        refused = sum(each.outcome == "quarantined" for each in step.outcomes)
        print(
            f"{step.documents} documents, {refused} refused, {step.embedded} texts in {seconds:.0f} s, "
            f"{most:.0f} MB{lost}"
        )
        assert (step.documents, refused) == (documents, 2)


if __name__ == "__main__":
    main(int(sys.argv[1]), "alone" in sys.argv)
