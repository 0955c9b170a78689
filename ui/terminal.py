"""Answers on a terminal: whatever comes from documents and models is printed as plain, visible text."""

import json
import sys
from collections.abc import Iterator, Sequence

from corpus import Published
from index import EVERYTHING, Filter, Hit, Progress, Report
from rag.answer import Answer, Citation, Question, Turn
from rag.assistant import Assistant
from rag.contract import grounds, passages, to_json
from ui.texts import say

_JOINERS = "\u200c\u200d"  # some scripts spell with them; they move no cursor


def exit_code(answer: Answer) -> int:
    """0 for an answer or an honest refusal, 3 where the model failed."""
    return 3 if answer.status == "failed" else 0


def anew(steps: Iterator[Progress | Report]) -> Iterator[Progress | Report]:
    """The steps by which an index of an earlier feud is made anew, shown on the way."""
    from ui.library import shown

    print("The index is of an earlier feud and is made anew, once.", file=sys.stderr, flush=True)
    return shown(steps)


def show_json(assistant: Assistant, question: str, where: Filter = EVERYTHING) -> Answer:
    """Print the answer in the JSON contract."""
    answer = assistant.ask(question, where=where)
    print(json.dumps(to_json(answer), ensure_ascii=False, indent=2))
    _warn(answer)
    return answer


def show(
    assistant: Assistant, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING
) -> Answer:
    """Print an answer while it grows: what is being done on stderr, each sentence once it is checked."""
    said = 0
    status = ""
    for answer in assistant.stream(question, history, where):
        if answer.status != status and sys.stderr.isatty():
            status = answer.status
            print(_doing(answer), end="", file=sys.stderr, flush=True)
        for statement in answer.statements[said:]:
            marks = "".join(f"[{number}]" for number in statement.citations)
            doubt = f" ({say(statement.doubt)})" if statement.doubt else ""
            print(plain(f"{statement.text} {marks}{doubt}"), flush=True)
        said = len(answer.statements)
    if answer.notice:
        print(plain(answer.notice))
    for line in [*differing(answer), *sources(answer)]:
        print(plain(line))
    _warn(answer)
    return answer


def show_hits(hits: Sequence[Hit], as_json: bool, explained: Question | None = None) -> None:
    """Print what a search found; with the question that was searched as `explained`, also why."""
    if as_json:
        found = passages(hits)
        if explained:
            found = [each | {"grounds": grounds(hit)} for each, hit in zip(found, hits, strict=True)]
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    if explained:
        for text in (explained.standalone, *explained.wordings):
            print(plain(f"Searched for: {text}"))
    for hit in hits:
        document = hit.passage.document
        place = f"{document.id}:{hit.passage.start}–{hit.passage.end}"
        facts = (place, hit.passage.language, document.publisher, date(document.published))
        print(plain(f"{hit.score:+.3f}  {'  '.join(fact for fact in facts if fact)}"))
        print(plain(f"        {hit.passage.text}"))
        for line in why(hit) if explained else ():
            print(plain(f"        · {line}"))


def why(hit: Hit) -> list[str]:
    """The grounds of a hit, a line each.

    >>> from corpus import Document, Passage, Sentence
    >>> from index import Grounds
    >>> tower = Document("tower.txt", "The oil gave way to gas.", "The tower")
    >>> passage = Passage(tower, (Sentence(tower, 0, 24, "en"),))
    >>> why(Hit(passage, 0.5, (0.5,), Grounds(0.4, 0.5, 0.6, 0.5, "", 0.1, ("oil",))))[0]
    'passage 0.400, its best sentence 0.500, in context 0.600, in English 0.500, words +0.100'
    """
    found = hit.grounds
    lines = [
        f"passage {found.passage:.3f}, its best sentence {found.sentence:.3f}, in context {found.context:.3f}, "
        f"in English {found.english:.3f}, words {found.lexical:+.3f}"
    ]
    if found.words:
        lines.append(f"shares {', '.join(found.words)}")
    if found.time:
        lines.append(
            "names the time that is asked for" if found.time == 1 else "is of the time that is asked for"
        )
    best = hit.passage.sentences[hit.sentences.index(max(hit.sentences))]
    lines.append(f"best sentence: {best.text}")
    if found.in_english:
        lines.append(f"in English: {found.in_english}")
    if found.second_of:
        lines.append(f"another version of {found.second_of.document.id}: {found.second_of.text}")
    return lines


def differing(answer: Answer) -> list[str]:
    """The lines that show every version where the sources differ."""
    lines = []
    for disagreement in answer.disagreements:
        lines += ["", f"The sources differ: {disagreement.about}"]
        for version in disagreement.versions:
            lines.append(f"  – {version.text} {''.join(f'[{number}]' for number in version.citations)}")
    return lines


def sources(answer: Answer) -> list[str]:
    """The lines below an answer: each citation with its quote, or the nearest passages of a refusal."""
    if answer.citations:
        return ["", *(line for citation in answer.citations for line in cited_words(citation))]
    if answer.status != "not_in_documents" or not answer.hits:
        return []
    nearest = [f"  {hit.passage.document.id}: {hit.passage.text}" for hit in answer.hits[:3]]
    return ["", "The nearest passages:", *nearest]


def cited_words(citation: Citation) -> list[str]:
    """The lines of a citation: what is quoted, and where it stands."""
    document = citation.document
    facts = (document.publisher or document.title, date(document.published), citation.language)
    return [
        f"[{citation.number}] “{citation.quote}”",
        f"    {', '.join(fact for fact in facts if fact)} · {document.id}:{citation.start}–{citation.end}",
    ]


def date(published: Published) -> str:
    """A date with its doubts in words.

    >>> date(Published("2025-06", "month", uncertain=True)), date(Published())
    ('2025-06, uncertain', 'no date')
    """
    if not published.value:
        return "no date"
    until = f" or {published.until}" if published.until else ""
    return published.value + until + (", uncertain" if published.uncertain else "")


def plain(text: str) -> str:
    """One line without control characters: a document can't move the cursor or colour a terminal.

    >>> plain("a\\x1b[31mb\\nc"), plain("97,4\\u202fmilliards")
    ('a�[31mb c', '97,4 milliards')
    """
    return "".join(c if c.isprintable() or c in _JOINERS else " " if c.isspace() else "\ufffd" for c in text)


def counted(number: int, noun: str) -> str:
    """
    >>> counted(1, "document"), counted(2, "document")
    ('1 document', '2 documents')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _doing(answer: Answer) -> str:
    if answer.status == "searching":
        return "Searching… "
    if answer.status == "writing":
        return f"reading {counted(len(answer.hits), 'passage')}…\n"
    return ""


def _warn(answer: Answer) -> None:
    if answer.fault:
        print(f"error: {plain(answer.fault)}", file=sys.stderr)
