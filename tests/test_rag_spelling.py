"""Names as the question spells them, in what the model writes."""

import pytest

from index import Index, build, open_index
from rag.assistant import Assistant
from rag.spelling import as_asked
from tests.scripted_llm import CloseEmbedder, ScriptedLLM

BUILT = "The tower of Hellis was built in 1811 by Anna Brandt."


@pytest.mark.parametrize(
    ("written", "question", "expected"),
    [
        ("Муском управляла идея.", "Чем управлял Маск?", "Маском управляла идея."),
        ("إيلون موسكو غادر", "متى غادر ماسك المجلس؟", "إيلون ماسك غادر"),
        ("Ο Μουσκ έφυγε.", "Πότε έφυγε ο Μασκ;", "Ο Μασκ έφυγε."),
        ("मास्क ने छोड़ा", "मस्क ने कब छोड़ा?", "मस्क ने छोड़ा"),
        ("Musk ging 2018.", "Wann ging Musk?", "Musk ging 2018."),
        ("Москва далеко.", "Когда ушёл Маск?", "Москва далеко."),
        ("马斯克离开了", "马斯克什么时候离开?", "马斯克离开了"),
    ],
)
def test_a_name_of_the_source_is_spelled_as_it_was_asked_for(
    written: str, question: str, expected: str
) -> None:
    assert as_asked(written, question, "Elon Musk left the board.") == expected


def test_an_answer_spells_names_as_the_question_does(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, home = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("home")
    (folder / "tower.txt").write_text(f"{BUILT}\n", "utf-8")
    assert list(build(folder, home, CloseEmbedder()))
    index: Index = open_index(home, CloseEmbedder())
    llm = ScriptedLLM("Башню в 1811 году построила Анна Брендт.", answers=[BUILT])
    answer = Assistant(lambda: index, llm).ask("Что построила Брандт?")
    assert "построила Анна Брандт" in answer.text
