"""An opened generation, whole in memory, and search in it."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from corpus import Document, Passage, Sentence
from index.build import LEXICAL, PASSAGES, SENTENCES, newest, recipe_of, repair
from index.catalogue import Catalogue
from index.embedder import Embedder, Matrix, Vector
from index.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing
from index.generations import Manifest, Recipe, catalogue_path, generation_folder, read
from index.hit import Hit
from index.lexical import Bm25Index, LexicalIndex
from index.records import Record
from index.vectors import FaissStore, VectorStore
from index.views import View

CANDIDATES = 50  # rows a language and list, at least; five a passage asked for where that is more

# What the passage with the most shared words gains, in cosine. XQuAD-R as in `View.backgrounds`: at 0, .03,
# .06 and .1 the same language's gold is first for .67, .87, .88, .88 of the questions, and of the other
# languages' gold .94, .91, .89, .84 is in the first eight.
LEXICAL_WEIGHT = 0.03


class Index:
    """One generation of the index. It never changes, so any number of threads may search it.

    `documents` are in the order of their ids; `passages` and `sentences` follow that order.
    """

    def __init__(
        self,
        generation: int,
        records: Sequence[Record],
        passage_store: VectorStore,
        sentence_store: VectorStore,
        lexical: LexicalIndex,
        embedder: Embedder,
    ) -> None:
        self.generation = generation
        self.embedder = embedder
        self.documents: tuple[Document, ...] = tuple(record.document for record in records)
        self.passages: tuple[Passage, ...] = tuple(p for record in records for p in record.passages)
        self.sentences: tuple[Sentence, ...] = tuple(s for record in records for s in record.sentences)
        self._by_id = {document.id: document for document in self.documents}
        self._row = {_place(sentence): row for row, sentence in enumerate(self.sentences)}
        self._passage_row = {_place(passage): row for row, passage in enumerate(self.passages)}
        self._inside = [[self._row[_place(s)] for s in p.sentences] for p in self.passages]
        self._around: dict[int, list[int]] = {}
        for passage, rows in enumerate(self._inside):
            for row in rows:
                self._around.setdefault(row, []).append(passage)
        self._passage_view = View(passage_store, [passage.language for passage in self.passages])
        self._sentence_view = View(sentence_store, [sentence.language for sentence in self.sentences])
        self._lexical = lexical

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that passages are in, by first appearance."""
        return tuple(dict.fromkeys(passage.language for passage in self.passages))

    def document(self, name: str) -> Document:
        """Return a document by its id; raises KeyError for one that isn't indexed."""
        return self._by_id[name]

    def search(self, question: str, k: int = 8, languages: Collection[str] | None = None) -> list[Hit]:
        """Return at most `k` passages, best first, of `languages` or of all.

        The score is the mean of how far the passage and its best sentence lie above the question's
        background in their language, in cosine, and a little for shared words. A passage that mostly
        repeats better ones is left out. Any string is a question; one without content has no hits.
        """
        question = _storable(question)
        if not question.strip() or k < 1:
            return []
        vector = self.embedder.embed_question(question)
        shared = self._lexical.scores(question)
        bonus = shared * (LEXICAL_WEIGHT / max(float(shared.max(initial=0)), 1e-9))
        floors = self._passage_view.backgrounds(vector), self._sentence_view.backgrounds(vector)
        wanted = max(CANDIDATES, 5 * k)
        scores: dict[int, float] = {}
        for language in self.languages:
            if languages is not None and language not in languages:
                continue
            rows = set(self._passage_view.best(vector, wanted, language).tolist())
            for sentence in self._sentence_view.best(vector, wanted, language).tolist():
                rows.update(self._around.get(sentence, ()))
            for row in sorted(rows):
                whole = float(self._passage_view.vectors([row])[0] @ vector)
                best = float((self._sentence_view.vectors(self._inside[row]) @ vector).max())
                above = (whole - floors[0][language] + best - floors[1][language]) / 2
                scores[row] = above + float(bonus[row])
        ranked = sorted(scores, key=lambda row: (-scores[row], row))
        return self._without_copies([Hit(self.passages[row], scores[row]) for row in ranked], k)

    def rank_sentences(self, question: str, sentences: Sequence[Sentence]) -> list[float]:
        """Return how far each sentence lies above the question's background in its language, in cosine.

        Raises KeyError for a sentence that is not of this generation.
        """
        vector = self.embedder.embed_question(_storable(question))
        floors = self._sentence_view.backgrounds(vector)
        scores = self.sentence_vectors(sentences) @ vector
        return [
            float(score) - floors[sentence.language] for score, sentence in zip(scores, sentences, strict=True)
        ]

    def likeness(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """Return the plain cosine of the question with each passage of this generation.

        Unlike the score of a hit it says how close the passage is whatever else there is.
        """
        vector = self.embedder.embed_question(_storable(question))
        rows = [self._passage_row[_place(passage)] for passage in passages]
        return [float(score) for score in self._passage_view.vectors(rows) @ vector]

    def standing_out(self, vector: Vector, sentences: Sequence[Sentence]) -> Vector:
        """Return how much closer each sentence is to `vector` than the closest others of its language are.

        (len(sentences),) float32, in cosine; raises KeyError like `rank_sentences`.
        """
        others = [self._sentence_view.others(vector, self._row[_place(sentence)]) for sentence in sentences]
        found: Vector = self.sentence_vectors(sentences) @ vector - np.array(others, np.float32)
        return found

    def sentence_vectors(self, sentences: Sequence[Sentence]) -> Matrix:
        """Return the stored vectors, (len(sentences), d) float32; raises KeyError like `rank_sentences`."""
        return self._sentence_view.vectors([self._row[_place(sentence)] for sentence in sentences])

    def _without_copies(self, hits: Sequence[Hit], k: int) -> list[Hit]:
        shown: set[str] = set()
        chosen: list[Hit] = []
        for hit in hits:
            said = [" ".join(sentence.text.casefold().split()) for sentence in hit.passage.sentences]
            if sum(text in shown for text in said) * 2 > len(said):
                continue
            shown.update(said)
            chosen.append(hit)
            if len(chosen) == k:
                break
        return chosen


def open_index(home: Path, embedder: Embedder) -> Index:
    """Open the newest generation. Damaged derived files are made again from the catalogue first.

    Raises IndexMissing, IndexMismatch, IndexDamaged. The embedding model isn't loaded yet.
    """
    for _ in range(3):  # once, again after a repair, and again if a writer published meanwhile
        with Catalogue(catalogue_path(home)) as catalogue, catalogue.transaction():
            current = newest(catalogue)
            if current is None:
                raise IndexMissing(home)
            number, manifest = current
            _agree(manifest.recipe, recipe_of(embedder))
            try:
                files = read(home, number, manifest)
            except IndexDamaged as error:
                damage = error
            else:
                if catalogue.digest() != manifest.rows:
                    raise IndexDamaged(catalogue.path, "its rows are not those that were written")
                return _opened(home, number, manifest, catalogue.records(), files, embedder)
        try:
            repair(home)
        except IndexBusy as error:
            raise damage from error
    raise damage


def current_generation(home: Path) -> int | None:
    """Return the number of the newest generation, None before the first: a cheap look for a new one."""
    try:
        with Catalogue(catalogue_path(home)) as catalogue:
            found = catalogue.generation()
    except IndexMissing:
        return None
    return None if found is None else found[0]


def _opened(
    home: Path,
    number: int,
    manifest: Manifest,
    records: Sequence[Record],
    files: Mapping[str, bytes],
    embedder: Embedder,
) -> Index:
    passages, sentences = (FaissStore.from_bytes(files[name]) for name in (PASSAGES, SENTENCES))
    lexical = Bm25Index.from_bytes(files[LEXICAL])
    index = Index(number, records, passages, sentences, lexical, embedder)
    found = (len(passages), len(sentences), len(lexical), passages.dimension, sentences.dimension)
    spans = (len(index.passages), len(index.sentences), len(index.passages))
    if found != (*spans, manifest.dimension, manifest.dimension):
        reason = f"rows and dimensions are {found}, expected {(*spans, manifest.dimension, manifest.dimension)}"
        raise IndexDamaged(generation_folder(home, number), reason)
    return index


def _agree(built: Recipe, asked: Recipe) -> None:
    if built.fingerprint != asked.fingerprint:
        names = (f"{r.embedder} ({r.fingerprint[:12]})" for r in (built, asked))
        raise IndexMismatch("embedder", *names)
    for what in ("splitter", "metric", "format"):
        values = str(getattr(built, what)), str(getattr(asked, what))
        if values[0] != values[1]:
            raise IndexMismatch(what, *values)


def _place(span: Sentence | Passage) -> tuple[str, int, int]:
    return span.document.id, span.start, span.end


def _storable(question: str) -> str:
    """A question as valid Unicode: lone surrogates, which no tokenizer takes, become "?"."""
    return question.encode("utf-8", "replace").decode()
