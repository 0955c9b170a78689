"""Somebody's own words: who asks for them, and what may stand in quotation marks."""

import pytest

from corpus import Document, Segment, Sentence
from rag.wording import asks_for_words, misquotes, quotes
from rag.wordlists import patterns


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("What did the mayor reply to the fishermen?", "en"),
        ("Mit welchen Worten wies Ott das Angebot zurück?", "de"),
        ("Qu'a-t-elle répondu au maire ?", "fr"),
        ("Cosa ha risposto il sindaco?", "it"),
        ("Wat zei Ott letterlijk over de brug?", "nl"),
        ("¿Qué le contestó la alcaldesa?", "es"),
        ("O que o prefeito disse sobre a ponte?", "pt"),
        ("Co burmistrz na to odpowiedział?", "pl"),
        ("Что мэр ответил рыбакам?", "ru"),
        ("Що мер сказав про міст?", "uk"),
        ("Belediye başkanı ne dedi?", "tr"),
        ("Thị trưởng đã nói gì về cây cầu?", "vi"),
        ("ماذا قالت العمدة عن الجسر؟", "ar"),
        ("市长是怎么回应的？", "zh"),
        ("市長は橋について何と述べましたか？", "ja"),
        ("시장은 뭐라고 말했나요?", "ko"),
    ],
)
def test_what_somebody_said_is_asked_for(question: str, language: str) -> None:
    assert asks_for_words(question, language)
    assert language in patterns("wording")


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Who wrote that the bridge would reopen?", "en"),
        ("When did Ott write to the mayor?", "en"),
        ("Wann hat Ott dem Bürgermeister geschrieben?", "de"),
        ("Qui a écrit que le pont rouvrirait ?", "fr"),
        ("Quando le ha scritto il sindaco?", "it"),
        ("Quem disse que a ponte reabriria?", "pt"),
        ("谁说桥会重新开放？", "zh"),
        ("橋について述べたのは誰ですか？", "ja"),
        ("Hvad sagde borgmesteren?", "da"),
        ("Perché il sindaco ha deciso di citare in giudizio il porto?", "it"),
        ("¿Por qué dijo la alcaldesa que se iba?", "es"),
        ("¿Cuándo es la cita con la alcaldesa?", "es"),
        ("Quem foi que disse isso?", "pt"),
        ("Por que o prefeito disse isso?", "pt"),
        ("市长说什么时候重新开放？", "zh"),
        ("Когда стало известно, что мэр написал рыбакам?", "ru"),
        ("Коли стало відомо, що мер написав рибалкам?", "uk"),
        ("Po co burmistrz napisał ten list?", "pl"),
        ("Qu'a interdit la maire ?", "fr"),
        ("What did the essay claim?", "en"),
        ("What did the harbour do after the mayor, as he said, had called it?", "en"),
        ("何という会社が橋を建てましたか？", "ja"),
        ("Was hat Ott getan, nachdem der Bürgermeister geantwortet hatte?", "de"),
    ],
)
def test_who_said_it_or_when_is_another_question(question: str, language: str) -> None:
    assert not asks_for_words(question, language)


def sentence(text: str, language: str = "de") -> Sentence:
    return Sentence(
        Document("d", text, "d", segments=(Segment(0, len(text), language, "article"),)), 0, len(text), language
    )


SAID = sentence("„Wir bauen die  Brücke im Mai wieder auf“, sagte Ott.")


def test_words_in_marks_are_found_in_any_marks() -> None:
    texts = ("«Oui», dit-il.", "他说：“不行。”", "「はい」と答えた。", "Ott zei 'yup'.", 'She said "no".')
    assert all(quotes(sentence(text)) for text in texts)
    assert not quotes(sentence("It's the mayor's and the fishermen's bridge."))


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("Ott sagte: “wir bauen die Brücke im Mai.”", False),
        ("Ott sagte: „Wir bauen sie nie wieder auf.“", True),
        ('Ott said: "We will rebuild the bridge in May."', True),
        ("奥特说：“我们五月重建大桥。”", True),
        ("奥特说：“重建”。", False),
        ("Ott sprach vom „Aufbau“ der „Varnes Post“.", False),
        ("Quelqu'un a écrit : « On n'ouvrira pas l'ancien pont. »", False),
        ("Ott baut die Brücke im Mai wieder auf.", False),
    ],
)
def test_what_no_source_has_is_no_quotation(written: str, wrong: bool) -> None:
    french = sentence("“On n’ouvrira pas l’ancien pont”, a dit la maire.", "fr")
    assert misquotes(written, [SAID, french]) is wrong
    assert misquotes(written, [sentence("Es regnete."), french, SAID]) is wrong
