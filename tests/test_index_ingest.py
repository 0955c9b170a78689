"""What a source gives is the same whoever does the work, how often it is done, and where it was killed."""

import json
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from corpus import FeudError
from corpus.apart import READER
from index import Embedder, Report, build, open_index
from index.workers import Alone, Workers
from tests.fakes import HashEmbedder
from tests.test_corpus_read import PDF
from tests.test_index_build import CountingEmbedder, content, story, told

ROOT = Path(__file__).parents[1]


class Ahead:
    """Workers that take all that there is before they give anything, and only what can be sent."""

    def each(
        self, work: Callable[[Embedder, Any], Any], things: Iterable[Any], together: int = 16
    ) -> Iterator[Any]:
        done = [pickle.loads(pickle.dumps(work(HashEmbedder(), pickle.loads(pickle.dumps(t))))) for t in things]
        yield from done


class Mistaken(Alone):
    """Workers that make a mistake over each file of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(HashEmbedder())
        self._name = name

    def each(
        self, work: Callable[[Embedder, Any], Any], things: Iterable[Any], together: int = 16
    ) -> Iterator[Any]:
        odd = {"title": 3}  # no text, as it has to be
        return super().each(
            work, (replace(t, told=odd) if getattr(t, "name", "") == self._name else t for t in things)
        )


class Starved(Alone):
    """Workers that can open no file while they read, so that no other process can be started."""

    def each(
        self, work: Callable[[Embedder, Any], Any], things: Iterable[Any], together: int = 16
    ) -> Iterator[Any]:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

        def starved(embedder: Embedder, thing: Any) -> Any:
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
            try:
                return work(embedder, thing)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

        return super().each(starved, things, together)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Files, items and copies: of a file, of an item, of most of a text; and some that can't be read."""
    folder = tmp_path / "source"
    (folder / "deep").mkdir(parents=True)
    for seed, name in enumerate(["a.txt", "deep/b.md", "z.txt"]):
        (folder / name).write_text(story(seed))
    (folder / "copy.txt").write_text(story(0))
    (folder / "torn.bin").write_bytes(story(9).encode())
    (folder / "torn.txt").write_text(story(9))
    records = [
        {"id": f"s{n}", "text": story(n), "title": f"Story {n}", "date": "2024-02-03"} for n in range(20, 60)
    ]
    records += [{"text": story(2)}, {"text": story(30) + "\nThey told more of it later."}, {"id": "hollow"}]
    (folder / "more.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    return folder


def run(
    source: Path, home: Path, embedder: HashEmbedder | None = None, workers: Workers | None = None
) -> Report:
    *_, report = build(source, home, embedder or HashEmbedder(), workers=workers)
    assert isinstance(report, Report)
    return report


def test_items_are_documents_with_outcomes_of_their_own(source: Path, tmp_path: Path) -> None:
    report = run(source, tmp_path / "home")
    outcomes = told(report)
    assert {name: outcomes.pop(name) for name in ("copy.txt", "more.jsonl#hollow", "z.txt")} == {
        "copy.txt": "duplicate a.txt",
        "more.jsonl#hollow": "quarantined has no field text, or it holds no text",
        "z.txt": "duplicate more.jsonl#41",
    }
    assert outcomes.pop("torn.bin").startswith("quarantined has a format that can't be read")
    assert set(outcomes.values()) == {"added"}
    assert report.documents == len(outcomes) == 45
    index = open_index(tmp_path / "home", HashEmbedder())
    found = index.document("more.jsonl#s20")
    assert (found.text, found.title, found.published.value) == (story(20), "Story 20", "2024-02-03")
    copy = index.document("more.jsonl#s30")
    assert {segment.reason for segment in copy.segments if segment.kind == "noise"} >= {"repeats more.jsonl#42"}


def test_workers_that_are_ahead_make_the_same_index(source: Path, tmp_path: Path) -> None:
    one, other = run(source, tmp_path / "one"), run(source, tmp_path / "other", workers=Ahead())
    assert other == one
    assert content(tmp_path / "other") == content(tmp_path / "one")
    for change in (lambda: (source / "a.txt").unlink(), lambda: (source / "new.txt").write_text(story(30))):
        change()
        one, other = run(source, tmp_path / "one"), run(source, tmp_path / "other", workers=Ahead())
        assert other == one
        assert content(tmp_path / "other") == content(tmp_path / "one")
    run(source, tmp_path / "scratch")
    assert content(tmp_path / "scratch") == content(tmp_path / "one")


def test_the_second_time_costs_nothing_and_one_item_costs_itself(source: Path, tmp_path: Path) -> None:
    embedder = CountingEmbedder()
    first = run(source, tmp_path / "home", embedder)
    again = run(source, tmp_path / "home", embedder)
    assert (again.generation, again.published, embedder.count) == (1, False, first.embedded)
    lines = (source / "more.jsonl").read_text().splitlines()
    lines[3] = json.dumps({"id": "s23", "text": story(23) + "The lamp was lit.", "title": "Story 23"})
    (source / "more.jsonl").write_text("\n".join(lines[1:]))
    changed = told(run(source, tmp_path / "home", embedder))
    assert {name for name, word in changed.items() if word == "changed"} >= {"more.jsonl#s23"}
    assert changed["more.jsonl#s20"] == "removed"
    assert embedder.count - first.embedded < 20


def test_a_record_with_half_a_character_costs_no_other(source: Path, tmp_path: Path) -> None:
    odd = [{"id": "\ud800", "text": story(70)}, {"id": "\ud800", "text": story(71)}]
    odd.append({"id": "cut", "text": story(72), "title": "cut \ud83d"})
    (source / "odd.jsonl").write_text("".join(json.dumps(each) + "\n" for each in odd))
    outcomes = told(run(source, tmp_path / "home"))
    assert {name: outcomes[name] for name in outcomes if name.startswith("odd")} == {
        "odd.jsonl#\\ud800": "quarantined has a name with characters that can't be shown; rename it",
        "odd.jsonl#\\ud800#2": "quarantined has the id of an item before it, \\ud800",
        "odd.jsonl#cut": "added",
    }
    index = open_index(tmp_path / "home", HashEmbedder())
    assert (index.document("odd.jsonl#cut").title, len(index.documents)) == ("cut \ufffd", 46)


def test_a_file_with_the_name_of_an_item_costs_no_other(source: Path, tmp_path: Path) -> None:
    (source / "odd.jsonl").write_text(json.dumps({"id": "1.txt", "text": story(70)}))
    (source / "odd.jsonl#1.txt").write_text(story(71))
    for _ in range(2):
        outcomes = told(run(source, tmp_path / "home"))
        assert outcomes["odd.jsonl#1.txt#2"] == "quarantined has the name of another before it; rename it"
    assert outcomes["odd.jsonl#1.txt"] == "unchanged"
    assert open_index(tmp_path / "home", HashEmbedder()).document("odd.jsonl#1.txt").text == story(70)


def test_a_mistake_over_one_file_costs_no_other(source: Path, tmp_path: Path) -> None:
    outcomes = told(run(source, tmp_path / "home", workers=Mistaken("deep/b.md")))
    assert outcomes.pop("deep/b.md") == "quarantined can't be read: AttributeError"
    whole = told(run(source, tmp_path / "other"))
    assert whole.pop("deep/b.md") == "added"
    assert outcomes == whole


def test_what_the_machine_may_be_to_blame_for_is_tried_again(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "home")
    (source / "ships.pdf").write_bytes(PDF)
    (source / "torn.pdf").write_bytes(b"%PDF-1.7 torn")
    READER.close()
    starved = run(source, tmp_path / "home", workers=Starved(HashEmbedder()))
    broke = "quarantined broke the program that reads it; save it as plain text"
    assert {told(starved)[name] for name in ("ships.pdf", "torn.pdf")} == {broke}
    again = run(source, tmp_path / "home", workers=Starved(HashEmbedder()))
    assert (again.outcomes, again.published) == (starved.outcomes, False)
    fed = told(run(source, tmp_path / "home"))
    assert fed["ships.pdf"] == "added"
    assert fed["torn.pdf"].startswith("quarantined is a damaged PDF file")


def test_one_file_is_a_source(source: Path, tmp_path: Path) -> None:
    report = run(source / "more.jsonl", tmp_path / "home")
    assert report.documents == 42
    assert {outcome.id.partition("#")[0] for outcome in report.outcomes} == {"more.jsonl"}


def test_a_killed_ingestion_goes_on_where_it_stopped(source: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from index import build; import index.publish as publish; from tests.fakes import HashEmbedder\n"
        "publish._SECONDS = 0\n"
        "for step in build(Path(sys.argv[1]), Path(sys.argv[2]), HashEmbedder()):\n"
        "    if getattr(step, 'stage', '') == 'embed' and step.done > 150:\n"
        "        print('half', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(source), str(tmp_path / "home")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == b"half\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    embedder = CountingEmbedder()
    report = run(source, tmp_path / "home", embedder)
    whole = run(source, tmp_path / "scratch")
    assert report.documents == whole.documents
    assert embedder.count == report.embedded <= whole.embedded - 100
    assert content(tmp_path / "home") == content(tmp_path / "scratch")


@pytest.mark.parametrize("address", ["ray://127.0.0.1:9", "ray://127.0.0.1:x", "127.0.0.1:9", "somewhere"])
def test_a_cluster_that_is_not_there_is_one_line(address: str) -> None:
    from index.nodes import _reached

    with pytest.raises(FeudError, match=r"There is no Ray cluster at|no address of a Ray cluster") as caught:
        _reached(address)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(find_spec("ray") is not None, reason="ray is here")
def test_without_ray_the_command_says_how_to_install_it(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from ui.cli import main; main()", "ingest", str(source), "--on", "x:1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: The package ray is missing. Install it with: pip install 'feud[ray]'\n"
