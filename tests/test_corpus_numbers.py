"""Numbers as values: the same number in another spelling or language, and numbers that are none."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.numbers import currencies, may_hold_thousands, missing, quantities, same_magnitude


def values(text: str, language: str) -> list[set[Decimal]]:
    return [set(quantity) for quantity in quantities(text, language)]


def numbers(*each: str) -> list[set[Decimal]]:
    return [{Decimal(number)} for number in each]


MILLIONS = [
    ("4.2 million barrels", "en"),
    ("4.2mn barrels", "en"),
    ("4,2 Millionen Fässer", "de"),
    ("4,2 Mio. Fässer", "de"),
    ("4,2 millions de barils", "fr"),
    ("4\u202f200\u202f000 barils", "fr"),
    ("4\u00a0200\u00a0000 barils", "fr"),
    ("4 200 000 baryłek", "pl"),
    ("4,2 milioni di barili", "it"),
    ("4.200.000 barili", "it"),
    ("4'200'000 Fässer", "de"),
    ("4,2 miljoen vaten", "nl"),
    ("4,2 миллиона баррелей", "ru"),
    ("4,2 milyon varil", "tr"),
    ("4,2 triệu thùng", "vi"),
    ("420万桶", "zh"),
    ("４２０万バレル", "ja"),
    ("420만 배럴", "ko"),
    ("$4.2M worth", "en"),
    ("$4.2m worth", "en"),
    ("4,2 millioner tønder", "da"),
    ("4,2 milioane de barili", "ro"),
    ("4,2 εκατομμύρια βαρέλια", "el"),
    ("4,2 miljoonaa tynnyriä", "fi"),
    ("٤٫٢ مليون برميل", "ar"),
]


@pytest.mark.parametrize(("text", "language"), MILLIONS)
def test_one_number_in_many_spellings(text: str, language: str) -> None:
    [quantity] = quantities(text, language)
    assert Decimal(4_200_000) in quantity


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("这座桥建于一九三五年，共有三家公司参加。", "zh", ["1935", "3"]),
        ("在三月二十日", "zh", ["3", "20"]),
        ("十一月共有两个人", "zh", ["11", "2"]),
        ("3千万美元", "zh", ["30000000"]),
        ("三百五十万册", "zh", ["3500000"]),
        ("两支球队落后四位", "zh", ["2", "4"]),
        ("三万五千人", "zh", ["35000"]),
        ("1万2000人", "ja", ["12000"]),
        ("1億2千万円", "ja", ["120000000"]),
        ("2억 5000만 달러", "ko", ["250000000"]),
        ("3만 2000명", "ko", ["32000"]),
        ("제3조", "ko", ["3"]),
        ("投资5亿2024年完成", "zh", ["500000000", "2024"]),
        ("一亿元", "zh", ["100000000"]),
        ("橋は二〇〇三年に開通した。", "ja", ["2003"]),
        ("2003年5月", "ja", ["2003", "5"]),
    ],
)
def test_chinese_numerals_stand_anywhere_in_a_sentence(text: str, language: str, found: list[str]) -> None:
    assert values(text, language) == numbers(*found)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("他买了一家公司，卖了一个。", "zh"),
        ("数百万人，成千上万", "zh"),
        ("They march on, and it may rain.", "en"),
        ("Theresa May resigned.", "en"),
        ("Marcin Majewski i jego brat", "pl"),
        ("Мартин и Майя", "ru"),
        ("un gros succès, neuf et beau", "fr"),
        ("", "en"),
        ("…", "und"),
    ],
)
def test_what_is_no_number(text: str, language: str) -> None:
    assert values(text, language) == []


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("on 3 May 2021", "en", ["3", "5", "2021"]),
        ("on May 3, 2021, and in May", "en", ["5", "3", "2021", "5"]),
        ("5m long, 7 b of them", "en", ["5", "7"]),
        ("am 3. Mai 2021", "de", ["3", "5", "2021"]),
        ("am 03.05.2021", "de", ["3", "5", "2021"]),
        ("le 3 mai 2021", "fr", ["3", "5", "2021"]),
        ("3 maja 2021 r.", "pl", ["3", "5", "2021"]),
        ("w kwietniu 2021", "pl", ["4", "2021"]),
        ("3 мая 2021", "ru", ["3", "5", "2021"]),
        ("3. toukokuuta 2021", "fi", ["3", "5", "2021"]),
        ("2021年5月3日", "zh", ["2021", "5", "3"]),
        ("2021-05-03", "und", ["2021", "5", "3"]),
        ("3/5/2021", "und", ["3", "5", "2021"]),
    ],
)
def test_a_date_is_its_numbers(text: str, language: str, found: list[str]) -> None:
    assert values(text, language) == numbers(*found)


def test_what_can_be_read_in_two_ways_keeps_both() -> None:
    assert values("1.234 Seiten", "de") == [{Decimal("1.234"), Decimal(1234)}]
    assert values("12 hundred", "en") == numbers("1200")
    assert values("20 300 ans", "fr") == numbers("20300")
    assert values("in 2015 100 people", "en") == numbers("2015", "100")


@pytest.mark.parametrize(
    ("said", "language", "source", "there"),
    [
        ("6亿美元", "zh", "$6 billion", False),
        ("60亿美元", "zh", "$6 billion", True),
        ("am 12.11.2026", "de", "12 November 2025", False),
        ("am 12.11.2025", "de", "12 November 2025", True),
        ("drei Klagen", "de", "3 lawsuits", True),
        ("vier Klagen", "de", "3 lawsuits", False),
        ("in 2019", "en", "no number", False),
        ("no number", "en", "in 2019", True),
    ],
)
def test_a_number_is_missed_where_the_source_has_another(
    said: str, language: str, source: str, there: bool
) -> None:
    assert (missing(quantities(said, language), quantities(source, "en")) == []) is there


@given(st.integers(0, 10**15), st.sampled_from(["{:,}", "{:_}", "{}"]), st.sampled_from(",.' \u00a0\u202f’"))
def test_separators_change_no_whole_number(number: int, form: str, separator: str) -> None:
    written = form.format(number).replace(",", separator).replace("_", separator)
    [quantity] = quantities(f"({written})", "und")
    assert Decimal(number) in quantity


@given(st.text(max_size=80), st.sampled_from(["en", "de", "zh", "pl", "tr", "xx", "und", ""]))
def test_any_text_is_read(text: str, language: str) -> None:
    found = quantities(text, language)
    assert all(quantity for quantity in found)
    assert missing(found, found) == []


@given(
    st.lists(
        st.sampled_from(
            ["a", " ", "mil", "лн", "¼", "②", "１", "9", "百", "千", "二", "zwei", "TWO", "Tausend"]
        )
    ),
    st.sampled_from(["en", "de", "zh", "ru", "xx"]),
)
def test_no_thousands_are_missed(parts: list[str], language: str) -> None:
    text = "".join(parts)
    large = any(value >= 1000 for quantity in quantities(text, language) for value in quantity)
    assert may_hold_thousands(text, language) or not large


@pytest.mark.parametrize(
    ("written", "language", "source", "spoken", "same"),
    [
        ("a multimillion-dollar partnership", "en", "una partnership multimiliardaria", "it", False),
        ("a multibillion-dollar partnership", "en", "una partnership multimiliardaria", "it", True),
        ("ein Milliardär", "de", "the billionaire", "en", True),
        ("ein Millionär", "de", "the billionaire", "en", False),
        ("un billion", "fr", "a billion", "en", False),
        ("el multimillonario", "es", "the billionaire", "en", True),
        ("a billion", "en", "十亿", "zh", True),
        ("миллионов", "ru", "miljarden", "nl", False),
        ("a million or a billion", "en", "une affaire d'un milliard", "fr", True),
    ],
)
def test_millions_are_no_billions_even_inside_a_word(
    written: str, language: str, source: str, spoken: str, same: bool
) -> None:
    assert same_magnitude(written, language, source, spoken) is same


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("974亿元", {"yuan"}),
        ("几百元和500多元", {"yuan"}),
        ("多元化，公元2024年，单元3", set()),
        ("500澳元", set()),
        ("Eurovision in Europa, in der Eurozone", set()),
        ("97 euros, 5 euroa, EUR 3", {"euro"}),
    ],
)
def test_a_currency_is_a_word_of_its_own(text: str, named: set[str]) -> None:
    assert currencies(text) == named
