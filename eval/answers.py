"""`feud eval answers`: the same cases asked of plainer programs too, so that what each part gives stands side
by side.

The passages are the same for all. Extractive quotes the two best sentences. The plain prompt lets the model
read the six best and cite them itself, and takes over what it writes. "+ sources" lets it write from the
sentences that the search puts first, and looks for the source itself; "+ judge" asks the model first which
sentences answer; "+ support" asks it whether the source says what was written, and is what is shipped.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from corpus.sentences import split
from eval.case import Case
from eval.report import unframed, write_report
from eval.runner import Asked, evaluate
from eval.summary import Summary, summarise
from eval.tables import COLUMNS, LEGEND, cells
from index import EVERYTHING, Filter, Index
from rag.answer import Answer, Question, Statement, Turn
from rag.assistant import Assistant
from rag.cite import cite, unmarked
from rag.evidence import gather
from rag.llm import LLM, Message, Piece, Prompt
from rag.phrases import phrase
from rag.prompt import judging, language_name, visible
from rag.question import understand

PLAIN = """Answer the question from the numbered sentences of articles, in at most three short sentences, in \
{language}. After each sentence of your answer write the number of the sentence that it rests on, like [2]. If \
the sentences do not answer the question, write: {refusal}"""
TOKENS = 200
_SAME = ("recall", "citation validity")  # of all programs
_MARK = re.compile(r"\[(\d+)\]")
_AFTER = re.compile(r"([.!?。！？])\s*((?:\[\d+\]\s*)*\[\d+\])\s*")


class Plain:
    """The model reads the evidence in one prompt, cites it itself, and is believed."""

    def __init__(self, latest: Callable[[], Index], llm: LLM) -> None:
        self._latest, self._llm = latest, llm

    def ask(self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING) -> Answer:
        """Return what the model writes; a sentence without marks has no citations."""
        index = self._latest()
        asked = understand(question, history, self._llm)
        hits = index.search(asked.standalone, where=where, wordings=asked.wordings)
        sentences = gather(hits, index, asked.language).sentences
        refusal = phrase("not_in_documents", asked.language)
        told = "\n".join(f"[{n}] {visible(sentence.text)}" for n, sentence in enumerate(sentences, 1))
        system = PLAIN.format(language=language_name(asked.language), refusal=refusal)
        prompt = [Message("system", system), Message("user", f"{told}\n\nQuestion: {asked.standalone}")]
        written = "".join(piece.text for piece in self._llm.stream(prompt, TOKENS)).strip()
        answer = Answer(asked, "answered", hits=tuple(hits), llm=self._llm.name, embedder=index.embedder.name)
        if not written or refusal.rstrip(".。") in written:
            return replace(answer, status="not_in_documents", notice=refusal)
        written = _AFTER.sub(r" \2\1 ", written)
        for start, end in split(written, asked.language):
            line = written[start:end]
            numbers = [int(number) for number in _MARK.findall(line)]
            sources = [sentences[number - 1] for number in numbers if 0 < number <= len(sentences)]
            if sources:
                answer = cite(answer, line, sources, "verified")
            elif text := unmarked(line):
                answer = replace(answer, statements=(*answer.statements, Statement(text, (), "verified")))
        return answer


class Silent:
    """A model that tells no probabilities, but for prompts that `tells` lets through."""

    def __init__(self, llm: LLM, tells: Callable[[Prompt], bool]) -> None:
        self.name, self._llm, self._tells = llm.name, llm, tells

    def stream(self, prompt: Prompt, max_tokens: int) -> Iterator[Piece]:
        """Yield the reply of the model."""
        return self._llm.stream(prompt, max_tokens)

    def yes(self, prompt: Prompt) -> float | None:
        """Return what the model says, or None."""
        return self._llm.yes(prompt) if self._tells(prompt) else None


def variants(latest: Callable[[], Index], llm: LLM) -> dict[str, Asked]:
    """The programs that are compared, from the baselines to what is shipped."""
    [instructions, *_] = judging(Question("?", "en", "?"), "?")
    return {
        "extractive": Assistant(latest, None),
        "plain prompt": Plain(latest, llm),
        "+ sources": Assistant(latest, Silent(llm, lambda _: False)),
        "+ judge": Assistant(latest, Silent(llm, lambda prompt: prompt[0] == instructions)),
        "+ support": Assistant(latest, llm),
    }


def measure(latest: Callable[[], Index], llm: LLM, cases: Sequence[Case], folder: Path) -> None:
    """Ask each program every case, keep the runs beside each other in `folder`, and print a table."""
    errors, done = Console(file=sys.stderr), {}
    for name, asked in variants(latest, llm).items():
        own = folder / re.sub(r"\W+", "-", name).strip("-")
        rows = evaluate(asked, cases, latest().documents, own)
        done[name] = summarise(track(rows, name, total=len(cases), console=errors), own.name)
        write_report(done[name], own, None)
    out = Console(highlight=False)
    out.print(table(done), LEGEND.replace("By kind and language", "Of each program"))
    out.print(f"Reports: {folder}")


def table(done: Mapping[str, Summary]) -> Table:
    """A row for each program, with columns of a report; "bare" statements have no citation."""
    shown = unframed("")
    shown.columns[0].no_wrap = True
    for head in (head for name, head in COLUMNS.items() if name not in _SAME):
        shown.add_column(head)
    shown.add_column("bare")
    for program, summary in done.items():
        said = (statement for row in summary.rows for statement in row.answer["statements"])
        bare = sum(not statement["citations"] for statement in said)
        measured = zip(COLUMNS, cells(summary.groups[0]), strict=True)
        shown.add_row(program, *("\n".join(cell) for name, cell in measured if name not in _SAME), str(bare))
    return shown
