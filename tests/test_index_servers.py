"""The contract of the stores on real Milvus servers: one process, and a cluster that loses a query node."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.milvus_servers import NO_SERVERS, SERVERS

ROOT = Path(__file__).parents[1]
ALONE = ["unshare", "-pfn", "--mount-proc", "bash", "-c", 'ip link set lo up && exec "$@"', "_"]


@pytest.mark.parametrize("kind", ["standalone", "cluster"])
def test_a_real_server_keeps_the_contract(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    if not (SERVERS / "etcd" / "usr" / "bin" / "etcd").exists():
        pytest.skip(NO_SERVERS)
    if os.uname().machine != "x86_64":
        pytest.skip("Milvus' package has programs for x86-64 alone")
    alone = subprocess.run([*ALONE, "true"], capture_output=True, text=True)
    if alone.returncode:
        pytest.skip(f"no network of its own is allowed here: {alone.stderr.strip()}")
    tests = [sys.executable, "-m", "pytest", "-q", "-rsP", "-p", "no:cacheprovider", "-k", WANTED]
    server = [SERVERS / "bin" / "python", "-m", "tests.milvus_servers", kind, SERVERS]
    command = [*ALONE, *server, *tests, "tests/test_index_stores.py"]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-4_000:]
    skipped = {"standalone": 1, "cluster": 0}[kind]  # a node is lost where there are several
    assert re.search(r"\d+ passed(?:, (\d+) skipped)?", done.stdout), done.stdout
    assert len(re.findall(r"^SKIPPED", done.stdout, re.MULTILINE)) == skipped
    with capsys.disabled():
        for line in re.findall(r"^.* up in .*|^\d+ searches.*", done.stdout, re.MULTILINE):
            print(f"\n{line}", end="")


WANTED = "same_with_the_same_reasons and milvus or keeps_its_generation and milvus or lost_query_node"
"""What a server can do otherwise than the emulator, which the whole contract is run on."""
