"""Which language a short question is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.asked import guess_question

QUESTIONS = {
    "de": ("Was sagte Ott?", "Wer ist Ott?"),
    "en": ("What did Ott say?", "Who is Jana Ott?"),
    "es": ("¿Qué dijo Ott?", "Quién es Jana Ott"),
    "fr": ("Qu'a dit Ott ?", "Qui est Jana Ott ?"),
    "it": ("Che cosa ha detto Ott?", "Chi è Jana Ott?"),
    "ja": ("Ottとは誰？",),
    "ko": ("Ott는 누구?",),
    "nl": ("Wat zei Ott?", "Wie is Jana Ott?"),
    "pl": ("Co powiedział Ott?", "Kim jest Jana Ott?"),
    "pt": ("O que disse Ott?", "Quanto custou a ponte de Varnes?"),
    "ru": ("Кто такая Отт?",),
    "tr": ("Jana Ott kimdir?",),
    "uk": ("Що сказала Отт?",),
    "vi": ("Jana Ott là ai?",),
    "zh": ("谁是Jana Ott？",),
}


@pytest.mark.parametrize(("language", "question"), [(code, q) for code, own in QUESTIONS.items() for q in own])
def test_a_question_of_few_words(language: str, question: str) -> None:
    assert guess_question(question)[0] == language


@pytest.mark.parametrize("text", ["", "  ", "12/11/2025", "?!…"])
def test_without_letters_there_is_no_language(text: str) -> None:
    assert guess_question(text) == ("und", 0.0)


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    language, ahead = guess_question(text)
    assert language
    assert 0 <= ahead <= 1
