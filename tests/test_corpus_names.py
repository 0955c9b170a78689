"""Names as spelling shows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.names import absent, garbled, names, same


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("The keeper Anna Brandt met SeaWorks.", "en", {"anna", "brandt", "seaworks"}),
        ("L’avocat d’Arnault a parlé à Le Goff.", "fr", {"arnault", "le", "goff"}),
        ("L'avvocato dell'Orsini ha detto: «Vinceremo»", "it", {"orsini"}),
        ("Il a dit « Non ». Puis (Oui) et 'Peut-être' à Goff", "fr", {"goff"}),
        ("Die Brücke und der Fluss", "de", set()),
        ("Die Firma SeaWorks und der Fluss", "de", {"seaworks"}),
        ("In March the CEO flew to France on a Monday", "en", set()),
        ("Вчера приехал Орлов", "ru", {"орлов"}),
        ("¿Dónde vive Ana? ¡Aquí vive Luis!", "es", {"ana", "luis"}),
        ("馆长每天清晨打开大门", "zh", set()),
        ("", "en", set()),
    ],
)
def test_names_are_words_with_a_capital_that_the_language_does_not_ask_for(
    text: str, language: str, found: set[str]
) -> None:
    assert names(text, language) == found


def test_a_known_name_counts_at_a_beginning_and_in_german() -> None:
    assert names("Brandt ging.", "en") == set()
    assert names("Brandt ging.", "en", {"brandt"}) == {"brandt"}
    assert names("Die Klage von Brandt", "de", {"brandt"}) == {"brandt"}


@pytest.mark.parametrize(
    ("name", "others", "is_same"),
    [
        ("brandts", {"brandt"}, True),
        ("orłowi", {"orł"}, True),
        ("anna", {"annas", "x"}, True),
        ("ann", {"annabel"}, False),
        ("al", {"ali"}, False),
        ("brandt", set(), False),
    ],
)
def test_an_ending_makes_no_other_name(name: str, others: set[str], is_same: bool) -> None:
    assert same(name, others) is is_same


def test_what_a_text_lacks() -> None:
    assert absent({"brandt", "goff"}, "Frau Brandts Haus") == {"goff"}
    assert absent({"brandt"}, "勃兰特的房子") == set()
    assert absent({"brandt"}, "Дом Брандта") == set()
    assert absent(set(), "Frau Brandt") == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [("sam", "They left on the same day."), ("bill", "It cost 97.4 billion."), ("tim", "It took some time.")],
)
def test_a_common_word_is_no_name_with_an_ending(name: str, text: str) -> None:
    assert absent({name}, text) == {name}
    assert absent({name}, f"{text} {name.title()}s too.") == set()
    assert absent({name}, f"{text} and so did {name}") == set()


def test_a_name_in_its_own_script_in_brackets_is_no_foreign_word() -> None:
    assert not garbled("Xi Jinping (习近平) arrived in Moscow.")
    assert garbled("The suit 违约 was filed in March.")
    assert garbled("他（Sam）释放了 hostages")


@given(st.text(max_size=80), st.sampled_from(["en", "de", "fr", "zh", "xx", "und", ""]))
def test_a_text_holds_its_own_names(text: str, language: str) -> None:
    found = names(text, language)
    assert absent(found, text) == set()
    assert names(text, language, found) >= found
