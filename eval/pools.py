"""Public texts with questions, as pools to search: XQuAD-R with SQuAD-it's Italian questions, and NTREX news.

Where they come from and their licences stand beside the files in `data/`.
"""

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, groupby
from pathlib import Path

from corpus import Document, Passage, Segment, Sentence
from corpus.passages import windows

DATA = Path(__file__).parent / "data"

_DIGITS = re.compile(r"\d+")
LANGUAGES = ("de", "zh", "en", "nl", "fr", "it")
"""The languages that the documents of the news pool take in turn."""
_NEWS = {
    "de": "ref.deu",
    "zh": "ref.zho-CN",
    "en": "src.eng",
    "nl": "ref.nld",
    "fr": "ref.fra",
    "it": "ref.ita",
}


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the sentences that answer it, each of them alone.

    `set` names the questions that are reported together; `says` are forms of what a right answer states, where
    they are known.
    """

    id: str
    set: str
    language: str
    text: str
    gold: tuple[Sentence, ...]
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """Documents cut into sentences and passages, and questions about them.

    `english` has the sentences in English by professional translators, where there is such a translation.
    """

    name: str
    sentences: tuple[Sentence, ...]
    passages: tuple[Passage, ...]
    queries: tuple[Query, ...]
    english: Mapping[Sentence, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retold:
    """A document, the same told in another language, and the place of the sentence that was changed there."""

    first: tuple[Sentence, ...]
    second: tuple[Sentence, ...]
    changed: int | None


def xquad(folder: Path = DATA) -> Pool:
    """XQuAD-R: each paragraph in de, en, es and zh; the gold of a question is its sentence in each of them.

    Questions in those languages are the set "xquad", the Italian ones the set "italian".
    """
    sentences: list[Sentence] = []
    passages: list[Passage] = []
    asked: list[tuple[str, str, str]] = []
    gold: dict[str, list[Sentence]] = {}
    for language in ("de", "en", "es", "zh"):
        for a, article in enumerate(
            json.loads((folder / "xquad-r" / f"{language}.json").read_text("utf-8"))["data"]
        ):
            for p, paragraph in enumerate(article["paragraphs"]):
                document = _document(f"{language}/{a:02}-{p}", paragraph["context"], language)
                own = [Sentence(document, start, end, language) for start, end in paragraph["sentence_breaks"]]
                sentences += own
                passages += windows(own)
                for question in paragraph["qas"]:
                    start = question["answers"][0]["answer_start"]
                    gold.setdefault(question["id"], []).append(next(s for s in own if s.start <= start < s.end))
                    asked.append((question["id"], language, question["question"]))
    with (folder / "squad-it" / "questions.tsv").open(encoding="utf-8", newline="") as file:
        italian = [(row["id"], "it", row["question"]) for row in _rows(file)]
    queries = [Query(name, "xquad", language, text, tuple(gold[name])) for name, language, text in asked]
    queries += [Query(name, "italian", language, text, tuple(gold[name])) for name, language, text in italian]
    return Pool("XQuAD-R", tuple(sentences), tuple(passages), tuple(queries))


def news(folder: Path = DATA) -> Pool:
    """NTREX: 123 news documents, each in one language, and questions in that language and in another."""
    folder /= "ntrex"
    names, texts = _news(folder)
    lines: list[Sentence] = []
    english: dict[Sentence, str] = {}
    passages: list[Passage] = []
    for (name, numbers), language in zip(names.items(), cycle(LANGUAGES), strict=False):
        spans = _lines(name, language, [texts[language][i] for i in numbers])
        lines += spans
        english |= {span: texts["en"][i] for span, i in zip(spans, numbers, strict=True) if language != "en"}
        passages += windows(spans)
    queries = []
    with (folder / "questions.tsv").open(encoding="utf-8", newline="") as file:
        for row in _rows(file):
            answer, says = (lines[int(row["line"]) - 1],), tuple(row["says"].split(" | "))
            queries += [
                Query(f"{row['line']}-{language}", "news", language, text, answer, says)
                for language, text in ((row["language"], row["question"]), (row["other"], row["asked"]))
            ]
    return Pool("NTREX", tuple(lines), tuple(passages), tuple(queries), english)


def untold(folder: Path = DATA) -> Sequence[Mapping[str, str]]:
    """What no document of the news answers: `kind`, `language`, `question`, and the `line` that it comes from.

    The line is that of a question in which something was swapped, and empty for what is about no news at all.
    """
    with (folder / "ntrex" / "unanswerable.tsv").open(encoding="utf-8", newline="") as file:
        return _rows(file)


def halves(pool: Pool) -> tuple[list[tuple[Query, bool]], list[tuple[Query, bool]]]:
    """The questions about every other sentence of the news, with whether its document goes, and the others.

    Of the two questions about a sentence one is asked as it is, in turn that in the document's language and the
    other; for the second the document is left out.
    """
    split: tuple[list[tuple[Query, bool]], list[tuple[Query, bool]]] = ([], [])
    for number, pair in enumerate(zip(pool.queries[::2], pool.queries[1::2], strict=True)):
        own, other = pair if number // 2 % 2 == 0 else pair[::-1]
        split[number % 2].extend([(own, False), (other, True)])
    return split


def told_twice(folder: Path = DATA) -> tuple[Pool, list[Retold]]:
    """NTREX: each news document as in `news`, and told again in another language, in every other one changed.

    There the last digit of one number is three more than it was, in the first sentence that has a number in
    both languages.
    """
    names, texts = _news(folder / "ntrex")
    lines: list[Sentence] = []
    passages: list[Passage] = []
    retold = []
    for place, (name, numbers) in enumerate(names.items()):
        language = LANGUAGES[place % 6]
        other = LANGUAGES[(place + 1 + place // 6 % 5) % 6]
        own, again = ([texts[code][i] for i in numbers] for code in (language, other))
        changed = next((i for i in range(len(own)) if _DIGITS.search(own[i]) and _DIGITS.search(again[i])), -1)
        if planted := place % 2 == 0 and changed >= 0:
            again[changed] = altered(again[changed])
        first, second = _lines(name, language, own), _lines(f"{name} again", other, again)
        lines += first + second
        passages += [*windows(first), *windows(second)]
        retold.append(Retold(tuple(first), tuple(second), changed if planted else None))
    return Pool("NTREX told twice", tuple(lines), tuple(passages), ()), retold


def rewritten(pool: Pool, rewrite: Callable[[str, str], str]) -> Pool:
    """The pool with each line, and its English, as `rewrite` makes it of the document's id and the text."""
    lines: dict[Sentence, Sentence] = {}
    passages: list[Passage] = []
    for document, group in groupby(pool.sentences, key=lambda sentence: sentence.document):
        own = list(group)
        new = _lines(document.id, own[0].language, [rewrite(document.id, sentence.text) for sentence in own])
        lines |= zip(own, new, strict=True)
        passages += windows(new)
    return Pool(
        pool.name,
        tuple(lines.values()),
        tuple(passages),
        tuple(replace(query, gold=tuple(lines[gold] for gold in query.gold)) for query in pool.queries),
        {lines[old]: rewrite(old.document.id, english) for old, english in pool.english.items()},
    )


def planted(pool: Pool, plants: Mapping[Sentence, tuple[int, str]]) -> Pool:
    """The pool with a line more in some documents: before (0), behind (1) or inside (2) the sentence given."""
    lines: dict[Sentence, Sentence] = {}
    every: list[Sentence] = []
    passages: list[Passage] = []
    for _, group in groupby(pool.sentences, key=lambda sentence: sentence.document):
        own = list(group)
        texts: list[tuple[Sentence | None, str]] = [(sentence, sentence.text) for sentence in own]
        for at, sentence in enumerate(own):
            place, line = plants.get(sentence, (-1, ""))
            if place == 2:
                texts[at] = sentence, f"{sentence.text} {line}"
            elif place >= 0:
                texts.insert(at + place, (None, line))
                break
        new = _lines(own[0].document.id, own[0].language, [text for _, text in texts])
        lines |= {old: line for (old, _), line in zip(texts, new, strict=True) if old}
        every += new
        passages += windows(new)
    queries = tuple(replace(query, gold=tuple(lines[gold] for gold in query.gold)) for query in pool.queries)
    english = {lines[old]: text for old, text in pool.english.items() if old not in plants}
    return Pool(pool.name, tuple(every), tuple(passages), queries, english)


def altered(text: str) -> str:
    """Change the longest number of a text.

    >>> altered("On 3 May 2018 it cost 97.4 million.")
    'On 3 May 2011 it cost 97.4 million.'
    """
    longest = max(_DIGITS.finditer(text), key=lambda match: len(match.group()))
    last = (int(longest.group()[-1]) + 3) % 10
    return f"{text[: longest.end() - 1]}{last}{text[longest.end() :]}"


def _news(folder: Path) -> tuple[dict[str, list[int]], dict[str, list[str]]]:
    """The line numbers of each document, and all lines in each language."""
    names: dict[str, list[int]] = {}
    for i, name in enumerate((folder / "DOCUMENT_IDS.tsv").read_text("utf-8").split("\n")[:-1]):
        names.setdefault(name, []).append(i)
    texts = {
        language: (folder / f"newstest2019-{file}.txt").read_text("utf-8").split("\n")
        for language, file in _NEWS.items()
    }
    return names, texts


def _lines(name: str, language: str, lines: Sequence[str]) -> list[Sentence]:
    """A document of these lines, as its sentences."""
    document = _document(name, "\n".join(lines), language)
    starts = [sum(len(text) + 1 for text in lines[:i]) for i in range(len(lines))]
    return [
        Sentence(document, start, start + len(text), language)
        for start, text in zip(starts, lines, strict=True)
    ]


def _document(name: str, text: str, language: str) -> Document:
    return Document(name, text, "", segments=(Segment(0, len(text), language, "article"),))


def _rows(file: object) -> Sequence[dict[str, str]]:
    return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))  # type: ignore[call-overload]
