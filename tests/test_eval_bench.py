"""The runs that a page shows: listed, shown whole, and a short one made on demand."""

from pathlib import Path

import pytest

from corpus.shipped import seed
from eval.bench import SHORT, Bench, BenchError
from eval.case import KINDS
from index import build
from rag.assistant import Assistant
from rag.opening import Library
from rag.settings import Settings
from tests.scripted_llm import CloseEmbedder


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Over the shipped documents, answered by quotations that a poor embedder finds."""
    settings = Settings(tmp_path, tmp_path / "documents", tmp_path / "models")
    seed(settings.documents)
    list(build(settings.documents, settings.home, CloseEmbedder()))
    return Bench(settings, Assistant(Library(settings, CloseEmbedder()).latest, None))


def test_a_short_run_counts_its_answers_and_is_then_the_newest(bench: Bench) -> None:
    assert bench.runs() == []
    assert list(bench.measure()) == list(range(1, SHORT + 1))
    [kept] = bench.runs()
    assert kept["groups"][0]["cases"] == SHORT
    assert {group["name"] for group in kept["groups"] if group["by"] == "kind"} <= set(KINDS)


def test_a_run_is_shown_with_what_was_found_and_each_failing_case(bench: Bench) -> None:
    list(bench.measure())
    [kept] = bench.runs()
    run = bench.run(kept["name"])
    assert run is not None
    assert [case["id"] for case in run["cases"]] == kept["failing"]
    assert len(run["seconds"]) == SHORT
    assert {cell["told"] for cell in run["found"]} <= {"de", "en", "fr", "it", "nl", "zh"}
    texts = {document.id: document.text for document in bench.assistant.latest().documents}
    places = [place for case in run["cases"] for place in (*case["gold"], *case["cited"])]
    assert places
    assert all(texts[p["document"]][p["start"] : p["end"]] == p["quote"] for p in places)


def test_a_run_that_was_stopped_is_not_listed(bench: Bench) -> None:
    next(bench.measure())
    assert bench.runs() == []


@pytest.mark.parametrize("name", ["", "..", "../documents", "elsewhere"])
def test_only_what_is_listed_is_shown(bench: Bench, name: str) -> None:
    assert bench.run(name) is None


def test_what_is_no_run_is_passed_over(bench: Bench) -> None:
    for name, text in (("broken", "{"), ("foreign", "[]"), ("empty", '{"groups": []}')):
        (bench.home / "eval" / name).mkdir(parents=True)
        (bench.home / "eval" / name / "run.json").write_text(text, encoding="utf-8")
    assert bench.runs() == []


def test_a_run_whose_rows_are_gone_is_listed_and_not_shown(bench: Bench) -> None:
    list(bench.measure())
    [kept] = bench.runs()
    (bench.home / "eval" / kept["name"] / "rows.jsonl").unlink()
    assert bench.runs() == [kept]
    assert bench.run(kept["name"]) is None


def test_words_of_documents_that_have_changed_lead_nowhere(bench: Bench) -> None:
    list(bench.measure())
    [kept] = bench.runs()
    for path in (bench.home / "documents").glob("*.txt"):
        path.write_text(f"# anew\n\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    list(build(bench.home / "documents", bench.home, CloseEmbedder()))
    run = bench.run(kept["name"])
    assert run is not None
    assert not any(place["document"] for case in run["cases"] for place in case["cited"])
    assert all(place["document"] for case in run["cases"] for place in case["gold"])  # found where it is now


def test_only_one_run_is_made_at_a_time(bench: Bench) -> None:
    first = bench.measure()
    next(first)
    with pytest.raises(BenchError, match="Another run"):
        next(bench.measure())
    assert list((bench.home / "eval").iterdir())
    del first
    assert list((bench.home / "eval").iterdir()) == []  # nobody goes on with it
    assert next(bench.measure()) == 1


def test_questions_about_documents_that_are_not_here_are_not_asked(bench: Bench) -> None:
    for path in (bench.home / "documents").glob("*.txt"):
        path.unlink()
    (bench.home / "documents" / "lake.txt").write_text("The lake froze over in 1963.", encoding="utf-8")
    list(build(bench.home / "documents", bench.home, CloseEmbedder()))
    with pytest.raises(BenchError, match="not here"):
        next(bench.measure())
