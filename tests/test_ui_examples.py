"""Which questions the page offers: the home's own, the shipped ones for the shipped documents, or none."""

from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.scripted import Fixed, Scripted
from ui.examples import SHIPPED, ExamplesError, to_try

OWN = '[[example]]\nlanguage = "nl"\nquestion = "Wie kocht de veerpont?"\n'


def test_the_shipped_questions_are_for_the_shipped_documents(tmp_path: Path) -> None:
    assert to_try(tmp_path, ["mine.txt", "001_c9bad9eef825b4c2.txt"]) == SHIPPED
    assert to_try(tmp_path, ["mine.txt"]) == ()
    assert to_try(tmp_path, []) == ()


def test_those_of_the_home_stand_for_any(tmp_path: Path) -> None:
    (tmp_path / "examples.toml").write_text(OWN, "utf-8")
    assert to_try(tmp_path, ["001_c9bad9eef825b4c2.txt"]) == (("nl", "Wie kocht de veerpont?"),)


@pytest.mark.parametrize(
    "text",
    [b"example = ", b"a = 1", b"example = 1", b'example = "one"', b'[[example]]\nlanguage = "nl"', b"\xff"],
)
def test_a_mistake_in_them_is_one_line(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "examples.toml").write_bytes(text)
    with pytest.raises(ExamplesError, match=r"examples\.toml can't be read: .*take the file away\.$"):
        to_try(tmp_path, [])


def test_the_page_shows_them(served: Callable[..., str]) -> None:
    page = urlopen(served(Scripted(), Fixed(), examples=(("nl", "Wie kocht de veerpont?"),))).read().decode()
    assert "Wie kocht de veerpont?" in page
    assert SHIPPED[0][1] not in page
