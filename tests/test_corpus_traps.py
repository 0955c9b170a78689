"""Each trap of the five documents: a test on the real file, and one on a text that is not from these files."""

import time
from pathlib import Path

import pytest

import corpus
from corpus import Document, explain, passages, sentences
from corpus.furniture import menus, slogans
from corpus.language import guess
from corpus.paragraphs import paragraphs
from corpus.segments import segment
from tests.documents import documents_of

FOLDER = Path(corpus.__file__).parent / "documents"
GERMAN, CHINESE, DUTCH, FRENCH, ITALIAN = documents_of(FOLDER)

PROSE = {
    "en": "The harbour office opened in May and has counted all ships since. It counted 312 in its first year.",
    "de": "Das Hafenamt wurde im Mai eröffnet und zählt seither alle Schiffe. Im ersten Jahr waren es 312.",
    "fr": "Le bureau du port a ouvert en mai et compte depuis les navires. La première année, 312.",
    "es": "La oficina del puerto abrió en mayo y cuenta desde entonces los barcos. El primer año contó 312.",
    "zh": "港务局于五月成立，此后统计了每一艘进港的船只。第一年共统计了三百一十二艘船只，比预期多出许多。",
}
MORE = {
    "en": "The mayor said that the figures would be published monthly. Fishermen doubt that it is complete.",
    "de": "Der Bürgermeister sagte, die Zahlen würden monatlich veröffentlicht. Die Fischer bezweifeln sie.",
    "fr": "Le maire a promis de publier les chiffres chaque mois. Les pêcheurs doutent qu’ils soient complets.",
    "es": "El alcalde prometió publicar las cifras cada mes. Los pescadores dudan de que estén completas.",
    "zh": "市长表示，这些数字将每月公布一次。渔民们怀疑统计并不完整，因为夜间没有人在码头上值班。",
}


def document(text: str) -> Document:
    return Document("a.txt", text, "A", segments=segment(text))


def left_out(doc: Document) -> list[tuple[str, str]]:
    return [(s.reason, text.strip()) for s, text in explain(doc) if s.kind == "noise"]


def headings(doc: Document) -> list[str]:
    return [text.strip() for s, text in explain(doc) if s.kind == "heading"]


def said(doc: Document) -> list[str]:
    return [sentence.text for sentence in sentences(doc)]


def test_every_document_begins_and_ends_with_its_article() -> None:
    ends = [(said(doc)[0], said(doc)[-1]) for doc in (GERMAN, CHINESE, DUTCH, FRENCH, ITALIAN)]
    expected = [
        ("Der CEO von OpenAI wollte", "Anfragen nach einer Stellungnahme."),
        ("在出人意料之举中，埃隆·马斯克（Elon Musk）", "declined to comment on the matter."),
        ("OpenAI heeft diverse mails", "zegt deze te zullen aanvechten."),
        ("Un groupe d'investisseurs", "anciens partenaires désormais concurrents."),
        ("Elon Musk e il CEO di OpenAI", "l’industria tecnologica globale."),
    ]
    for (first, last), (begin, end) in zip(ends, expected, strict=True):
        assert first.startswith(begin)
        assert last.endswith(end)


# 000


def test_what_is_left_out_of_000() -> None:
    assert left_out(GERMAN) == [
        ("slogan in another language", "Vietnam.vn - Nền tảng quảng bá Việt Nam"),
        ("date", "ZNewsZNews12/11/2025"),
        ("photo credit", "Foto: Bloomberg ."),
        ("source", "Quelle: https://znews.vn/ceo-openai-tung-muon-han-gan-voi-elon-musk-post1601830.html"),
        ("navigation", GERMAN.text[GERMAN.text.index("Kommentar (0)") :]),
    ]


def test_a_slogan_in_another_language_is_noise_but_a_line_in_the_same_is_not() -> None:
    text = f"LaRegione.example - La voce libera della montagna\n\n{PROSE['de']}\n\n{MORE['de']}\n"
    assert left_out(document(text)) == [
        ("slogan in another language", "LaRegione.example - La voce libera della montagna")
    ]
    assert left_out(document(f"Hafen - Ein Amt zählt die Schiffe\n\n{PROSE['de']}\n\n{MORE['de']}\n")) == []


def test_a_text_of_many_paragraphs_is_read_once_for_all_lines_that_may_be_slogans() -> None:
    heads = ["Hafen - Ein Amt zählt die Schiffe", "Der Hafen - alle Schiffe", "Das Amt - im Hafen"]
    text = "\n\n".join(
        [*heads, *(PROSE["de"].replace("312", str(n)) for n in range(5000))]
    )  # no cache holds all
    before = guess.cache_info().misses
    assert len(slogans(text, paragraphs(text))) == 5003
    assert guess.cache_info().misses - before <= 5003


def test_a_long_list_of_short_lines_takes_no_longer_for_each_than_a_short_one() -> None:
    text = "\n\n".join([PROSE["en"]] * 3 + ["About us"] * 20_000)
    found, start = paragraphs(text), time.process_time()
    assert sum(p.reason == "navigation" for p in menus(text, found)) == 20_000
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    "line", ["PortNewsPortNews3/4/2021", "Lunedì 3 maggio 2021, ore 08:15", "2021年5月3日 08:15"]
)
def test_a_line_that_is_a_date_is_noise(line: str) -> None:
    assert left_out(document(f"{PROSE['en']}\n\n{line}\n\n{MORE['en']}")) == [("date", line)]


@pytest.mark.parametrize("line", ["On 3 May 2021 the harbour office opened.", "2021年5月3日，港务局成立了。"])
def test_a_sentence_with_a_date_is_kept(line: str) -> None:
    assert line in said(document(f"{PROSE['en']}\n\n{line}\n\n{MORE['en']}"))


def test_the_dates_of_a_chronicle_are_its_headings() -> None:
    text = "\n\n".join(f"{day} March 2021\n\n{PROSE['en']}" for day in (3, 4, 5, 6))
    doc = document(text)
    assert headings(doc)[0] == "3 March 2021"
    assert "date" not in {reason for reason, _ in left_out(doc)}


@pytest.mark.parametrize(
    ("before", "credit", "after"),
    [
        ("Der Hafen im Mai.", "Foto: Ann Lee / dpa.", "Das Amt zählt weiter."),
        ("The harbour in May.", "(Photo: Ann Lee)", "The office keeps counting."),
        ("Le port en mai.", "Crédit : AFP", ""),
        ("港口在五月开放。", "图片来源：新华社", ""),
    ],
)
def test_a_photo_credit_is_cut_out_of_its_paragraph(before: str, credit: str, after: str) -> None:
    doc = document(f"{PROSE['en']}\n\n{before} {credit} {after}\n\n{MORE['en']}")
    assert [text for reason, text in left_out(doc)] == [credit]
    assert {before, after} - {""} <= set(said(doc))


@pytest.mark.parametrize(
    "line",
    [
        "Foto: das Amt zählt die Schiffe.",
        "The photo: a ship that nobody had counted.",
        "Ein Foto: Alle sahen es.",
        "Image is everything, he said.",
    ],
)
def test_a_sentence_that_speaks_of_a_photo_is_kept(line: str) -> None:
    assert line in said(document(f"{PROSE['de']}\n\n{line}\n\n{MORE['de']}"))


@pytest.mark.parametrize(
    "line", ["Fuente: Puerto Hoy", "Source : https://port.example/a", "来源：新华社", "Bron: ANP"]
)
def test_a_source_line_is_noise(line: str) -> None:
    assert left_out(document(f"{PROSE['en']}\n\n{line}\n\n{MORE['en']}")) == [("source", line)]


@pytest.mark.parametrize(
    "line", ["The source: a man who counts ships.", "Quelle: Das Amt zählt seit Mai alle Schiffe, sagt es."]
)
def test_a_sentence_about_a_source_is_kept(line: str) -> None:
    assert line in said(document(f"{PROSE['en']}\n\n{line}\n\n{MORE['en']}"))


BOX = "Comments (3)\n\nReply\nReply\n\nHome\n\nSport\n\nWeather\n\nNorth Coast Fair\n\nContact"


def test_comment_boxes_and_menus_below_an_article_are_noise() -> None:
    text = "\n\n".join([PROSE["en"], MORE["en"], PROSE["fr"], BOX])
    assert left_out(document(text)) == [("navigation", BOX)]
    assert not any("Fair" in passage.text for passage in passages(document(text)))


@pytest.mark.parametrize(
    "lines",
    [
        "These ships came:\n\nAnna\n\nBerta\n\nCarla\n\nDora",
        "## The ships\n\nAnna\n\nBerta\n\nCarla\n\nDora",
        "- Anna\n\n- Berta\n\n- Carla\n\n- Dora",
        "So much depends\nupon\nthe harbour\noffice\nin May",
        "Anna: 3\n\nBerta: 4\n\nCarla: 5\n\nDora: 6",
        "Yes.\n\nNo.\n\nWhy?\n\nBecause.",
    ],
)
def test_short_lines_that_belong_to_an_article_are_kept(lines: str) -> None:
    assert left_out(document("\n\n".join([PROSE["en"], MORE["en"], PROSE["en"][:-1] + "!", lines]))) == []


# 001


def test_what_is_left_out_of_001() -> None:
    assert [reason for reason, _ in left_out(CHINESE)] == ["front matter", "link", "divider", "link"]
    assert left_out(CHINESE)[0][1] == CHINESE.text[: CHINESE.text.index("\n\n[")]


def test_the_three_titles_of_001_are_front_matter_and_headings() -> None:
    assert headings(CHINESE)[:2] == [
        "伊隆·马斯克（Elon Musk）撤销了对OpenAI和山姆·奥尔特曼（Sam Altman）的诉讼",
        "**埃隆·马斯克（Elon Musk）撤销了对OpenAI和山姆·奥尔特曼（Sam Altman）的诉讼**",
    ]
    assert not any("撤销了对OpenAI" in sentence for sentence in said(CHINESE))


def test_001_is_chinese_then_english() -> None:
    assert CHINESE.languages == ("zh", "en")
    english = CHINESE.text.index("**Elon Musk withdraws")
    assert {s.language for s in sentences(CHINESE) if s.start < english} == {"zh"}
    assert {s.language for s in sentences(CHINESE) if s.start > english} == {"en"}


def test_the_arabic_word_stays_in_its_chinese_sentence() -> None:
    [sentence] = [s for s in sentences(CHINESE) if "ولم" in s.text]
    assert (sentence.text, sentence.language) == ("马斯克自愿撤销诉讼， ولم提供这样做的原因。", "zh")


def test_a_word_of_another_script_stays_in_its_sentence() -> None:
    text = f"{PROSE['es']}\n\nEl alcalde не firmó el contrato del puerto. {MORE['es']}"
    doc = document(text)
    assert "El alcalde не firmó el contrato del puerto." in said(doc)
    assert doc.languages == ("es",)


def test_typos_and_spelling_variants_are_not_edited() -> None:
    assert any("AI advanceby OpenAI" in sentence for sentence in said(CHINESE))
    assert any("埃隆·马斯克（Elon Musk）放弃了" in sentence for sentence in said(CHINESE))


def test_two_languages_in_one_document() -> None:
    doc = document("\n\n".join([PROSE["fr"], MORE["fr"], "---", PROSE["de"], MORE["de"]]))
    assert [(s.kind, s.language) for s in doc.segments] == [
        ("article", "fr"),
        ("noise", "und"),
        ("article", "de"),
    ]


def test_a_short_quotation_has_the_language_of_its_paragraph() -> None:
    doc = document(
        f"{PROSE['de']}\n\n„Anything that floats must be counted, night and day“, sagte er.\n\n{MORE['de']}"
    )
    assert {sentence.language for sentence in sentences(doc)} == {"de"}


def test_front_matter_with_a_colon_in_its_title_and_a_divider() -> None:
    text = f"---\ntitle: Ships: a count\ntags:\n- port\n---\n\n{PROSE['en']}\n\n---\n\n{MORE['en']}\n"
    assert left_out(document(text)) == [
        ("front matter", "---\ntitle: Ships: a count\ntags:\n- port\n---"),
        ("divider", "---"),
    ]


def test_prose_between_dividers_is_no_front_matter() -> None:
    text = f"---\n\n{PROSE['en']}\n\n---\n\n{MORE['en']}\n"
    assert PROSE["en"].split(". ")[1] in said(document(text))


def test_bold_lines_and_markdown_headings_are_headings() -> None:
    text = f"# Ships\n\n**A count**\n\n{PROSE['en']}\n\n**Background:**\n{MORE['en']}\n\n**It failed.** Twice."
    doc = document(text)
    assert headings(doc) == ["# Ships", "**A count**", "**Background:**"]
    assert passages(doc)[0].heading == "A count"
    assert "It failed." in " ".join(said(doc))


# 002


def test_002_begins_behind_its_metadata_stub() -> None:
    assert left_out(DUTCH) == [("metadata", "date 2025-06")]
    first = sentences(DUTCH)[0]
    assert DUTCH.text.startswith(" date 2025-06 OpenAI heeft")
    assert (first.start, first.text[:12]) == (14, "OpenAI heeft")


@pytest.mark.parametrize(
    "stub", ["date 2021-05-03", "Datum: 2021-05", "published 2021-05-03T08:15:00Z", "日期：2021-05-03"]
)
def test_a_metadata_stub_is_cut_off(stub: str) -> None:
    doc = document(f"{stub} {PROSE['en']}")
    assert left_out(doc) == [("metadata", stub)]
    assert said(doc)[0] == PROSE["en"].split(" It ")[0]


def test_a_sentence_that_begins_with_the_word_date_is_kept() -> None:
    text = "Date 2021-05 was the turning point for the port, as everybody knows by now."
    assert said(document(text)) == [text]


def test_nested_quotes_of_002_stay_in_their_sentences() -> None:
    assert (
        "Medeoprichter Elon Musk reageerde daarop met 'yup', blijkt uit de door OpenAI geopenbaarde mails."
        in said(DUTCH)
    )
    assert (
        "Gedurende deze discussie eind 2017 stopte Musk met het financieren van OpenAI, claimt het bedrijf."
        in (said(DUTCH))
    )
    assert len(said(DUTCH)) == 27


# 003


def test_the_second_body_of_003_is_left_out() -> None:
    assert [reason for reason, _ in left_out(FRENCH)] == ["date", "source", "repeats lines 5–13", "source"]
    assert len(said(FRENCH)) == len(set(said(FRENCH))) == 7


def test_the_headlines_of_003_are_headings() -> None:
    assert [heading[:22] for heading in headings(FRENCH)] == [
        "Elon MUSK et des inves",
        "Elon Musk tente de rac",
    ]


def test_a_quotation_on_its_own_line_is_one_sentence_with_its_speaker() -> None:
    assert 'Ce à quoi Musk a rétorqué :\n"Escroc."' in said(FRENCH)
    text = f"{PROSE['es']}\n\nEl alcalde contestó:\n«Nunca.»\n\nLuego se fue sin decir nada más a nadie."
    assert "El alcalde contestó:\n«Nunca.»" in said(document(text))


def test_a_repeated_body_is_left_out_once() -> None:
    body = f'{PROSE["en"]}\n{MORE["en"]}\nHe said:\n"No."\n'
    doc = document(f"A count of ships\n{body}Source: Port Today\n{body}")
    assert [reason for reason, _ in left_out(doc)] == ["source", "repeats lines 2–5"]
    assert said(doc).count('He said:\n"No."') == 1


def test_a_refrain_is_kept() -> None:
    text = "\n\n".join([PROSE["en"], "And the harbour was silent.", MORE["en"], "And the harbour was silent."])
    assert said(document(text)).count("And the harbour was silent.") == 2


# 004


def test_what_is_left_out_of_004() -> None:
    [(reason, text)] = left_out(ITALIAN)
    assert reason == "disclaimer"
    assert text.startswith("Crediamo nella completa trasparenza")
    assert text.endswith("attraverso queste partnership.")


def test_the_headings_of_004() -> None:
    assert headings(ITALIAN) == [
        "Perché Elon Musk e Sam Altman non si sopportano?",
        "Le radici di una grande antipatia",
        "Ma che cos’è successo tra i due miliardari?",
    ]


def test_names_by_office_and_typos_are_kept() -> None:
    assert any("Il CEO di Tesla propose" in sentence for sentence in said(ITALIAN))
    assert any("trasfromata" in sentence for sentence in said(ITALIAN))


@pytest.mark.parametrize(
    "disclaimer",
    [
        "Disclosure\n\nOur pages have affiliate links. If you buy through them we may earn a commission.",
        "Unsere Redaktion setzt Affiliate-Links und verdient eine Provision daran.\n\nHaftungsausschluss",
        "Nos articles contiennent des liens affiliés, sur lesquels nous percevons une commission.",
        "本站文章可能包含联盟链接，读者购买后我们会获得佣金。",
    ],
)
def test_affiliate_disclaimers_are_noise(disclaimer: str) -> None:
    doc = document(f"{disclaimer}\n\n{PROSE['en']}\n\n{MORE['en']}")
    assert [reason for reason, _ in left_out(doc)] == ["disclaimer"]
    assert len(said(doc)) == 4


@pytest.mark.parametrize(
    "line",
    [
        "Amazon pays its affiliates a commission for each link, and the partners earn less every year.",
        "We think that the commission should publish its link to the partners of the port, said the mayor.",
        "Our readers trust our editorial independence, the newspaper said in its defence before the court.",
    ],
)
def test_news_about_commissions_is_kept(line: str) -> None:
    assert line in said(document(f"{line}\n\n{PROSE['en']}"))


# What stands in other files


def test_running_heads_and_page_numbers_are_noise() -> None:
    pages = [f"Annual report\n{PROSE['en']}\nPage {n}" for n in range(1, 4)]
    doc = document("\n\f\n".join(pages))
    assert {reason for reason, _ in left_out(doc)} >= {"running head"}
    assert not any("report" in sentence or "Page" in sentence for sentence in said(doc))


def test_lines_wrapped_at_a_width_are_one_paragraph() -> None:
    text = (
        "The harbour office opened in May and has counted\nevery ship since, by day and by night. It counted\n"
        "312 ships in its first year, which was more than\nanybody had expected.\n\n"
        "The mayor said that the figures would be\n"
        "published every month. Fishermen doubt that they\nare complete, because nobody is there at night."
    )
    assert [sentence.split()[-1] for sentence in said(document(text))] == [
        "night.",
        "expected.",
        "month.",
        "night.",
    ]
    assert headings(document(text)) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Home > News > Harbour", "navigation"),
        ("© 2021 Port Today", "copyright"),
        ("https://port.example/ships", "link"),
        ("![ships](ships.png)", "link"),
        ("* * *", "divider"),
    ],
)
def test_other_lines_that_are_no_article(line: str, reason: str) -> None:
    assert left_out(document(f"{line}\n\n{PROSE['en']}\n\n{MORE['en']}")) == [(reason, line)]
