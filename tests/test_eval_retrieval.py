"""The public pools as they are read, and the measures over them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from corpus import Document, Segment, Sentence
from corpus.passages import windows
from eval.case import Case, Gold
from eval.pools import LANGUAGES, Query, news, xquad
from eval.retrieval import RANKINGS, by_group, cases, ranked, sentences
from index import Index, build, index_of, open_index
from index.embedder import Matrix
from index.ranking import RANKING
from index.records import Record
from rag.answer import Question
from tests.fakes import HashEmbedder


def test_xquad_has_the_gold_of_every_question_in_four_languages() -> None:
    pool = xquad()
    assert (len(pool.sentences), len(pool.queries)) == (4867, 4760 + 778)
    for query in pool.queries:
        assert [gold.language for gold in query.gold] == ["de", "en", "es", "zh"]
    first = pool.queries[0]
    assert first.text == "Wie viele Punkte gab die Verteidigung der Panthers ab?"
    assert "308 Punkte" in first.gold[0].text
    assert "308 points" in first.gold[1].text
    assert {sentence for passage in pool.passages for sentence in passage.sentences} == set(pool.sentences)


def test_news_has_each_document_in_one_language_and_each_question_in_two() -> None:
    pool = news()
    assert len(pool.sentences) == 1997
    of = {sentence.document.id: sentence.language for sentence in pool.sentences}
    assert len(of) == 123
    assert {list(of.values()).count(language) for language in LANGUAGES} == {20, 21}
    pairs = [(query.language, query.gold[0].language) for query in pool.queries]
    assert len(pairs) == 300
    assert all(
        pairs.count((asked, to)) == (25 if asked == to else 5) for asked in LANGUAGES for to in LANGUAGES
    )


def test_measures_of_a_ranking() -> None:
    document = Document("a", "Eins. Two. Three.", "")
    one, two, three = (Sentence(document, *span) for span in ((0, 5, "de"), (6, 10, "en"), (11, 17, "en")))
    query = Query("q", "set", "en", "?", (one, three))
    found = by_group(list(ranked(query, [two, one, three])))
    assert found["set", "average precision"] == [pytest.approx((1 / 2 + 2 / 3) / 2)]
    assert found["en→de", "own list top 5"] == [1.0]
    assert found["set", "MRR@10"] == [0.5]  # second among the English ones
    assert found["in en", "share of the first 5"] == [1.0, 1.0]
    assert by_group(list(ranked(query, [two])))["set", "recall@5"] == [0.0]


def test_a_pool_is_indexed_in_memory_and_its_vectors_are_kept(tmp_path: Path) -> None:
    text = "The ferry sank. The bridge opened. A mill burned."
    document = Document("a", text, "", segments=(Segment(0, len(text), "en", "article"),))
    own = [Sentence(document, start, end, "en") for start, end in ((0, 15), (16, 34), (35, 49))]
    records = [Record.of(document, document.segments, own, windows(own))]

    class Counting(HashEmbedder):
        texts = 0

        def embed_passages(self, texts: Sequence[str]) -> Matrix:
            self.texts += len(texts)
            return super().embed_passages(texts)

    first, again = Counting(), Counting()
    *_, index = index_of(records, tmp_path, first)
    *_, same = index_of(records, tmp_path, again)
    assert (first.texts, again.texts) == (7, 0)  # three of them in their contexts
    assert isinstance(index, Index)
    assert isinstance(same, Index)
    query = Query("q", "set", "en", "Which bridge opened?", (own[1],))
    assert [sentences(each, query, RANKING)[0] for each in (index, same)] == [own[1], own[1]]


def test_a_case_counts_the_needs_that_are_found(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    stories = {"a": "The ferry sank in May. Nobody drowned.", "b": "A mill burned. It stood in Varnes."}
    for name, text in stories.items():
        (tmp_path / "documents" / f"{name}.txt").write_text(f"{name} story\n\n{text}\n")
    assert list(build(tmp_path / "documents", tmp_path, HashEmbedder()))
    index = open_index(tmp_path, HashEmbedder())
    needs = ((Gold("a.txt", "The ferry sank in May."),), (Gold("b.txt", "A mill burned."),))
    case = Case("x", "dev", "t", "several_documents", "fr", "?", needs=needs, facts=(("May",),))
    [(_, hits, found)] = cases(
        index, [(case, Question("", "en", "When did the ferry sink?"))], RANKINGS["dense"], k=1
    )
    assert len(hits) == 1
    groups = by_group(found)
    assert groups["all", "@1"] == groups["several_documents", "@1"] == groups["another language", "@1"] == [0.5]
