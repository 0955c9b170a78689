"""Search over an opened generation: what is found, in which order, across languages, and what is refused."""

import re
import shutil
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpus import Document, Passage, Segment, Sentence
from index.build import Report, build
from index.embedder import Embedder, Matrix, Vector
from index.errors import IndexDamaged, IndexMismatch, IndexMissing
from index.filters import filtered
from index.generations import index_folder, volume_folder, writer_lock
from index.opening import agree, current_generation, open_index
from index.publish import recipe_of, texts
from index.ranking import RANKING
from index.records import Record
from index.search import MANY, Index
from index.transient import index_from
from tests.fakes import HashEmbedder

STORIES = {
    "tower.txt": """The tower

The tower on the cliff was built in 1811. Its lamp burned whale oil at first. A keeper climbed its 214 steps \
every evening. In 1903 the oil gave way to gas.
""",
    "bruecke.txt": """Die Brücke

Die Brücke über den Fluss wurde im Jahr 1897 eröffnet. Sie kostete 2,5 Millionen Mark. Ein Hochwasser riss sie \
zwei Jahre später fort. Danach fuhr wieder eine Fähre über den Fluss.
""",
    "moulin.txt": """Le moulin

Le moulin du village a cessé de tourner en 1950. Son propriétaire vendait la farine au marché de la ville. Ses \
ailes ont été démontées par une tempête. Il abrite aujourd'hui un musée.
""",
    "图书馆.txt": """图书馆

这座图书馆建于一九三五年，藏书八万册。馆长每天清晨打开大门。许多学生在那里读书到深夜。冬天的时候炉火很旺。
""",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in STORIES.items():
        (folder / name).write_text(text, encoding="utf-8")
    index_of(folder, tmp_path / "home")
    return tmp_path / "home"


def index_of(folder: Path, home: Path) -> Report:
    *_, report = build(folder, home, HashEmbedder())
    assert isinstance(report, Report)
    return report


def test_a_passage_is_found_first_by_its_own_text(home: Path) -> None:
    index = open_index(home, HashEmbedder())
    assert index.languages == ("de", "fr", "en", "zh")
    for passage in index.passages:
        [best, *_] = index.search(passage.text, k=3)
        assert best.passage == passage


@pytest.mark.parametrize(
    ("question", "document", "words"),
    [
        ("How many steps had the keeper climbed every evening?", "tower.txt", "214 steps"),
        ("Wie viele Millionen Mark kostete sie?", "bruecke.txt", "2,5 Millionen Mark"),
        ("Qui vendait la farine au marché ?", "moulin.txt", "vendait la farine"),
        ("图书馆藏书多少册？", "图书馆.txt", "藏书八万册"),
    ],
)
def test_a_question_finds_the_passage_that_answers_it(
    home: Path, question: str, document: str, words: str
) -> None:
    index = open_index(home, HashEmbedder())
    [best, *_] = index.search(question)
    assert best.passage.document == index.document(document)
    assert words in best.passage.text
    assert words in best.passage.sentences[int(np.argmax(best.sentences))].text
    assert best.score == max(best.sentences)


def test_what_is_asked_for_in_other_words_is_found_beside_the_question(home: Path) -> None:
    index = open_index(home, HashEmbedder())
    one, other = index.passages[0], index.passages[-1]
    first, second = index.search(one.text, k=2, wordings=[other.text])
    assert {first.passage, second.passage} == {one, other}
    assert other not in [hit.passage for hit in index.search(one.text, k=2)]


def test_of_many_passages_only_those_that_lead_are_scored(home: Path) -> None:
    index = open_index(home, HashEmbedder())
    question = "How many steps had the keeper climbed every evening?"
    whole = index.search(question, k=20)
    [first] = index.search(question, k=1, ranking=replace(RANKING, large=0, leading=1))
    assert first.passage == whole[0].passage
    assert not index.search(question, ranking=replace(RANKING, large=0, leading=0))
    assert index.search(question, k=20, ranking=replace(RANKING, large=0)) == whole  # all of so few lead


def test_scores_fall_and_only_the_asked_languages_are_searched(home: Path) -> None:
    index = open_index(home, HashEmbedder())
    scores = [hit.score for hit in index.search("the tower and the bridge", k=20)]
    assert scores == sorted(scores, reverse=True)
    found = index.search("the tower and the bridge", k=20, where=filtered(["fr", "zh"]))
    assert {hit.passage.language for hit in found} == {"fr", "zh"}
    assert len(index.search("the tower", k=2)) == 2
    assert index.search("the tower", k=0) == index.search("the tower", where=filtered(["ja"])) == []


@pytest.mark.parametrize(
    "question",
    [
        "What's up?",
        "C++",
        "?",
        "👍🏽",
        "a\0b",
        "\ud800 tower",
        'x" OR 1=1 --',
        "{}%s\\",
        "塔" * 3000,
        "1e999",
        "\u202e",
    ],
)
def test_any_string_is_a_question(home: Path, question: str) -> None:
    hits = open_index(home, HashEmbedder()).search(question)
    assert hits
    assert all(np.isfinite(hit.score) for hit in hits)


@pytest.mark.parametrize("question", ["", " \n\t", "\u3000"])
def test_a_question_without_content_has_no_hits(home: Path, question: str) -> None:
    assert open_index(home, HashEmbedder()).search(question) == []


def test_sentence_vectors_are_those_of_the_sentences(home: Path) -> None:
    index, embedder = open_index(home, HashEmbedder()), HashEmbedder()
    wanted = [index.sentences[3], index.sentences[0]]
    expected = embedder.embed_passages([sentence.text for sentence in wanted])
    assert index.sentence_vectors(wanted) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(KeyError):
        index.sentence_vectors([replace(wanted[0], start=1)])
    with pytest.raises(KeyError):
        index.document("nowhere.txt")


# A made-up world in which a sentence is a topic said in a language, and, as with real embedders, sharing the
# question's language counts for more than sharing its topic.
TOPICS, TONGUES = 100, ("de", "fr", "it")
UNWORDED = replace(RANKING, lexical=0)  # the question shares its words with what it means


class TopicEmbedder:
    """Embeds "t07 fr" as a direction of its topic and one of its language; some noise keeps texts apart."""

    name, dimension, fingerprint = "topics", TOPICS + len(TONGUES) + 30, "topics"

    def __init__(self, accent: float = 1.15) -> None:
        self.accent = accent

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        return np.array([self.embed_question(text) for text in texts], np.float32)

    def embed_question(self, text: str) -> Vector:
        vector = np.zeros(self.dimension)
        for topic in re.findall(r"t(\d\d)", text):
            vector[int(topic)] += 1.0
        for number, tongue in enumerate(TONGUES):
            vector[TOPICS + number] = self.accent if tongue in text else 0.0
        vector[-30:] = np.random.default_rng([len(text), *text.encode()]).normal(0, 0.03, 30)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


def world(sizes: dict[str, int], embedder: Embedder | None = None) -> Index:
    """An index of one passage a topic: topics 0, 1, … up to `sizes` of each language."""
    records = []
    for tongue, size in sizes.items():
        said = [f"t{topic:02} {tongue}" for topic in range(size)]
        text = "\n".join(said)
        document = Document(f"{tongue}.txt", text, "", segments=(Segment(0, len(text), tongue, "article"),))
        sentences = [Sentence(document, i * 7, i * 7 + 6, tongue) for i in range(size)]
        records.append(
            Record.of(document, document.segments, sentences, [Passage(document, (s,)) for s in sentences])
        )
    return embedded(records, embedder or TopicEmbedder())


def embedded(records: Sequence[Record], embedder: Embedder) -> Index:
    wanted = texts(records)
    vectors = embedder.embed_passages(list(wanted.values()))
    return index_from(records, dict(zip(wanted, vectors, strict=True)), embedder)


@pytest.mark.parametrize("asked", TONGUES)
@pytest.mark.parametrize(
    "sizes", [{"de": 40, "fr": 40, "it": 40}, {"de": 40, "fr": 12, "it": 6}, {"de": 9, "fr": 9, "it": 9}]
)
def test_equal_content_is_found_as_easily_in_every_language(asked: str, sizes: dict[str, int]) -> None:
    index, embedder = world(sizes), TopicEmbedder()
    others = {tongue for tongue in TONGUES if tongue != asked}
    for topic in range(6):
        question = f"t{topic:02} {asked}?"
        vector = embedder.embed_question(question)
        cosines = {p.text: float(embedder.embed_question(p.text) @ vector) for p in index.passages}
        foreign = min(cosines[f"t{topic:02} {tongue}"] for tongue in others)
        own = [cosine for text, cosine in cosines.items() if asked in text and f"t{topic:02}" not in text]
        assert foreign < min(own), "by cosine alone every passage of the question's language comes before"
        found = {hit.passage.text for hit in index.search(question, k=4, ranking=UNWORDED)}
        assert {f"t{topic:02} {tongue}" for tongue in TONGUES} <= found


def test_a_lone_passage_of_a_language_is_found_only_where_it_answers() -> None:
    """What one sentence has beyond the others is its subject more than its language: little is taken out."""
    index = world({"de": 40, "fr": 1}, TopicEmbedder(accent=0.9))
    assert "t00 fr" in {hit.passage.text for hit in index.search("t00 de?", k=3, ranking=UNWORDED)}
    assert index.search("t05 de?", k=1, ranking=UNWORDED)[0].passage.text == "t05 de"


class LevelEmbedder(TopicEmbedder):
    """Finds all texts alike."""

    def embed_question(self, text: str) -> Vector:
        return super().embed_question("t00")


def test_shared_words_decide_between_passages_that_are_as_close() -> None:
    index = world({"de": 20}, LevelEmbedder())
    first, second, *_ = index.search("t13")
    assert first.passage.text == "t13 de"
    assert first.grounds.words == ("t", "13")
    assert first.grounds.lexical > second.grounds.lexical
    held = first.grounds.lexical - second.grounds.lexical
    assert first.score - second.score == pytest.approx(RANKING.lexical * held, abs=1e-5)


def test_overlapping_passages_and_copies_do_not_fill_the_list(home: Path, tmp_path: Path) -> None:
    said = [
        "The old harbour froze in January.",
        "Ships waited for weeks.",
        "The ice broke in March.",
        "Trade resumed.",
    ]
    text = " ".join(said)
    places = [(text.index(s), text.index(s) + len(s)) for s in said]
    records = []
    for name in ("a.txt", "b.txt"):
        document = Document(name, text, "")
        s = [Sentence(document, start, end, "en") for start, end in places]
        windows = [Passage(document, tuple(s[i] for i in row)) for row in ((0, 1, 2), (1, 2, 3), (2, 3))]
        records.append(Record.of(document, (), s, windows))
    index = embedded(records, HashEmbedder())
    found = index.search("The old harbour froze in January. Ships waited for weeks.", k=6)
    # (1, 2, 3) has one sentence that (0, 1, 2) has not; after it (2, 3) says nothing new, and b.txt is a copy.
    assert [(hit.passage.document.id, hit.passage.start) for hit in found] == [("a.txt", 0), ("a.txt", 34)]


def test_a_near_copy_with_another_number_is_found_too() -> None:
    said = ["The old harbour froze in January.", "Ships waited for weeks.", "It cost {} million euros."]
    other = "The old harbour froze for 5 million weeks."  # a number elsewhere is no copy of it
    records = []
    for name, cost in (("a.txt", 3), ("b.txt", 5), ("c.txt", 5), ("d.txt", 0)):
        text = " ".join(said).format(cost) if cost else other
        document = Document(name, text, "")
        ends = [place + 1 for place, sign in enumerate(text) if sign == "."]
        s = [
            Sentence(document, start and start + 1, end, "en")
            for start, end in zip([0, *ends], ends, strict=False)
        ]
        records.append(Record.of(document, (), s, [Passage(document, tuple(s))]))
    index = embedded(records, HashEmbedder())
    found = index.search("The old harbour froze in January. Ships waited for weeks. What did it cost?", k=6)
    assert sorted(hit.passage.document.id for hit in found) == ["a.txt", "b.txt", "d.txt"]


def harm(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {"cut": data[: len(data) // 3], "empty": b"", "flip": data[:-9] + b"\x07" + data[-8:]}[how]
        )


@pytest.mark.parametrize("how", ["gone", "cut", "empty", "flip"])
@pytest.mark.parametrize(
    "name", ["rows", "passages.vectors", "sentences.vectors", "passages.words", "sentences.words"]
)
def test_a_damaged_generation_is_made_again_without_the_embedder(home: Path, name: str, how: str) -> None:
    whole = open_index(home, HashEmbedder())
    harm(volume_folder(home, 1) / name, how)
    again = open_index(home, NoPassages())
    assert again.generation == 2
    assert (again.documents, again.passages) == (whole.documents, whole.passages)
    for passage in whole.passages:
        assert again.search(passage.text) == whole.search(passage.text)
    assert open_index(home, NoPassages()).generation == 2


class NoPassages(HashEmbedder):
    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        raise AssertionError("the vectors are in the catalogue")


def test_all_generations_lost_are_made_again(home: Path) -> None:
    shutil.rmtree(index_folder(home) / "volumes")
    assert open_index(home, NoPassages()).search("the tower")


def test_damage_that_can_not_be_repaired_now_is_said(home: Path) -> None:
    harm(volume_folder(home, 1) / "passages.vectors", "flip")
    with writer_lock(home), pytest.raises(IndexDamaged, match=r"passages\.vectors"):
        open_index(home, HashEmbedder())


def test_no_index_yet_is_said(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="feud index"):
        open_index(tmp_path, HashEmbedder())
    assert current_generation(tmp_path) is None


def test_another_embedder_is_refused_with_the_next_step(home: Path) -> None:
    with pytest.raises(
        IndexMismatch, match=r"embedder hash \(hash-64\).*ask for other \(other-64\).*feud index"
    ):
        open_index(home, HashEmbedder(name="other"))
    with pytest.raises(IndexMismatch, match="hash-32"):
        open_index(home, HashEmbedder(32))


@pytest.mark.parametrize(
    ("what", "value"), [("splitter", "old"), ("metric", "L2"), ("format", 0), ("tokens", "old")]
)
def test_what_else_differs_is_refused(what: str, value: str | int) -> None:
    now = recipe_of(HashEmbedder())
    with pytest.raises(IndexMismatch, match=f"built with the {what} {value}"):
        agree(replace(now, **{what: value}), now)  # type: ignore[arg-type]
    agree(now, now)


def test_readers_keep_a_whole_generation_while_others_are_published(home: Path, tmp_path: Path) -> None:
    folder, swaps, reads, faults = tmp_path / "documents", 12, 0, []
    held = open_index(home, HashEmbedder())
    before = held.search("the tower")
    writing = threading.Event()
    writing.set()

    def read() -> None:
        nonlocal reads
        while writing.is_set():
            try:
                index = open_index(home, HashEmbedder())
                [hit, *_] = index.search("This is an edition of the paper. It is short.", k=1)
                documents = {document.id: document for document in index.documents}
                assert hit.passage.document.id == "news.txt" or "news.txt" not in documents
                assert hit.passage.text in documents[hit.passage.document.id].text
                reads += 1
            except Exception as error:
                faults.append(repr(error))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(swaps):
        (folder / "news.txt").write_text(
            f"News\n\nThis is edition number {number} of the paper. It is short.\n"
        )
        assert index_of(folder, home).published
    writing.clear()
    for reader in readers:
        reader.join()
    assert faults == []
    assert reads >= swaps
    assert current_generation(home) == swaps + 1
    assert (held.generation, held.search("the tower")) == (1, before)


def test_a_second_version_in_another_document_follows_the_first_up() -> None:
    """What stands out as the same thing said elsewhere comes near the first, though the question is far."""
    ranking = replace(UNWORDED, neutral=False)
    few, many = world({"de": 40, "fr": MANY - 1}), world({"de": 40, "fr": MANY})
    found = [
        next(hit for hit in index.search("t03 de?", k=200, ranking=each) if hit.passage.text == "t03 fr")
        for index, each in ((few, ranking), (many, replace(ranking, seconds=0)), (many, ranking))
    ]
    [first] = many.search("t03 de?", k=1, ranking=ranking)
    assert first.passage.text == "t03 de"
    assert [hit.grounds.second_of for hit in found] == [None, None, first.passage.sentences[0]]
    assert found[0].score == pytest.approx(found[1].score)
    assert found[1].score < found[2].score < first.score


def test_a_filter_holds_for_every_hit_and_every_version() -> None:
    index = world({"de": 40, "fr": 40, "it": 40})
    for where in (filtered(["fr"]), filtered(documents=["fr.txt"])):
        hits = index.search("t03 de?", k=60, where=where)
        assert len(hits) == 40
        assert {hit.passage.language for hit in hits} == {"fr"}
