"""Ingestion on a real cluster of Ray: two nodes on loopback, one of which is killed while it works."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from index import Progress, Report, build, open_index
from index.nodes import Nodes, NodesError
from tests.fakes import HashEmbedder
from tests.ingested import ADDRESS, cluster, kill, write
from tests.scripted_llm import ScriptedServer
from tests.test_index_build import content, run
from tests.test_ui_cli import FERRY

pytest.importorskip("ray", reason="ray is not here: make ray")
pytestmark = pytest.mark.filterwarnings("default")  # Ray's own are its makers'
DOCUMENTS = 2_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write(tmp_path / "stories.jsonl", DOCUMENTS)
    return tmp_path / "stories.jsonl"


@pytest.mark.parametrize("stage", ["read", "embed"])
def test_a_node_that_dies_at_work_costs_time_and_no_document(stage: str, source: Path, tmp_path: Path) -> None:
    home, embedder = tmp_path / "home", HashEmbedder()
    (tmp_path / "before.txt").write_text(FERRY)
    run(tmp_path / "before.txt", home)
    with cluster() as running, Nodes(ADDRESS, embedder, HashEmbedder) as nodes:
        for step in build(source, home, embedder, workers=nodes):
            if isinstance(step, Progress):
                if step.stage == stage and nodes.ready == 2 and step.done > 100 and "other" in running:
                    kill(running.pop("other"))
                if step.done % 200 == 0:  # who asks meanwhile is answered from what was there
                    assert [each.id for each in open_index(home, embedder).documents] == ["before.txt"]
        assert (nodes.lost, nodes.again > 0) == (1, True)  # it was at work
    assert isinstance(step, Report)
    assert step.documents == len(open_index(home, embedder).documents) == DOCUMENTS
    assert [each.id for each in step.outcomes if each.outcome == "quarantined"] == [
        "stories.jsonl#hollow",
        f"stories.jsonl#{DOCUMENTS + 2}",
    ]
    run(source, tmp_path / "alone")
    assert content(home) == content(tmp_path / "alone")


def test_a_cluster_that_dies_is_one_line_and_nothing_is_lost(source: Path, tmp_path: Path) -> None:
    home, embedder = tmp_path / "home", HashEmbedder()
    with cluster() as running, Nodes(ADDRESS, embedder, HashEmbedder, patience=10) as nodes:
        steps = build(source, home, embedder, workers=nodes)
        assert any(isinstance(step, Progress) and step.stage == "embed" and step.done > 200 for step in steps)
        for name in ("head", "other"):
            kill(running.pop(name))
        with pytest.raises(NodesError, match="goes on where it stopped") as caught:
            list(steps)
        assert "\n" not in str(caught.value)
    assert run(source, home).documents == DOCUMENTS


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with cluster():
        yield ADDRESS


def feud(home: Path, embedder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FEUD_")}
    environ |= {"FEUD_HOME": str(home), "FEUD_EMBEDDER": embedder}
    command = [sys.executable, "-c", "from ui.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120)


def test_the_command_prints_what_became_of_it_and_does_it_once(address: str, tmp_path: Path) -> None:
    records = [{"id": "ferry", "text": FERRY}, {"id": "hollow"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    with ScriptedServer() as endpoint:
        done = feud(
            tmp_path, f"{endpoint.base_url}#close", "ingest", str(tmp_path / "a.jsonl"), "--on", address
        )
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert lines[0] == "quarantined a.jsonl#hollow (has no field text, or it holds no text)"
        assert lines[1] == f"1 added, 1 quarantined: {tmp_path / 'a.jsonl'}"
        assert lines[2].startswith("Generation 1 is new: 1 documents, ")
        assert lines[3].endswith(f"FEUD_DOCUMENTS={tmp_path / 'a.jsonl'}")
        again = feud(
            tmp_path, f"{endpoint.base_url}#close", "ingest", str(tmp_path / "a.jsonl"), "--on", address
        )
        assert "Generation 1 is unchanged: 1 documents, " in again.stdout, again.stderr


def test_a_node_with_another_model_is_refused(address: str, source: Path, tmp_path: Path) -> None:
    embedder = HashEmbedder(name="other")
    refused = pytest.raises(NodesError, match="has another embedding model than this machine")
    with Nodes(address, embedder, HashEmbedder) as nodes, refused:
        list(build(source, tmp_path / "home", embedder, workers=nodes))
