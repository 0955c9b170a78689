"""Which numbers are years, and which count something, in every language of the shipped documents."""

import re

import pytest

from corpus.years import years


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("OpenAI laid off 2000 employees.", "en"),
        ("It cut more than 1950 jobs, 2000 new workers and some 2010 posts.", "en"),
        ("It cost $2000, or 2000 euros, or 2000 miles of rail.", "en"),
        ("Sie entließ 2000 Mitarbeiter und etwa 1950 Leihkräfte.", "de"),
        ("Über 2000 Stimmzettel fehlten, 1990 Menschen warteten.", "de"),
        ("Elle a supprimé 2000 emplois et près de 1950 postes.", "fr"),
        ("Ha licenziato 2000 dipendenti, quasi 1950 impiegati e 2000 operai.", "it"),
        ("Het ontsloeg 2000 medewerkers en ruim 1950 chauffeurs.", "nl"),
        ("该公司裁员2000人，约2000名员工，耗资2000万美元、2000多家、2000美元。", "zh"),
    ],
)
def test_what_is_counted_is_no_year(text: str, language: str) -> None:
    assert years(text, language) == []


@pytest.mark.parametrize(
    ("text", "language", "named"),
    [
        ("In 2000 employees left, and in early 2018 workers struck.", "en", ["2000", "2018"]),
        ("The 2012 Olympics, his 2018 results, Windows 2000 servers, the class of 2018.", "en", None),
        ("Musk gründete 2015 OpenAI, kaufte 2022 Twitter und lud 1979 Mitglieder ein.", "de", None),
        ("Im Jahr 2000 Mitarbeiter von Zip2, seit 2000 Menschen helfend", "de", None),
        ("La loi 2007 sur les salariés, en 2000 personnes ne savait", "fr", None),
        ("Nel 2000 dipendenti e soci; le Olimpiadi 2012 a Londra", "it", None),
        ("In 2000 werknemers; de Spelen 2012 trokken veel kijkers", "nl", None),
        ("2015年，马斯克；2018 年；1950电影；2018届毕业生；2018-2019年", "zh", None),
        ("2000 employees", "und", None),  # where nothing is known of the language, it stays what it may be
    ],
)
def test_what_is_dated_is_a_year(text: str, language: str, named: list[str] | None) -> None:
    assert [text[a:b] for a, b in years(text, language)] == (named or re.findall(r"\b\d{4}(?!\d)", text))
