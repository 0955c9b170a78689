"""An index from every earlier state of the format: made anew by itself, and as good as one from scratch.

`tests/data/indexes` holds one of each, written by the commits that README there names, over the same two files.
"""

import json
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import apsw
import pytest

from index import (
    IndexMismatch,
    IndexMissing,
    Progress,
    Report,
    build,
    current_generation,
    generations,
    open_index,
    schema,
    verify,
)
from index.catalogue import Catalogue
from index.generations import catalogue_path
from index.publish import newest
from rag.opening import Library, Steps
from rag.settings import Settings
from tests.test_index_build import CountingEmbedder

EARLIER = sorted((Path(__file__).parent / "data" / "indexes").glob("*.tar.gz"))
FERRY = """The ferry of Hellis

The ferry of Hellis was sold in 1911 to Marta Quist. It carried coal at first. \
Later it carried people across the sound.
"""
QUAY = """---
title: Le quai
date: 2021-05-04
---
Le nouveau quai a ouvert le 3 mai 2021. Il a coûté 12 millions d’euros. \
La mairie avait promis une ouverture en 2019.
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "ferry.txt").write_text(FERRY, "utf-8")
    (tmp_path / "documents" / "quay.md").write_text(QUAY, "utf-8")
    return Settings(tmp_path / "home", tmp_path / "documents", tmp_path / "models")


def unpack(file: Path, home: Path) -> None:
    with tarfile.open(file) as archive:
        archive.extractall(home, filter="data")


def found(home: Path) -> list[tuple[str, str, float]]:
    index = open_index(home, CountingEmbedder(16))
    hits = index.search("Who bought the ferry, and what did the quai cost?", 5)
    return [(hit.passage.document.id, hit.passage.text, round(hit.score, 5)) for hit in hits]


def test_there_is_one_of_each_state() -> None:
    """Who raises a format keeps an index of the one before."""
    kept = [file.name.removesuffix(".tar.gz").split("-")[1:3] for file in EARLIER]
    assert {int(catalogue) for catalogue, _ in kept} >= {*range(1, schema.FORMAT)}
    assert {int(files) for _, files in kept} >= {*range(1, generations.FORMAT)}


@pytest.mark.parametrize("file", EARLIER, ids=lambda file: file.name)
def test_an_earlier_index_is_made_anew_by_itself(
    file: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    unpack(file, settings.home)
    with pytest.raises(IndexMismatch, match=r"Make them agree with: feud index$"):
        open_index(settings.home, CountingEmbedder(16))
    embedder = CountingEmbedder(16)
    steps: list[Progress | Report] = []

    def shown(made: Steps) -> Iterator[Progress | Report]:
        for step in made:
            steps.append(step)
            yield step

    library = Library(settings, embedder, shown)
    assert [(s.done, s.total) for s in steps if isinstance(s, Progress) and s.stage == "read"] == [
        (1, 2),
        (2, 2),
    ]
    assert isinstance(steps[-1], Report)
    assert capsys.readouterr() == ("", "")
    assert [d.id for d in library.latest().documents] == ["ferry.txt", "quay.md"]
    # From the second format on the same texts were embedded, and their vectors are taken over.
    assert (embedder.count == 0) == (not file.name.startswith("format-1"))
    list(build(settings.documents, settings.home.with_name("scratch"), CountingEmbedder(16)))
    assert found(settings.home) == found(settings.home.with_name("scratch"))
    verify(settings.home)
    Library(settings, embedder, lambda _: pytest.fail("it is made anew twice"))


def test_an_index_of_other_tokens_writes_its_volumes_again_and_nothing_else(settings: Settings) -> None:
    """What makes tokens has changed: a question is cut anew, so the lists have to be, from the same spans."""
    list(build(settings.documents, settings.home, CountingEmbedder(16), small=0))
    (settings.documents / "pier.txt").write_text("The pier\n\nThe pier of Hellis cost 1.2 million in 1930.\n")
    list(build(settings.documents, settings.home, CountingEmbedder(16), small=0))
    catalogue = apsw.Connection(str(catalogue_path(settings.home)))
    (text,) = next(catalogue.execute("SELECT manifest FROM generations WHERE number = 2"))
    manifest = json.loads(text)
    assert [*manifest["volumes"]] == ["1", "2"]
    del manifest["recipe"]["tokens"]  # as before anything was said of them
    text = json.dumps(manifest)
    catalogue.execute(
        "UPDATE generations SET manifest = ?, sha256 = ? WHERE number = 2",
        (text, sha256(text.encode()).hexdigest()),
    )
    catalogue.close()
    with pytest.raises(IndexMismatch, match=r"with the tokens unknown.*feud index$"):
        open_index(settings.home, CountingEmbedder(16))

    embedder, steps = CountingEmbedder(16), list[Progress | Report]()

    def shown(made: Steps) -> Iterator[Progress | Report]:
        for step in made:
            steps.append(step)
            yield step

    library = Library(settings, embedder, shown)
    report = steps[-1]
    assert isinstance(report, Report)
    assert {outcome.outcome for outcome in report.outcomes} == {"unchanged"}
    assert (report.generation, report.embedded, embedder.count) == (3, 0, 0)
    assert library.latest().generation == 3
    with Catalogue(catalogue_path(settings.home)) as after:
        current = newest(after)
        assert current is not None
        assert [*current[1].volumes] == [3]
    list(build(settings.documents, settings.home.with_name("scratch"), CountingEmbedder(16)))
    assert found(settings.home) == found(settings.home.with_name("scratch"))


def test_another_embedder_is_never_taken_by_itself(settings: Settings) -> None:
    list(build(settings.documents, settings.home, CountingEmbedder(16)))
    with pytest.raises(IndexMismatch, match="embedder"):
        Library(settings, CountingEmbedder(32))
    assert current_generation(settings.home) == 1


def test_without_its_documents_an_earlier_index_stays(settings: Settings) -> None:
    unpack(EARLIER[-1], settings.home)
    gone = Settings(settings.home, settings.home / "none", settings.models)
    with pytest.raises(Exception, match="no documents folder"):
        Library(gone, CountingEmbedder(16))
    assert len(Library(settings, CountingEmbedder(16)).latest().documents) == 2
    with pytest.raises(IndexMissing):
        Library(Settings(gone.documents, gone.documents, gone.models), CountingEmbedder(16))
