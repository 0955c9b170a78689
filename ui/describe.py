"""How a document is named to a reader: its title, publisher, date and language, in words."""

import re
from datetime import date, datetime
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_decimal

from corpus import Document, Published
from ui.texts import say, spoken

_DATED = {"en": "en_GB"}  # the day before the month, as in the other languages
_UNSHOWABLE = re.compile("[\x00\ud800-\udfff]")


def escape(text: str) -> str:
    """Return `text` as HTML that shows exactly these characters, in an element or a quoted attribute.

    A carriage return is written as a reference, since a parser would fold it into the line feed and the
    offsets after it would be one short. NUL and lone surrogates, which neither HTML
    nor JSON carries, become U+FFFD.

    >>> escape('<a href="x">R&D</a>\\r\\n')
    '&lt;a href=&quot;x&quot;&gt;R&amp;D&lt;/a&gt;&#13;\\n'
    """
    text = _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    for character, reference in (
        ("&", "amp"),
        ("<", "lt"),
        (">", "gt"),
        ('"', "quot"),
        ("'", "#39"),
        ("\r", "#13"),
    ):
        text = text.replace(character, f"&{reference};")
    return text


def number(value: float, digits: int = 0) -> str:
    """Return a number as the language of the interface writes it, with so many digits after the point.

    >>> number(120_000), number(12.34, 1)
    ('120,000', '12.3')
    """
    return str(format_decimal(value, format=f"#,##0.{'0' * digits}".rstrip("."), locale=spoken()))


def language_name(code: str) -> str:
    """Return the name of a language from its ISO 639-1 code, or the code where CLDR has no name for it.

    >>> language_name("zh"), language_name("und")
    ('Chinese', 'language unknown')
    """
    if code in ("", "und"):
        return say("unknown_language")
    return str(Locale(spoken()).languages.get(code, code))


def own_name(code: str) -> str:
    """Return the name of a language in itself.

    >>> own_name("de"), own_name("zh")
    ('Deutsch', '中文')
    """
    name = str(Locale(code).languages[code])
    return name[:1].upper() + name[1:]


def direction(code: str) -> str:
    """Return which way a language is written, "ltr" where CLDR does not know it.

    >>> direction("ar"), direction("zh"), direction("und")
    ('rtl', 'ltr', 'ltr')
    """
    try:
        return str(Locale.parse(code).text_direction)
    except (UnknownLocaleError, ValueError):
        return "ltr"


def date_words(published: Published) -> str:
    """Return a publication date as precise as it is known, with its doubt in words.

    >>> date_words(Published("2025-06", "month", uncertain=True))
    'June 2025 (uncertain)'
    """
    if published.value is None or published.precision == "none":
        return say("undated")
    words = day_words(published.value)
    if published.until:
        words = say("several", first=words, last=day_words(published.until))
    return say("uncertain", date=words) if published.uncertain else words


def day_words(value: str) -> str:
    """Return an ISO date as a day, a month or a year in words.

    >>> day_words("2021-05-04"), day_words("2021-05"), day_words("2021")
    ('4 May 2021', 'May 2021', '2021')
    """
    year, month, day = (*(int(part) for part in value.split("-")), 1, 1)[:3]
    locale = _DATED.get(spoken(), spoken())
    if value.count("-") == 2:
        return format_date(date(year, month, day), "long", locale=locale)
    return format_skeleton(("y", "yMMMM")[value.count("-")], date(year, month, day), locale=locale)


def moment(at: datetime) -> str:
    """Return a day and its time as short as the language of the interface writes them.

    >>> moment(datetime(2026, 3, 1, 9, 30))
    '01/03/2026, 09:30'
    """
    return str(format_datetime(at, "short", locale=_DATED.get(spoken(), spoken())))


def title(document: Document) -> str:
    """Return the title of a document, its id where it has none."""
    return document.title.strip() or document.id


def language(document: Document) -> str:
    """Return the code of the language that a document begins in, "und" where it has no article."""
    return document.languages[0] if document.languages else "und"


def named(document: Document) -> str:
    """Return the title of a document as HTML, in its own language and writing direction.

    >>> named(Document("a.txt", "", "Q&A"))
    '<bdi lang="und">Q&amp;A</bdi>'
    """
    return f'<bdi lang="{escape(language(document))}">{escape(title(document))}</bdi>'


def byline(document: Document, cited: str = "") -> str:
    """Return publisher, date and language as one line of plain text.

    `cited` is the language of the cited words; without it all languages of the document are named.
    """
    codes = (cited,) if cited else document.languages or ("und",)
    names = ", ".join(language_name(code) for code in codes)
    return " · ".join((document.publisher.strip() or say("unnamed"), date_words(document.published), names))


def web_address(document: Document) -> str | None:
    """Return the address of a document if a browser may be sent there: http or https, nothing else."""
    try:
        parts = urlsplit(document.url or "")
    except ValueError:  # an address that can't be parsed is no address
        return None
    return document.url if parts.scheme in ("http", "https") and parts.netloc else None
