"""Sentences are put into English once, kept, and help to find them."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from corpus import FeudError
from corpus.shipped import seed
from index import Index, Progress, Report, build, open_index, refresh, translate
from index.catalogue import Catalogue
from index.english import shipped, sources, usable
from index.errors import IndexMismatch, IndexNotWritten
from index.generations import catalogue_path
from rag.llm import Message
from rag.opening import open_llm
from rag.settings import Settings
from rag.translate import LLMTranslator
from tests.fakes import HashEmbedder
from tests.scripted_llm import ScriptedLLM

GERMAN = "Die Brücke wurde im März 1963 gesperrt. Der Turm brannte nachts. Das Eis hielt drei Wochen lang."
ENGLISH = {
    "Die Brücke wurde im März 1963 gesperrt.": "The bridge was closed in March 1963.",
    "Der Turm brannte nachts.": "The tower burned at night.",
    "Das Eis hielt drei Wochen lang.": "Das Eis hielt drei Wochen lang.",  # not translated at all
}


class Dictionary:
    """Translates what it knows, remembers what it was asked, and breaks at `broken`."""

    name = "dictionary"

    def __init__(self, broken: str = "") -> None:
        self.broken, self.asked = broken, list[str]()

    def english(self, sentence: str) -> str:
        if self.broken and self.broken in sentence:
            raise FeudError("The dictionary is closed.")
        self.asked.append(sentence)
        return ENGLISH[sentence]


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    folder, home = tmp_path / "documents", tmp_path / "home"
    folder.mkdir()
    (folder / "a.txt").write_text(f"Die alte Brücke\n\n{GERMAN}\n", encoding="utf-8")
    (folder / "b.txt").write_text(
        "The harbour\n\nShips waited in the harbour for weeks. Nobody knew why the pilots had left.\n"
    )
    return folder, home


def run(steps: Iterator[Any]) -> Any:
    *_, last = steps
    return last


def test_english_is_made_once_and_finds_a_sentence(places: tuple[Path, Path]) -> None:
    folder, home = places
    embedder, dictionary = HashEmbedder(), Dictionary()
    report = run(build(folder, home, embedder))
    assert report.waiting == 3  # the English document needs none
    before = open_index(home, embedder)
    assert run(translate(home, dictionary)) == Progress("translate", 3, 3)
    run(refresh(home, embedder))
    index = open_index(home, embedder)
    assert index.generation == before.generation + 1

    question = "When did the tower burn at night?"
    assert score(index, question, "Der Turm") > score(before, question, "Der Turm")
    hit = next(hit for hit in index.search(question) if "Der Turm" in hit.passage.text)
    assert hit.grounds.in_english == "The tower burned at night."
    assert hit.grounds.english > hit.grounds.sentence

    assert run(build(folder, home, embedder)).waiting == 0  # nothing is left, and nothing is done twice
    assert run(translate(home, dictionary)) == Progress("translate", 0, 0)
    assert list(refresh(home, embedder)) == []
    assert sorted(dictionary.asked) == sorted(ENGLISH)


def score(index: Index, question: str, start: str) -> float:
    return max(
        score
        for hit in index.search(question)
        for sentence, score in zip(hit.passage.sentences, hit.sentences, strict=True)
        if sentence.text.startswith(start)
    )


def test_what_was_made_before_a_failure_is_kept(places: tuple[Path, Path]) -> None:
    folder, home = places
    run(build(folder, home, HashEmbedder()))
    with pytest.raises(FeudError, match="closed"):
        run(translate(home, Dictionary(broken="Turm")))
    second = Dictionary()
    run(translate(home, second))
    assert "Die Brücke wurde im März 1963 gesperrt." not in second.asked
    assert "Der Turm brannte nachts." in second.asked


def test_what_is_taken_out_meanwhile_does_not_disturb(places: tuple[Path, Path]) -> None:
    folder, home = places
    for number in range(40):
        (folder / f"c{number}.txt").write_text(f"Die alte Brücke {number}\n\n{GERMAN}\n", encoding="utf-8")
    run(build(folder, home, HashEmbedder()))
    run(translate(home, Dictionary()))
    faults: list[BaseException] = []

    def look() -> None:
        try:
            while True:
                if run(translate(home, Dictionary())).total or not (folder / "a.txt").exists():
                    return
        except BaseException as error:
            faults.append(error)

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(20):
        (folder / f"c{number}.txt").unlink()
        run(build(folder, home, HashEmbedder()))
    (folder / "a.txt").unlink()
    looking.join(60)
    assert faults == []


def test_who_keeps_english_waits_for_who_writes(places: tuple[Path, Path]) -> None:
    folder, home = places
    run(build(folder, home, HashEmbedder()))
    with Catalogue(catalogue_path(home)) as writer, Catalogue(catalogue_path(home), patience=30) as patient:
        keeping = threading.Thread(target=patient.keep_english, args=("dictionary", {"a": "The bridge"}))
        with writer.transaction():
            writer.number_from(1)
            with (
                Catalogue(catalogue_path(home), patience=0.05) as hasty,
                pytest.raises(IndexNotWritten, match="locked"),
            ):
                hasty.keep_english("dictionary", {"b": "The tower"})
            keeping.start()
            time.sleep(0.3)
            assert keeping.is_alive()
        keeping.join(30)
        assert writer.english(["a", "b"]) == {"a": "The bridge"}


def test_english_stays_with_changes_of_other_files_and_goes_with_its_own(places: tuple[Path, Path]) -> None:
    folder, home = places
    run(build(folder, home, HashEmbedder()))
    run(translate(home, Dictionary()))
    (folder / "b.txt").write_text("The harbour\n\nAnother story about ships and the men on them.\n")
    report = run(build(folder, home, HashEmbedder()))
    assert report.waiting == 0
    assert any("burned" in text for record in records(home) for text in record.english)
    (folder / "a.txt").unlink()
    run(build(folder, home, HashEmbedder()))
    kept = apsw.Connection(str(catalogue_path(home))).execute("SELECT * FROM english").fetchall()
    assert kept == []


def test_what_waits_is_counted_on_from_the_build_before(places: tuple[Path, Path], tmp_path: Path) -> None:
    folder, home = places
    french = "Le port\n\nLe port a fermé en mars. Les navires attendent depuis des semaines.\n"
    counts = []
    for number, text in enumerate((french, french[:35], "")):
        (folder / "c.txt").write_text(text, encoding="utf-8")
        waiting = [
            run(build(folder, place, HashEmbedder())).waiting for place in (home, tmp_path / f"{number}")
        ]
        assert waiting[0] == waiting[1]
        counts.append(waiting[0])
    assert counts == [5, 6, 3]


def records(home: Path) -> list[Any]:
    with Catalogue(catalogue_path(home)) as catalogue:
        return list(catalogue.all_records())


@pytest.mark.parametrize(
    ("english", "text", "language", "fit"),
    [
        ("He bid 97.4 billion dollars.", "Il a offert 97,4 milliards de dollars.", "fr", True),
        ("He bid 9.74 billion dollars.", "Il a offert 97,4 milliards de dollars.", "fr", False),
        ("It raised 6 billion dollars.", "筹集了60亿美元。", "zh", True),
        ("It raised 60 billion dollars.", "筹集了60亿美元。", "zh", False),
        ("Il a offert beaucoup d'argent.", "Il a offert beaucoup d'argent.", "fr", False),
        ("", "Il a offert beaucoup d'argent.", "fr", False),
        ("He has said no. " * 9, "Il a dit non.", "fr", False),
    ],
)
def test_a_translation_that_can_not_be_one_is_not_used(
    english: str, text: str, language: str, fit: bool
) -> None:
    assert usable(english, text, language) is fit


def test_a_catalogue_of_the_first_format_is_upgraded(places: tuple[Path, Path]) -> None:
    folder, home = places
    run(build(folder, home, HashEmbedder()))
    old = apsw.Connection(str(catalogue_path(home)))
    old.execute("DROP TABLE english; DROP TABLE said; PRAGMA user_version = 1")
    old.close()
    with pytest.raises(IndexMismatch, match="feud index"):
        open_index(home, HashEmbedder())
    report = run(build(folder, home, HashEmbedder()))
    assert isinstance(report, Report)
    assert (report.published, report.sentences, report.embedded) == (True, 5, 0)  # the vectors were kept
    assert open_index(home, HashEmbedder()).search("ships in the harbour", k=1)


def test_the_shipped_documents_are_there_in_english(tmp_path: Path) -> None:
    seed(tmp_path / "documents")
    report = run(build(tmp_path / "documents", tmp_path / "home", HashEmbedder()))
    assert report.waiting == 0
    held = {source for record in records(tmp_path / "home") for source in sources(record)} - {""}
    assert held == set(shipped()), "english.jsonl holds sentences that are not in the documents"
    assert sum(not text for text in shipped().values()) <= 10


def test_a_model_that_finds_no_end_gives_no_english() -> None:
    llm = ScriptedLLM("word " * 300, "It reopened on Thursday.")
    translator = LLMTranslator(llm)
    assert translator.english("Il a rouvert jeudi.") == ""
    assert translator.english("Il a rouvert\njeudi.") == "It reopened on Thursday."
    assert llm.prompts[-1][-1] == Message("user", "Il a rouvert jeudi.")


@pytest.mark.model
def test_the_default_model_makes_the_shipped_english_anew(tmp_path: Path) -> None:
    """Two of the shipped sentences, made again: the words may differ between processors, the facts not."""
    seed(tmp_path / "documents")
    run(build(tmp_path / "documents", tmp_path / "home", HashEmbedder()))
    translator = LLMTranslator(open_llm(Settings.from_env()))
    known = {
        s.text: shipped()[source]
        for record in records(tmp_path / "home")
        for source, s in zip(sources(record), record.sentences, strict=True)
        if source and shipped()[source] and len(s.text) < 120
    }
    for text, before in list(known.items())[::30][:2]:
        made = translator.english(text)
        common = set(made.split()) & set(before.split())
        assert len(common) >= 0.7 * len(set(before.split())), (made, before)
