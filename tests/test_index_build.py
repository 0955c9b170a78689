"""The index is made equal to a folder: outcomes, what is not done twice, and what survives a kill."""

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest

from corpus import DocumentError
from corpus.copies import OWNERS
from index.build import Report, build, repair, verify
from index.catalogue import Catalogue
from index.embedder import Matrix
from index.errors import EmbedderFault, IndexBusy, IndexDamaged
from index.files import Outcome, file_outcomes
from index.generations import catalogue_path, index_folder, writer_lock
from index.opening import open_index
from index.progress import Progress
from index.publish import MOST, newest
from index.volumes import SMALL
from tests.fakes import HashEmbedder

WORDS = re.findall(
    r"\w+",
    "harbour lantern orchard copper violin glacier market bridge captain winter ledger engine "
    "meadow island signal tower river silver garden letter",
)
QUESTIONS = ("Where is the copper lantern?", "the captain's ledger", "winter glacier signal")


class CountingEmbedder(HashEmbedder):
    """Remembers how many texts it embedded."""

    count = 0

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        self.count += len(texts)
        return super().embed_passages(texts)


def story(seed: int, sentences: int = 6) -> str:
    chosen = random.Random(seed)
    lines = [" ".join(chosen.choices(WORDS, k=9)).capitalize() + "." for _ in range(sentences)]
    return f"The story number {seed}\n\n" + " ".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    (folder / "deep").mkdir(parents=True)
    for seed, name in enumerate(["a.txt", "b.txt", "deep/c.txt", "d.md"]):
        (folder / name).write_text(story(seed))
    return folder


def run(
    folder: Path,
    home: Path,
    embedder: HashEmbedder | None = None,
    *,
    rebuild: bool = False,
    small: int = SMALL,
) -> Report:
    *_, report = build(folder, home, embedder or HashEmbedder(), rebuild=rebuild, small=small)
    assert isinstance(report, Report)
    return report


def told(report: Report) -> dict[str, str]:
    return {o.id: f"{o.outcome} {o.detail}".strip() for o in report.outcomes}


def content(home: Path) -> tuple[Any, ...]:
    """All that an index shows and ranks by, generation number apart."""
    index = open_index(home, HashEmbedder())
    hits = [[(hit.passage, round(hit.score, 5)) for hit in index.search(q, 10)] for q in QUESTIONS]
    vectors = np.round(index.sentence_vectors(index.sentences), 5).tolist()
    return index.documents, index.passages, index.sentences, hits, vectors


def from_scratch(folder: Path, home: Path) -> tuple[Any, ...]:
    shutil.rmtree(home, ignore_errors=True)
    run(folder, home)
    return content(home)


def test_every_file_has_an_outcome(folder: Path, tmp_path: Path) -> None:
    (folder / "copy of a.txt").write_bytes((folder / "a.txt").read_bytes())
    (folder / "hole.txt").write_bytes(b"")
    first = run(folder, tmp_path / "home")
    assert told(first) == {
        "a.txt": "added",
        "b.txt": "added",
        "copy of a.txt": "duplicate a.txt",
        "d.md": "added",
        "deep/c.txt": "added",
        "hole.txt": "quarantined is empty",
    }
    assert (first.generation, first.published, first.documents) == (1, True, 4)

    known = {o.id: o for o in file_outcomes(tmp_path / "home")}
    assert {o.id for o in known.values() if o.outcome == "unchanged"} == {
        "a.txt",
        "b.txt",
        "d.md",
        "deep/c.txt",
    }
    assert known["copy of a.txt"] == Outcome("copy of a.txt", "duplicate", "a.txt")

    (folder / "b.txt").write_text(story(50))
    (folder / "deep/c.txt").rename(folder / "e.txt")
    (folder / "d.md").unlink()
    second = run(folder, tmp_path / "home")
    assert told(second) == {
        "a.txt": "unchanged",
        "b.txt": "changed",
        "copy of a.txt": "duplicate a.txt",
        "e.txt": "added",
        "hole.txt": "quarantined is empty",
        "d.md": "removed",
        "deep/c.txt": "removed",
    }
    assert (second.generation, second.documents) == (2, 3)


def test_when_the_first_of_two_copies_goes_the_second_takes_its_place(folder: Path, tmp_path: Path) -> None:
    (folder / "z.txt").write_bytes((folder / "a.txt").read_bytes())
    run(folder, tmp_path / "home")
    (folder / "a.txt").unlink()
    assert told(run(folder, tmp_path / "home"))["z.txt"] == "added"
    assert open_index(tmp_path / "home", HashEmbedder()).document("z.txt").text == story(0)


def test_an_unchanged_folder_costs_nothing(folder: Path, tmp_path: Path) -> None:
    embedder = CountingEmbedder()
    first = run(folder, tmp_path / "home", embedder)
    assert embedder.count == first.embedded > 10
    for name in ("a.txt", "b.txt"):  # touched, but with the same bytes
        os.utime(folder / name)
    again = run(folder, tmp_path / "home", embedder)
    assert (again.generation, again.published, again.embedded) == (1, False, 0)
    assert set(told(again).values()) == {"unchanged"}
    assert embedder.count == first.embedded
    assert (again.documents, again.passages, again.sentences) == (
        first.documents,
        first.passages,
        first.sentences,
    )


def test_a_file_whose_stamp_is_old_and_equal_is_not_read(folder: Path, tmp_path: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(folder / "a.txt", (long_ago, long_ago))
    time.sleep(2.1)  # until then the time of the change itself is too young to be trusted
    run(folder, tmp_path / "home")
    (folder / "b.txt").chmod(0o600)  # a newer change time alone makes it be read again
    reader = Counter(str(path) for path in opened_during(folder, tmp_path / "home"))
    assert reader == {str(folder / "b.txt"): 1}


def opened_during(folder: Path, home: Path) -> Iterable[Path]:
    """The documents that a build opens, by the interpreter's own audit events."""
    seen: list[Path] = []
    listening = [True]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if listening and event == "open" and str(arguments[0]).startswith(str(folder)):
            seen.append(Path(arguments[0]))

    sys.addaudithook(hook)
    run(folder, home)
    listening.clear()
    return seen


def test_only_new_texts_are_embedded(folder: Path, tmp_path: Path) -> None:
    embedder = CountingEmbedder()
    run(folder, tmp_path / "home", embedder)
    embedder.count = 0
    (folder / "a.txt").write_text(story(0).rstrip() + " A new lantern was lit.\n")
    report = run(folder, tmp_path / "home", embedder)
    assert embedder.count == report.embedded
    assert 1 <= report.embedded <= 3  # the sentence, and the passages that now hold it


def test_progress_tells_how_far_it_is(folder: Path, tmp_path: Path) -> None:
    steps = [step for step in build(folder, tmp_path / "home", HashEmbedder()) if isinstance(step, Progress)]
    reading = [astuple(step) for step in steps if step.stage == "read"]
    assert reading == [("read", i + 1, 4, n) for i, n in enumerate(["a.txt", "b.txt", "d.md", "deep/c.txt"])]
    embedding = [step for step in steps if step.stage == "embed"]
    assert embedding[0].done == 0
    assert embedding[-1].done == embedding[-1].total > 10
    assert steps[-1] == Progress("write", 1, 1)


def test_fifty_random_edits_equal_an_index_from_scratch(folder: Path, tmp_path: Path) -> None:
    chosen = random.Random(11)
    for step in range(50):
        edit(folder, chosen, step)
        if step % 5 == 4:
            run(folder, tmp_path / "home")
            assert content(tmp_path / "home") == from_scratch(folder, tmp_path / "scratch")


def edit(folder: Path, chosen: random.Random, step: int) -> None:
    """Add, change, remove, rename, copy or swap a random file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = chosen.choice(files)
    match chosen.randrange(6) if len(files) > 2 else 0:
        case 0:
            (folder / f"{step}.txt").write_text(story(100 + step))
        case 1:
            path.write_text(path.read_text() + story(200 + step))
        case 2:
            path.unlink()
        case 3:
            path.rename(folder / f"renamed {step}.txt")
        case 4:
            shutil.copy2(path, folder / f"copied {step}.txt")
        case 5:
            other = chosen.choice(files)
            mine, its = path.read_bytes(), other.read_bytes()
            path.write_bytes(its)
            other.write_bytes(mine)


def volumes(home: Path) -> dict[int, int]:
    """How many documents were written into each volume of the newest generation."""
    with Catalogue(catalogue_path(home)) as catalogue:
        current = newest(catalogue)
    assert current is not None
    return {number: volume.documents for number, volume in current[1].volumes.items()}


def found(home: Path) -> tuple[Any, ...]:
    """What an index shows and ranks by, in whatever order it lies."""
    index = open_index(home, HashEmbedder())
    hits = [{(hit.passage, round(hit.score, 4)) for hit in index.search(q, 200)} for q in QUESTIONS]
    closest = {
        sentence: round(
            float(index.standing_out(HashEmbedder().embed_question(QUESTIONS[0]), [sentence])[0]), 4
        )
        for sentence in index.sentences
    }
    return set(index.documents), set(index.passages), closest, hits


def test_what_is_added_later_stands_in_a_volume_of_its_own(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(folder, home, small=0)
    first = open_index(home, HashEmbedder())
    before = first.search(QUESTIONS[0])
    inode = (index_folder(home) / "volumes" / "000001" / "passages.vectors").stat().st_ino
    (folder / "e.txt").write_text(story(60))
    run(folder, home, small=0)
    assert volumes(home) == {1: 4, 2: 1}
    (folder / "b.txt").unlink()
    run(folder, home, small=0)
    assert volumes(home) == {1: 4, 2: 1}
    assert (index_folder(home) / "volumes" / "000001" / "passages.vectors").stat().st_ino == inode
    index = open_index(home, HashEmbedder())
    assert [document.id for document in index.documents] == ["a.txt", "d.md", "deep/c.txt", "e.txt"]
    with pytest.raises(KeyError):
        index.document("b.txt")
    (folder / "d.md").unlink()  # half of the first volume is dead now
    run(folder, home, small=0)
    assert volumes(home) == {2: 1, 4: 2}
    (folder / "a.txt").unlink()
    (folder / "deep/c.txt").unlink()
    run(folder, home, small=0)
    assert volumes(home) == {2: 1}
    assert first.search(QUESTIONS[0]) == before
    assert [document.id for document in first.documents] == ["a.txt", "b.txt", "d.md", "deep/c.txt"]


def test_of_many_volumes_the_smaller_ones_are_merged(folder: Path, tmp_path: Path) -> None:
    for seed in range(9):
        (folder / f"more {seed}.txt").write_text(story(70 + seed, 5 + seed))
        run(folder, tmp_path / "home", small=0)
        assert len(volumes(tmp_path / "home")) <= MOST
    assert sum(volumes(tmp_path / "home").values()) == 13
    run(folder, tmp_path / "scratch")
    assert found(tmp_path / "home") == found(tmp_path / "scratch")


def test_several_volumes_with_dead_rows_find_what_one_finds(folder: Path, tmp_path: Path) -> None:
    chosen, several = random.Random(12), 0
    for seed in range(80, 90):
        (folder / f"{seed}.txt").write_text(story(seed))
    for step in range(24):
        edit(folder, chosen, step)
        run(folder, tmp_path / "home", small=10)
        several += len(volumes(tmp_path / "home")) > 1
        if step % 6 == 5:
            shutil.rmtree(tmp_path / "scratch", ignore_errors=True)
            run(folder, tmp_path / "scratch")
            assert found(tmp_path / "home") == found(tmp_path / "scratch")
    assert several > 12


def test_copies_are_told_from_kept_documents_as_from_new_ones(folder: Path, tmp_path: Path) -> None:
    """Marks change where a document comes or goes that says the same, without the others being read."""
    shared = " ".join(story(90, 8).split()[4:])
    (folder / "m.txt").write_text(story(91) + "\n" + story(92))
    run(folder, tmp_path / "home", small=0)
    for name, text in (("z.txt", story(91) + "\n" + story(92)), ("0.txt", shared), ("y.txt", shared + " New.")):
        (folder / name).write_text(text)
        run(folder, tmp_path / "home", small=0)
        shutil.rmtree(tmp_path / "scratch", ignore_errors=True)
        run(folder, tmp_path / "scratch")
        assert found(tmp_path / "home") == found(tmp_path / "scratch")
    (folder / "m.txt").unlink()
    (folder / "0.txt").unlink()
    run(folder, tmp_path / "home", small=0)
    shutil.rmtree(tmp_path / "scratch")
    run(folder, tmp_path / "scratch")
    assert found(tmp_path / "home") == found(tmp_path / "scratch")


def test_what_stands_everywhere_is_kept_once_and_hides_no_copy(tmp_path: Path) -> None:
    """Of more documents than are asked for a sentence; each state as one from scratch has it."""
    folder, home = tmp_path / "documents", tmp_path / "home"
    folder.mkdir()
    about = "Port Today is an independent newspaper for the coast, written by the people who live there."
    foot = f"\n{about}\n\nSubscribe here.\n"
    for number in range(OWNERS + 20):
        (folder / f"{number:03}.txt").write_text(story(number) + foot)
    run(folder, home, small=0)
    says(folder, home, about, "000.txt")

    (folder / "copy.txt").write_text(f"{story(OWNERS + 10)}\nOne thing is new.\n{foot}")
    run(folder, home, small=0)
    says(folder, home, about, "000.txt")
    copy = open_index(home, HashEmbedder()).document("copy.txt")
    assert {segment.reason for segment in copy.segments} == {"", f"repeats {OWNERS + 10:03}.txt"}

    (folder / "00.txt").write_text(story(99) + foot)
    run(folder, home, small=0)
    says(folder, home, about, "00.txt")
    for name in ["00.txt", *(f"{number:03}.txt" for number in range(OWNERS + 5))]:
        (folder / name).unlink()
    run(folder, home, small=0)
    says(folder, home, about, f"{OWNERS + 5:03}.txt")


def says(folder: Path, home: Path, text: str, name: str) -> None:
    """The one document that says `text` is `name`, and a build from scratch cuts all the same."""
    scratch = home.with_name("scratch")
    shutil.rmtree(scratch, ignore_errors=True)
    run(folder, scratch)
    cut = [
        {(sentence.document.id, sentence.text) for sentence in open_index(each, HashEmbedder()).sentences}
        for each in (home, scratch)
    ]
    assert cut[0] == cut[1]
    assert [own for own, said in cut[0] if said == text] == [name]


def test_a_flipped_byte_anywhere_is_found_by_the_doctor(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "home")
    verify(tmp_path / "home")
    path = index_folder(tmp_path / "home") / "volumes" / "000001" / "sentences.vectors"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(IndexDamaged, match=r"sentences\.vectors"):
        verify(tmp_path / "home")


def test_what_documents_toml_says_counts_as_the_file(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "home")
    (folder / "documents.toml").write_text('["b.txt"]\ntitle = "The copper book"\n')
    report = run(folder, tmp_path / "home")
    assert {name for name, outcome in told(report).items() if outcome == "changed"} == {"b.txt"}
    assert open_index(tmp_path / "home", HashEmbedder()).document("b.txt").title == "The copper book"


def test_another_embedder_makes_a_new_generation_of_unchanged_files(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "home")
    report = run(folder, tmp_path / "home", HashEmbedder(32))
    assert (report.generation, report.published) == (2, True)
    assert set(told(report).values()) == {"unchanged"}
    assert open_index(tmp_path / "home", HashEmbedder(32)).search("copper lantern")


def test_rebuild_embeds_everything_again(folder: Path, tmp_path: Path) -> None:
    first = run(folder, tmp_path / "home")
    before = content(tmp_path / "home")
    again = run(folder, tmp_path / "home", rebuild=True)
    assert (again.generation, again.embedded) == (2, first.embedded)
    assert content(tmp_path / "home") == before


def test_an_empty_folder_is_an_empty_index(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "home")
    for path in folder.rglob("*.*"):
        path.unlink()
    assert run(folder, tmp_path / "home").documents == 0
    assert open_index(tmp_path / "home", HashEmbedder()).search("copper") == []


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no documents folder"):
        run(tmp_path / "nowhere", tmp_path / "home")


def test_a_second_writer_is_refused_while_one_builds(folder: Path, tmp_path: Path) -> None:
    first = build(folder, tmp_path / "home", HashEmbedder())
    next(iter(first))
    began = time.monotonic()
    with pytest.raises(IndexBusy):
        run(folder, tmp_path / "home")
    assert time.monotonic() - began < 1
    assert isinstance(list(first)[-1], Report)
    assert run(folder, tmp_path / "home").published is False


class ZeroEmbedder(HashEmbedder):
    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        return super().embed_passages(texts) * np.float32(0)


class ForgetfulEmbedder(HashEmbedder):
    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        return super().embed_passages(texts[1:])


@pytest.mark.parametrize(
    ("embedder", "reason"), [(ZeroEmbedder(), "length 0.0000"), (ForgetfulEmbedder(), "vectors for")]
)
def test_vectors_that_can_not_be_right_are_refused(
    folder: Path, tmp_path: Path, embedder: HashEmbedder, reason: str
) -> None:
    run(folder, tmp_path / "home")
    before = content(tmp_path / "home")
    (folder / "a.txt").write_text(story(70))
    with pytest.raises(EmbedderFault, match=reason):
        run(folder, tmp_path / "home", embedder)
    assert content(tmp_path / "home") == before


REFUSED = """
import resource, sys
from pathlib import Path
from corpus import FeudError
from index.build import build
from tests.fakes import HashEmbedder
folder, home, limits = Path(sys.argv[1]), Path(sys.argv[2]), [int(limit) for limit in sys.argv[3:]]
for limit in limits:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        list(build(folder, home, HashEmbedder()))
        said = "done"
    except FeudError as error:
        said = f"{type(error).__name__}: {error}"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(said, flush=True)
"""


def test_a_disk_that_refuses_leaves_the_old_state(folder: Path, tmp_path: Path) -> None:
    """A limit on the size of files refuses writes where a full disk would: lock, database, log, each file."""
    home = tmp_path / "home"
    run(folder, home)
    before = content(home)
    for seed in range(80, 100):
        (folder / f"{seed}.txt").write_text(story(seed, 20))
    limits = [0, 5_000, 30_000, 60_000, 90_000, 120_000, 160_000]
    command = [sys.executable, "-c", REFUSED, str(folder), str(home)]
    child = subprocess.Popen(
        [*command, *map(str, limits)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    )
    assert child.stdout is not None
    with child, child.stdout:
        said = child.stdout.read().splitlines()
    assert len(said) == len(limits)
    assert all(re.match(r"IndexNotWritten: Can't write .* MB free.* feud index$", line) for line in said), said
    assert content(home) == before
    assert run(folder, home).published
    assert content(home) == from_scratch(folder, tmp_path / "scratch")


def spoil(home: Path, statement: str) -> None:
    connection = apsw.Connection(str(catalogue_path(home)))
    connection.execute(statement)
    connection.close()


def test_damaged_rows_are_read_from_the_files_again(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "home")
    before = content(tmp_path / "home")
    spoil(tmp_path / "home", "UPDATE documents SET text = replace(text, 'copper', 'cobalt')")
    with pytest.raises(IndexDamaged, match="feud index --rebuild"):
        open_index(tmp_path / "home", HashEmbedder())
    assert run(folder, tmp_path / "home").published
    assert content(tmp_path / "home") == before


def test_damaged_vectors_are_embedded_again(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "home")
    before = content(tmp_path / "home")
    spoil(tmp_path / "home", "UPDATE vectors SET vector = zeroblob(256) WHERE embedded < '8'")
    shutil.rmtree(index_folder(tmp_path / "home") / "volumes")
    with pytest.raises(IndexDamaged, match="vectors are missing"):
        repair(tmp_path / "home")
    assert run(folder, tmp_path / "home").embedded > 0
    assert content(tmp_path / "home") == before


def test_a_catalogue_that_is_no_database_is_set_aside_by_a_rebuild(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(folder, home)
    before = content(home)
    catalogue_path(home).write_bytes(b"nothing that SQLite knows" * 300)
    with pytest.raises(IndexDamaged, match="feud index --rebuild"):
        run(folder, home)
    run(folder, home, rebuild=True)
    assert content(home) == before
    assert (index_folder(home) / "catalogue.damaged").exists()


def test_repair_needs_the_lock(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "home")
    with writer_lock(tmp_path / "home"), pytest.raises(IndexBusy):
        repair(tmp_path / "home")
