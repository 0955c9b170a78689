"""A generation of the index, mapped into memory, and search in it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import repeat

import numpy as np

from corpus import Document, Passage, Sentence
from corpus.asked import guess_question
from corpus.numbers import Quantity, missing, quantities
from corpus.repeats import key
from index.embedder import Embedder, Matrix, Vector
from index.filters import EVERYTHING, Filter
from index.hit import Grounds, Hit
from index.lexical import LexicalIndex
from index.neutral import Neutral
from index.ranking import RANKING, Asked, Beyond, Pairs, Ranking
from index.rows import KINDS, Kind
from index.tables import Tables
from index.times import periods
from index.vectors import Among, Rows, VectorStore, best, products
from index.views import View
from index.volumes import SEARCHED, VIEWS, SentenceView

CANDIDATES = 50  # rows a language and kind, at least; five a passage asked for where that is more
MANY = 100  # sentences of a language; development cases with fewer: found in the first 4 .80 without, .76 with
TELLINGS = 4  # sentences of a language that may tell the same
NEAR = 6  # the nearest sentences of a language: the first may be another version, the others are not


class Index:
    """One generation of the index. It never changes, so any number of threads may search it.

    `stores` has the vectors of each view in `Inputs`, `words` the lexical lists of passages and of sentences.
    `documents` are in the order of their ids where there is one volume; `passages` and `sentences` are in the
    order of their languages, then of that. They are read when they are looked at.
    """

    def __init__(
        self,
        generation: int,
        rows: Tables,
        stores: Mapping[str, VectorStore],
        words: Mapping[Kind, LexicalIndex],
        neutral: Neutral,
        embedder: Embedder,
        threads: int = 2,  # FAISS and NumPy let others work while they do
    ) -> None:
        self.generation = generation
        self.embedder = embedder
        self._rows = rows
        self.views = {
            view: View(stores[view], rows.runs(kind), rows.counts(kind), rows.alive[kind])
            for view, kind in VIEWS.items()
        }
        self._passage_view, *self._of_sentences = self.views.values()
        self._sentence_view = self.views["sentences"]
        self._passage_words, self._sentence_words = (words[kind] for kind in KINDS)
        self._neutral = neutral
        self._threads = ThreadPoolExecutor(threads)

    @property
    def documents(self) -> Sequence[Document]:
        return self._rows.documents

    @property
    def passages(self) -> Sequence[Passage]:
        return self._rows.passages

    @property
    def sentences(self) -> Sequence[Sentence]:
        return self._rows.sentences

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that passages are in, by first appearance."""
        return tuple(language for language, count in self._passage_view.counts.items() if count)

    def document(self, name: str) -> Document:
        """Return a document by its id; raises KeyError for one that isn't indexed."""
        return self._rows.document(name)

    def search(
        self,
        question: str,
        k: int = 8,
        where: Filter = EVERYTHING,
        ranking: Ranking = RANKING,
        wordings: Sequence[str] = (),
    ) -> list[Hit]:
        """Return at most `k` passages that `where` admits, best first.

        `wordings` are the question's parts, or the question in other words, and are searched for too. A passage
        that mostly repeats better ones is left out. Any string is a question; one without content has no hits.
        """
        also = wordings if ranking.wordings else ()
        texts = [text for text in map(_storable, (question, *also)) if text.strip()]
        if not question.strip() or k < 1 or not self.passages:
            return []
        admitted, inside = self._rows.admitted(where)
        wanted = max(CANDIDATES, 5 * k)
        vectors = [self.embedder.embed_question(text) for text in texts]
        near = [self._near(vector, wanted, admitted, inside, ranking) for vector in vectors]
        every = [self._asked(*each, ranking) for each in zip(texts, vectors, strict=True)]  # meanwhile
        most = k * ranking.leading if len(self.passages) > ranking.large else None
        candidates = [self._candidates(*each, admitted, most) for each in zip(every, near, strict=True)]
        found = np.unique(np.concatenate(candidates))
        first, *others = [self._pairs(found, asked, ranking) for asked in every]
        levels = [pairs.level() for pairs in (first, *others)]
        pairs = first.blended(others, levels, ranking.wordings)
        versions: dict[int, tuple[int, float]] = {}
        for row, of, score in self._versions(pairs, inside, ranking):
            if score > versions.get(row, (0, -np.inf))[1]:
                versions[row] = of, score
        around = self._rows.around(np.array(list(versions), np.int64))[0]
        missing = np.setdiff1d(around, pairs.passages)
        if len(missing):
            first, *others = [self._pairs(missing, asked, ranking) for asked in every]
            pairs = pairs.joined(first.blended(others, levels, ranking.wordings))
        pairs = pairs.lifted({row: score for row, (_, score) in versions.items()})
        chosen = self._without_copies(pairs.ranked(), k)
        return [self._hit(passage, pairs, versions, every[0]) for passage in chosen]

    def english(self, sentence: Sentence) -> str:
        """Return a sentence in English, "" where the index has none; raises KeyError like `standing_out`."""
        return self._rows.english(self._rows.row(sentence))

    def likeness(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """Return the plain cosine of the question with each passage of this generation.

        Unlike the score of a hit it says how close the passage is whatever else there is.
        """
        vector = self.embedder.embed_question(_storable(question))
        rows = [self._rows.row(passage) for passage in passages]
        return [float(score) for score in self._passage_view.vectors(rows) @ vector]

    def standing_out(
        self, vector: Vector, sentences: Sequence[Sentence], view: SentenceView = "sentences"
    ) -> Vector:
        """Return how much closer each sentence is to `vector` than the closest others of its language are.

        (len(sentences),) float32, in cosine; raises KeyError for a sentence that is not of this generation.
        """
        others = [self.views[view].others(vector, self._rows.row(sentence)) for sentence in sentences]
        found: Vector = self.sentence_vectors(sentences, view) @ vector - np.array(others, np.float32)
        return found

    def counterparts(self, sentence: Sentence, least: float) -> list[Sentence]:
        """Return the sentences that seem to tell what `sentence` tells, of any language, its own included.

        Each is closer to it than the next closest of its language are, and it to them, by `least` in cosine:
        a translation by some .07, another report of the same thing by .03. Raises KeyError like `standing_out`.
        """
        view, row = self._sentence_view, self._rows.row(sentence)
        [vector] = view.vectors([row])
        found = []
        for language in self.languages:
            rows, margins = view.outstanding(vector, TELLINGS, language)
            near = rows[(margins >= least) & (rows != row)].tolist()
            for other, own in zip(near, view.vectors(near), strict=True):
                if self.standing_out(own, [sentence])[0] >= least:
                    found.append(self._rows.sentence(other))
        return found

    def sentence_vectors(self, sentences: Sequence[Sentence], view: SentenceView = "sentences") -> Matrix:
        """Return the stored vectors, (len(sentences), d) float32; raises KeyError like `standing_out`.

        In the `view` "english" those of the sentences in English, their own where there is no translation.
        """
        return self.views[view].vectors([self._rows.row(sentence) for sentence in sentences])

    def _near(
        self, vector: Vector, wanted: int, admitted: Among | None, inside: Among | None, ranking: Ranking
    ) -> list[Future[tuple[Rows, Vector]]]:
        """Begin to look for the nearest rows of each language in each view, as far as rough scores tell."""
        common = self._neutral.shared(vector).tolist() if ranking.neutral else repeat(0.0)
        shared = dict(zip(self._sentence_view.runs, common, strict=False))

        def near(view: str) -> tuple[Rows, Vector]:
            among = inside if VIEWS[view] == "sentences" else admitted
            found = [
                (rows, scores - shared[name])
                for name in self.languages
                for rows, scores in [self.views[view].near(vector, wanted, name, among)]
            ]
            return np.concatenate([rows for rows, _ in found]), np.concatenate([s for _, s in found])

        return [self._threads.submit(near, view) for view in SEARCHED]

    def _candidates(
        self,
        asked: Asked,
        near: Sequence[Future[tuple[Rows, Vector]]],
        admitted: Among | None,
        most: int | None,
    ) -> Rows:
        """The passages that are near in some language or share words, themselves or by a sentence.

        Of each of these lists the `most` best among all languages, all where that is None.
        """
        of_passages, *of_sentences = (each.result() for each in near)
        whole = [of_passages, asked.passage_words.best]
        single = [*of_sentences, asked.sentence_words.best]
        rows, sentences = (
            np.concatenate([best(*each, len(each[0]) if most is None else most)[0] for each in lists])
            for lists in (whole, single)
        )
        found = np.union1d(rows, self._rows.around(sentences)[0])
        return self._rows.only(found, admitted)

    def _pairs(self, passages: Rows, asked: Asked, ranking: Ranking) -> Pairs:
        """Score every sentence of each of the passages."""
        inner, sizes = self._rows.inside(passages)
        outer = np.repeat(passages, sizes)
        rows, back = np.unique(inner, return_inverse=True)
        likeness = partial(self._neutral.cosines if ranking.neutral else _plain, asked.vector)
        whole = likeness(self._passage_view.vectors(passages))
        near = [likeness(view.vectors(rows)) for view in self._of_sentences]
        in_passages = asked.passage_words(passages)
        words = np.float32(0.5) * (np.repeat(in_passages, sizes) + asked.sentence_words(rows)[back])
        cosines = [np.repeat(whole, sizes), *(each[back] for each in near)]
        times = self._rows.of_the_time(rows, asked.times)
        return Pairs.scored(outer, inner, cosines, words, times[back], ranking)

    def _asked(self, question: str, vector: Vector, ranking: Ranking) -> Asked:
        language, _ = guess_question(question)
        in_passages, in_sentences = (
            Beyond(question, language, words, view, ranking.foreign)
            for words, view in (
                (self._passage_words, self._passage_view),
                (self._sentence_words, self._sentence_view),
            )
        )
        return Asked(question, language, vector, periods(question, language), in_passages, in_sentences)

    def _versions(self, pairs: Pairs, inside: Among | None, ranking: Ranking) -> list[tuple[int, int, float]]:
        """Other versions of what the best sentences say: (sentence, of which, score), in other languages.

        A version stands out: it is nearer to the sentence than the next ones of its language are to it. Among
        few sentences the nearest stands out by chance, so languages with few are left alone. It stands in
        another document.
        """
        view, chosen = self._sentence_view, pairs.best_sentences(ranking.seconds)
        rows = pairs.sentences[chosen]
        vectors = view.vectors(rows)
        asked = [
            (number, name)
            for number, row in enumerate(rows.tolist())
            for name, count in view.counts.items()
            if name != view.language(row) and count >= MANY
        ]
        found = self._threads.map(lambda a: view.near(vectors[a[0]], NEAR, a[1], inside)[0], asked)
        near = [*found, rows[:0]]
        sizes = [len(each) for each in near]
        of = np.repeat([*(number for number, _ in asked), 0], sizes)
        nearest = np.concatenate(near)
        itself, others = self._neutral(vectors), self._neutral(view.vectors(nearest))
        likeness = np.vecdot(others, itself[of])
        elsewhere = self._rows.documents_of(nearest) != self._rows.documents_of(rows)[of]
        versions = []
        for (number, _), stop, size in zip(asked, np.cumsum(sizes).tolist(), sizes, strict=False):
            places = np.arange(stop - size, stop)[elsewhere[stop - size : stop]]
            like = likeness[places]
            if len(like) > 1 and like.max() - np.delete(like, like.argmax()).mean() >= ranking.apart:
                first = int(like.argmax())
                score = float(pairs.scores[chosen[number]]) - ranking.loss * (1 - float(like[first]))
                versions.append((int(nearest[places[first]]), int(rows[number]), score))
        return versions

    def _hit(self, passage: int, pairs: Pairs, versions: Mapping[int, tuple[int, float]], asked: Asked) -> Hit:
        own = pairs.of(passage)
        best = own[int(pairs.scores[own].argmax())]
        lifted = {row: versions[row] for row in pairs.sentences[own].tolist() if row in versions}
        second = max(lifted.values(), key=lambda version: version[1], default=None)
        grounds = Grounds(
            passage=float(pairs.wholes[best]),
            sentence=float(pairs.singles[best]),
            context=float(pairs.contexts[best]),
            english=float(pairs.english[best]),
            in_english=self._rows.english(int(pairs.sentences[best])),
            lexical=float(pairs.words[best]),
            time=float(pairs.times[best]),
            words=self._passage_words.shared(asked.text, asked.language, passage),
            second_of=self._rows.sentence(second[0]) if second else None,
        )
        scores = tuple(float(score) for score in pairs.scores[own])
        return Hit(self._rows.passage(passage), max(scores), scores, grounds)

    def _without_copies(self, ranked: Sequence[int], k: int) -> list[int]:
        """The first `k` passages that say something new: half of one may be copies, or all its neighbours'.

        More of it may be where the rest has a number that those with the same sentences lack: that may be all
        that matters.
        """
        shown: dict[str, dict[int, list[Sentence]]] = {}  # by text: each row that has it, and its whole passage
        chosen: list[int] = []
        for passage in ranked:
            rows = self._rows.inside(np.array([passage]))[0].tolist()
            inside = [self._rows.sentence(row) for row in rows]
            said = [(row, each, key(each.text)) for row, each in zip(rows, inside, strict=True)]
            copies = [text for row, _, text in said if row not in shown.get(text, {row: []})]
            fresh = [each for _, each, text in said if text not in shown]
            originals = [each for text in copies for whole in shown[text].values() for each in whole]
            new = len(copies) * 2 <= len(said) or bool(missing(_numbers(fresh), _numbers(originals)))
            if not fresh or not new:
                continue
            for row, _, text in said:
                shown.setdefault(text, {})[row] = inside
            chosen.append(passage)
            if len(chosen) == k:
                break
        return chosen


def _storable(question: str) -> str:
    """A question as valid Unicode: lone surrogates, which no tokenizer takes, become "?"."""
    return question.encode("utf-8", "replace").decode()


def _numbers(sentences: Sequence[Sentence]) -> list[Quantity]:
    return [number for sentence in sentences for number in quantities(sentence.text, sentence.language)]


def _plain(question: Vector, vectors: Matrix) -> Vector:
    return products(vectors, question)
