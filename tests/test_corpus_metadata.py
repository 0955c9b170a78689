"""What is known of a document besides its text."""

from pathlib import Path

import pytest

import corpus
from corpus import DocumentError, Published, load_metadata
from corpus.dates import dates
from corpus.metadata import Metadata, describe, front_matter
from corpus.read import Content
from corpus.segments import segment
from tests.documents import documents_of

FOLDER = Path(corpus.__file__).parent / "documents"
BODY = (
    "The harbour office opened in May and has counted every ship since. It counted 312 ships in its first year."
)


def described(text: str, **properties: str) -> Metadata:
    return describe("ships.txt", Content(text, properties), segment(text))


def test_the_words_of_every_date_stand_in_its_document() -> None:
    documents = documents_of(FOLDER)
    words = {doc.id[:3]: doc.published.words for doc in documents}
    assert words.pop("004") == ""
    assert all(word and word in doc.text for doc, word in zip(documents, words.values(), strict=False))


def test_the_addresses_stand_in_their_documents() -> None:
    addresses = [(doc.url, doc.text) for doc in documents_of(FOLDER) if doc.url]
    assert len(addresses) == 2
    assert all(url in text for url, text in addresses)


def test_the_dates_of_the_five_documents() -> None:
    found = [(p.value, p.until, p.precision, p.uncertain) for d in documents_of(FOLDER) for p in [d.published]]
    assert found == [
        ("2025-11-12", "2025-12-11", "day", True),
        ("2024-06-11", None, "day", False),
        ("2025-06", None, "month", True),
        ("2025-02-12", None, "day", False),
        (None, None, "none", False),
    ]


@pytest.mark.parametrize(
    ("toml", "where"),
    [
        ("[a", "documents.toml can't be read"),
        ('a = "b"', r'\["a"\] must be a table'),
        ('["a.txt"]\nurl = "x"', "title is missing"),
        ('["a.txt"]\ntitle = 3', "title must be text"),
        ('["a.txt"]\ntitle = "A"\ncolour = "red"', "unknown key 'colour'"),
        ('["a.txt"]\ntitle = "A"\npublished = "2021"', "published must be a table"),
        ('["a.txt"]\ntitle = "A"\npublished = {value = "2021", precision = "day"}', "no date of precision day"),
        (
            '["a.txt"]\ntitle = "A"\npublished = {value = "2025-02-30", precision = "day"}',
            "'2025-02-30' is no date",
        ),
        ('["a.txt"]\ntitle = "A"\npublished = {value = "0000", precision = "year"}', "'0000' is no date"),
        (
            '["a.txt"]\ntitle = "A"\npublished = {value = "2025-01", until = "2025-13", precision = "month"}',
            "until '2025-13' is no date",
        ),
        ('["a.txt"]\ntitle = "A"\npublished = {value = "2021"}', "no date of precision none"),
        ('["a.txt"]\ntitle = "A"\npublished = {precision = "year"}', "given together"),
        ('["a.txt"]\ntitle = "A"\npublished = {precision = "week"}', "precision 'week'"),
        ('["a.txt"]\ntitle = "A"\npublished = {uncertain = "yes"}', "uncertain must be a bool"),
        (
            '["a.txt"]\ntitle = "A"\npublished = {value = "2021", until = "2020", precision = "year"}',
            "until '2020' lies before",
        ),
    ],
)
def test_a_mistake_in_documents_toml_names_its_place(tmp_path: Path, toml: str, where: str) -> None:
    (tmp_path / "documents.toml").write_text(toml)
    with pytest.raises(DocumentError, match=where) as caught:
        load_metadata(tmp_path)
    assert "documents.toml" in str(caught.value)


def test_front_matter_describes_its_document() -> None:
    text = f"---\ntitle: 'Ships: a count'\ndate: 2021-05-03T08:15:00Z\nauthor: Ann Lee\nurl: https://p.example/a\n---\n{BODY}"
    found = described(text)
    assert (found.title, found.author, found.url) == ("Ships: a count", "Ann Lee", "https://p.example/a")
    assert found.published == Published("2021-05-03", "day", words="2021-05-03T08:15:00Z")


def test_front_matter_that_is_no_yaml_is_read_line_by_line() -> None:
    assert front_matter("---\ntitle: Ships: a count\ndate: 2021\n---\n") == {
        "title": "Ships: a count",
        "date": "2021",
    }


def test_what_is_half_a_character_in_front_matter_is_none_in_what_it_says() -> None:
    found = described(f'---\ntitle: "Launch \\ud83d\\ude80"\nauthor: "Ann \\ud83d"\n---\n{BODY}')
    assert (found.title, found.author) == ("Launch 🚀", "Ann \ufffd")


@pytest.mark.parametrize("escape", ["\\UFFFFFFFF", "\\U00110000"])
def test_front_matter_with_a_character_that_is_none_is_read_line_by_line(escape: str) -> None:
    found = front_matter(f'---\ntitle: "Launch {escape}"\nauthor: Ann Lee\n---\n')
    assert found == {"title": f'"Launch {escape}"', "author": "Ann Lee"}


def test_front_matter_can_not_grow() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*a, *a]\n" for c in "bcdefgh")
    assert front_matter(f"---\n{bomb}title: T\n---\n") == {"title": "T"}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (f"A count of ships\n\n{BODY}", "A count of ships"),
        (f"## **A count:**\n\n{BODY}", "A count"),
        (BODY, BODY),
        ("---", "ships"),
    ],
)
def test_the_title_is_the_first_heading_or_line_or_the_name(text: str, title: str) -> None:
    assert described(text).title == title


def test_a_property_of_the_file_format_is_the_title() -> None:
    assert described(BODY, title="Ships").title == "Ships"


@pytest.mark.parametrize(
    ("line", "published"),
    [
        ("Lunes, 3 de mayo de 2021", Published("2021-05-03", "day", words="3 de mayo de 2021")),
        ("PortNews 31/05/2021", Published("2021-05-31", "day", words="31/05/2021")),
        (
            "PortNews 3/5/2021",
            Published(
                "2021-03-05",
                "day",
                True,
                "2021-05-03",
                "3/5/2021",
                "day and month can be read either way round",
            ),
        ),
        ("In the summer of 2021", Published()),
    ],
)
def test_a_date_line_dates_its_document(line: str, published: Published) -> None:
    assert described(f"{line}\n\n{BODY}").published == published


@pytest.mark.parametrize(
    ("told", "published"),
    [
        ("2019", Published("2019", "year", words="2019")),
        (" 1811\n", Published("1811", "year", words="1811")),
        ("2019-04", Published("2019-04", "month", words="2019-04")),
        ("0101", Published()),
        ("20190", Published()),
        ("2019 or 2020", Published()),
    ],
)
def test_a_year_alone_is_a_date_where_it_is_called_one(told: str, published: Published) -> None:
    assert described(BODY, date=told).published == published
    assert described(f"{told}\n\n{BODY}").published.precision != "year"


def test_a_date_in_the_article_dates_nothing() -> None:
    assert described(f"{BODY} It closed on 3 May 2021.").published == Published()


def test_two_different_dates_date_nothing() -> None:
    assert described(f"3 May 2021\n\n{BODY}\n\n4 May 2021").published == Published()


def test_an_address_that_is_none_is_left_out() -> None:
    assert described(BODY, url="javascript:alert(1)").url is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("9. Februar 2023", ["2023-02-09"]),
        ("February 9th, 2023 and Feb 2023", ["2023-02-09", "2023-02"]),
        ("9 февраля 2023", ["2023-02-09"]),
        ("2023年2月9日", ["2023-02-09"]),
        ("9.2.2023, 09-02-2023", ["2023-02-09", "2023-02-09"]),
        ("30/02/2023", []),
        ("97.4 or 2023 or 9/2", []),
    ],
)
def test_dates(text: str, values: list[str]) -> None:
    assert [date.value for date in dates(text)] == values
