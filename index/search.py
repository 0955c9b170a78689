"""An opened generation, whole in memory, and search in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from corpus import Document, Passage, Sentence
from corpus.language import identify
from index.build import PASSAGE_WORDS, SENTENCE_WORDS, VECTORS, newest, recipe_of, repair
from index.catalogue import Catalogue
from index.embedder import Embedder, Matrix, Vector
from index.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing
from index.filters import EVERYTHING, Filter
from index.generations import Manifest, Recipe, catalogue_path, generation_folder, read
from index.hit import Grounds, Hit
from index.lexical import Bm25Index, LexicalIndex
from index.neutral import Neutral
from index.ranking import RANKING, Asked, Pairs, Ranking, beyond
from index.records import Record
from index.times import of_the_time, periods
from index.vectors import FaissStore, Mask, VectorStore
from index.views import View

CANDIDATES = 50  # rows a language and kind, at least; five a passage asked for where that is more
MANY = 100  # sentences of a language; development cases with fewer: found in the first 4 .80 without, .76 with
NEAR = 6  # the nearest sentences of a language: the first may be another version, the others are not


class Index:
    """One generation of the index. It never changes, so any number of threads may search it.

    `stores` has the vectors of each view in `Inputs`. `documents` are in the order of their ids; `passages` and
    `sentences` follow that order.
    """

    def __init__(
        self,
        generation: int,
        records: Sequence[Record],
        stores: Mapping[str, VectorStore],
        passage_words: LexicalIndex,
        sentence_words: LexicalIndex,
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
        spoken = [sentence.language for sentence in self.sentences]
        self._passage_view = View(stores["passages"], [passage.language for passage in self.passages])
        self._sentence_view = View(stores["sentences"], spoken)
        self._context_view = View(stores["contexts"], spoken)
        self._english_view = View(stores["english"], spoken)
        self._english = [text for record in records for text in record.english]
        self._passage_words, self._sentence_words = passage_words, sentence_words
        self._neutral = Neutral(stores["sentences"].vectors(range(len(spoken))), spoken)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that passages are in, by first appearance."""
        return tuple(dict.fromkeys(passage.language for passage in self.passages))

    def document(self, name: str) -> Document:
        """Return a document by its id; raises KeyError for one that isn't indexed."""
        return self._by_id[name]

    def search(
        self, question: str, k: int = 8, where: Filter = EVERYTHING, ranking: Ranking = RANKING
    ) -> list[Hit]:
        """Return at most `k` passages that `where` admits, best first.

        A passage that mostly repeats better ones is left out. Any string is a question; one without content
        has no hits.
        """
        question = _storable(question)
        if not question.strip() or k < 1 or not self.passages:
            return []
        asked = self._asked(question, ranking)
        admitted, inside = self._admitted(where)
        found = self._candidates(asked.vector, max(CANDIDATES, 5 * k), admitted, inside)
        pairs = self._pairs(found, asked, ranking)
        versions: dict[int, tuple[int, float]] = {}
        for row, of, score in self._versions(pairs, inside, ranking):
            if score > versions.get(row, (0, -np.inf))[1]:
                versions[row] = of, score
        missing = {p for row in versions for p in self._around[row]} - set(pairs.passages.tolist())
        if missing:
            pairs = pairs.joined(self._pairs(sorted(missing), asked, ranking))
        pairs = pairs.lifted({row: score for row, (_, score) in versions.items()})
        chosen = self._without_copies(pairs.ranked(), k)
        return [self._hit(passage, pairs, versions, asked) for passage in chosen]

    def likeness(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """Return the plain cosine of the question with each passage of this generation.

        Unlike the score of a hit it says how close the passage is whatever else there is.
        """
        vector = self.embedder.embed_question(_storable(question))
        rows = [self._passage_row[_place(passage)] for passage in passages]
        return [float(score) for score in self._passage_view.vectors(rows) @ vector]

    def standing_out(self, vector: Vector, sentences: Sequence[Sentence]) -> Vector:
        """Return how much closer each sentence is to `vector` than the closest others of its language are.

        (len(sentences),) float32, in cosine; raises KeyError for a sentence that is not of this generation.
        """
        others = [self._sentence_view.others(vector, self._row[_place(sentence)]) for sentence in sentences]
        found: Vector = self.sentence_vectors(sentences) @ vector - np.array(others, np.float32)
        return found

    def sentence_vectors(self, sentences: Sequence[Sentence]) -> Matrix:
        """Return the stored vectors, (len(sentences), d) float32; raises KeyError like `standing_out`."""
        return self._sentence_view.vectors([self._row[_place(sentence)] for sentence in sentences])

    def _candidates(self, vector: Vector, wanted: int, admitted: Mask | None, inside: Mask | None) -> list[int]:
        """The passages that are near in some language, themselves or by one of their sentences."""
        found: set[int] = set()
        for language in self.languages:
            found.update(self._passage_view.best(vector, wanted, language, admitted).tolist())
            for view in (self._sentence_view, self._english_view):
                for sentence in view.best(vector, wanted, language, inside).tolist():
                    found.update(self._around.get(sentence, ()))
        return sorted(row for row in found if admitted is None or admitted[row])

    def _admitted(self, where: Filter) -> tuple[Mask | None, Mask | None]:
        """Which passages `where` admits, and which sentences stand in them; None where it admits all."""
        if where == EVERYTHING:
            return None, None
        admitted = np.array([where.admits(passage) for passage in self.passages], bool)
        inside = np.zeros(len(self.sentences), bool)
        inside[[row for passage in np.flatnonzero(admitted) for row in self._inside[passage]]] = True
        return admitted, inside

    def _pairs(self, passages: Sequence[int], asked: Asked, ranking: Ranking) -> Pairs:
        """Score every sentence of each of the passages."""
        sizes = [len(self._inside[passage]) for passage in passages]
        inner = np.array([row for passage in passages for row in self._inside[passage]], np.int64)
        outer = np.repeat(np.asarray(passages, np.int64), sizes)
        rows, back = np.unique(inner, return_inverse=True)
        of_sentences = (self._sentence_view, self._context_view, self._english_view)
        vectors = [self._passage_view.vectors(passages), *(view.vectors(rows) for view in of_sentences)]
        question = asked.vector[None]
        if ranking.neutral:
            question, *vectors = map(self._neutral, (question, *vectors))
        whole, *near = (matrix @ question[0] for matrix in vectors)
        words = np.float32(0.5) * (asked.passage_words[outer] + asked.sentence_words[inner])
        cosines = [np.repeat(whole, sizes), *(each[back] for each in near)]
        times = [of_the_time(self.sentences[row], asked.times) if asked.times else 0 for row in rows]
        return Pairs.scored(outer, inner, cosines, words, np.array(times, np.float32)[back], ranking)

    def _asked(self, question: str, ranking: Ranking) -> Asked:
        language = identify(question)
        words = []
        for view, lexical in (
            (self._passage_view, self._passage_words),
            (self._sentence_view, self._sentence_words),
        ):
            shares = lexical.shares(question, language)
            for own, among in view.among.items():
                weight = 1 if own == language else ranking.foreign
                shares[among] = weight * beyond(shares[among])
            words.append(shares)
        vector = self.embedder.embed_question(question)
        return Asked(question, language, vector, periods(question), words[0], words[1])

    def _versions(self, pairs: Pairs, inside: Mask | None, ranking: Ranking) -> list[tuple[int, int, float]]:
        """Other versions of what the best sentences say: (sentence, of which, score), in other languages.

        A version stands out: it is nearer to the sentence than the next ones of its language are to it. Among
        few sentences the nearest stands out by chance, so languages with few are left alone.
        """
        found = []
        for pair in pairs.best_sentences(ranking.seconds):
            row = int(pairs.sentences[pair])
            vector = self._sentence_view.vectors([row])
            for language, among in self._sentence_view.among.items():
                if language == self.sentences[row].language or among.sum() < MANY:
                    continue
                near = self._sentence_view.best(vector[0], NEAR, language, inside)
                near = near[[self.sentences[other].document != self.sentences[row].document for other in near]]
                if len(near) < 2:
                    continue
                like = self._neutral(self._sentence_view.vectors(near)) @ self._neutral(vector)[0]
                first = int(like.argmax())
                if like[first] - np.delete(like, first).mean() >= ranking.apart:
                    score = float(pairs.scores[pair]) - ranking.loss * (1 - float(like[first]))
                    found.append((int(near[first]), row, score))
        return found

    def _hit(self, passage: int, pairs: Pairs, versions: Mapping[int, tuple[int, float]], asked: Asked) -> Hit:
        own = pairs.of(passage)
        best = own[int(pairs.scores[own].argmax())]
        lifted = {row: versions[row] for row in self._inside[passage] if row in versions}
        second = max(lifted.values(), key=lambda version: version[1], default=None)
        grounds = Grounds(
            passage=float(pairs.wholes[best]),
            sentence=float(pairs.singles[best]),
            context=float(pairs.contexts[best]),
            english=float(pairs.english[best]),
            in_english=self._english[int(pairs.sentences[best])],
            lexical=float(pairs.words[best]),
            time=float(pairs.times[best]),
            words=self._passage_words.shared(asked.text, asked.language, passage),
            second_of=self.sentences[second[0]] if second else None,
        )
        scores = tuple(float(score) for score in pairs.scores[own])
        return Hit(self.passages[passage], max(scores), scores, grounds)

    def _without_copies(self, ranked: Sequence[int], k: int) -> list[int]:
        """The first `k` passages that say something new: half of one may be copies, or all its neighbours'."""
        shown: dict[str, set[int]] = {}
        chosen: list[int] = []
        for passage in ranked:
            said = [
                (" ".join(self.sentences[row].text.casefold().split()), row) for row in self._inside[passage]
            ]
            copies = sum(row not in shown.get(text, {row}) for text, row in said)
            if 2 * copies > len(said) or all(text in shown for text, _ in said):
                continue
            for text, row in said:
                shown.setdefault(text, set()).add(row)
            chosen.append(passage)
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


def opened(number: int, records: Sequence[Record], files: Mapping[str, bytes], embedder: Embedder) -> Index:
    """Return the index of these documents, with the files that `derived` made for them."""
    stores = {view: FaissStore.from_bytes(files[name]) for view, name in VECTORS.items()}
    in_passages, in_sentences = (Bm25Index.from_bytes(files[name]) for name in (PASSAGE_WORDS, SENTENCE_WORDS))
    return Index(number, records, stores, in_passages, in_sentences, embedder)


def _opened(
    home: Path,
    number: int,
    manifest: Manifest,
    records: Sequence[Record],
    files: Mapping[str, bytes],
    embedder: Embedder,
) -> Index:
    spans = (sum(len(record.passages) for record in records), sum(len(record.sentences) for record in records))
    if spans != (manifest.passages, manifest.sentences):
        reason = f"the catalogue has {spans} spans, the manifest says {manifest.passages, manifest.sentences}"
        raise IndexDamaged(generation_folder(home, number), reason)
    return opened(number, records, files, embedder)


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
