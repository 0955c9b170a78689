"""Which language a text is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.language import guess, identify

SENTENCES = {
    "de": "Die Fähre legt jeden Morgen um sechs Uhr ab.",
    "en": "The ferry leaves every morning at six o'clock.",
    "es": "El transbordador sale todas las mañanas a las seis.",
    "fr": "Le bac part tous les matins à six heures.",
    "it": "Il traghetto parte ogni mattina alle sei.",
    "ja": "フェリーは毎朝六時に出航します。",
    "ko": "여객선은 매일 아침 여섯 시에 출발합니다.",
    "nl": "De veerboot vertrekt elke ochtend om zes uur.",
    "pl": "Prom odpływa codziennie rano o szóstej.",
    "ru": "Паром отправляется каждое утро в шесть часов.",
    "tr": "Feribot her sabah saat altıda kalkıyor.",
    "vi": "Phà khởi hành lúc sáu giờ mỗi buổi sáng.",
    "zh": "渡轮每天早上六点出发。",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence(language: str) -> None:
    assert identify(SENTENCES[language]) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("谁拥有SeaWorks？", "zh"),
        ("SeaWorksの社長は誰？", "ja"),
        ("왜 떠났어?", "ko"),
        ("SeaWorks는 누가 세웠나요?", "ko"),
        ("왜?", "ko"),
    ],
)
def test_the_script_decides_where_it_can(text: str, language: str) -> None:
    assert guess(text) == (language, 1.0)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The Japanese word kawaii (かわいい) means cute, and everybody knows it.", "en"),
        ("Председатель Си Цзиньпин (习近平) прибыл в Москву.", "ru"),
        ("Владелец компании Samsung (삼성전자) приехал в Сеул вчера.", "ru"),
        ("Ο πρόεδρος Σι Τζινπίνγκ (习近平) έφτασε στην Αθήνα.", "el"),
    ],
)
def test_a_word_of_another_script_decides_nothing(text: str, language: str) -> None:
    assert identify(text) == language


@pytest.mark.parametrize("text", ["", "  ", "12/11/2025", "?!…", "🙂", "1_000"])
def test_without_letters_there_is_no_language(text: str) -> None:
    assert guess(text) == ("und", 0.0)


def test_white_space_makes_no_difference() -> None:
    assert guess("Die  Fähre\nlegt\t jeden Morgen ab. ") == guess("Die Fähre legt jeden Morgen ab.")


@given(st.text(max_size=200))
def test_any_text_has_an_answer(text: str) -> None:
    language, probability = guess(text)
    assert language == "und" or (len(language) in (2, 3) and language.isalpha())
    assert 0 <= probability <= 1.01
