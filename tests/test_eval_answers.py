"""The programs that the shipped one is compared with: a plain prompt, and models that tell less."""

from pathlib import Path

import pytest

from eval.answers import Plain, Silent, measure, variants
from eval.case import Case, Gold
from index import Index, build, open_index
from rag.answer import Question
from rag.phrases import phrase
from rag.prompt import judging
from tests.scripted_llm import CloseEmbedder, ScriptedLLM

BUILT = "The tower of Hellis was built in 1811 by Anna Brandt."
OIL = "In 1903 the oil gave way to gas."
ASKED = "Who built the tower of Hellis in 1811?"
CASE = Case(
    id="tower-1",
    split="dev",
    topic="tower",
    kind="one_fact",
    language="en",
    question=ASKED,
    history=(),
    answerable=True,
    needs=((Gold("tower.txt", BUILT),),),
    facts=(("Brandt",),),
    forbidden=(),
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder, home = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("home")
    (folder / "tower.txt").write_text(f"{BUILT} Storms broke the glass twice. {OIL}\n", "utf-8")
    assert list(build(folder, home, CloseEmbedder()))
    return open_index(home, CloseEmbedder())


def test_the_plain_prompt_is_believed_with_the_marks_that_the_model_wrote(index: Index) -> None:
    llm = ScriptedLLM("Anna Brandt built it for 2.5 crowns. [1] It is tall [99].")
    answer = Plain(lambda: index, llm).ask(ASKED)
    [system, user] = llm.prompts[-1]
    assert "English" in system.content
    assert user.content.endswith(f"Question: {ASKED}")
    first = user.content.splitlines()[0].removeprefix("[1] ")
    assert [(s.text, s.citations) for s in answer.statements] == [
        ("Anna Brandt built it for 2.5 crowns.", (1,)),
        ("It is tall.", ()),
    ]
    assert [citation.quote for citation in answer.citations] == [first]


def test_the_plain_prompt_may_refuse(index: Index) -> None:
    refusal = phrase("not_in_documents", "en")
    answer = Plain(lambda: index, ScriptedLLM(refusal)).ask("Who owns the moon?")
    assert (answer.status, answer.notice, answer.statements) == ("not_in_documents", refusal, ())


def test_a_silent_model_writes_and_tells_what_it_is_let_tell() -> None:
    question = Question(ASKED, "en", ASKED)
    judge = judging(question, BUILT)
    llm = ScriptedLLM("Yes.", answers=[BUILT])
    assert Silent(llm, lambda _: False).yes(judge) is None
    assert Silent(llm, lambda prompt: prompt[0] == judging(question, "?")[0]).yes(judge) == llm.sure
    assert [piece.text for piece in Silent(llm, lambda _: False).stream(judge, 5)] == ["Yes.", ""]


def test_each_program_has_a_column_and_keeps_its_run(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    llm = ScriptedLLM(
        "Anna Brandt built it. It is old [1].", *["Anna Brandt built the tower."] * 9, answers=[BUILT]
    )
    measure(lambda: index, llm, [CASE], tmp_path)
    shown = capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {
        "extractive",
        "plain-prompt",
        "sources",
        "judge",
        "support",
    }
    rows = {line[:12].strip(): line.split() for line in shown.splitlines()}
    bare = [int(rows[name][-1]) for name in variants(lambda: index, llm)]
    assert bare == [0, 1, 0, 0, 0]
    assert (tmp_path / "support" / "report.md").exists()
