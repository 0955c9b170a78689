"""What a single line shows to be no article by itself: front matter, links, credits, sources, dividers."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from corpus.dates import dates, weekdays
from corpus.metadata import FRONT_MATTER
from corpus.paragraphs import Paragraph, ended
from corpus.words import CREDIT, DATE, OF_A_SOURCE, SOURCE, Words


def _any(words: Words) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_DIVIDER = re.compile(r"(?:[-*_=~—–•·#.]\s*){3,}")
_LINK = re.compile(r"!?\[[^\]]*\]\(\S+\)|<?https?://\S+>?|www\.\S+", re.IGNORECASE)
_COPYRIGHT = re.compile(r"(?:©|\(c\)|copyright\b).{0,100}", re.IGNORECASE)
_SOURCE = re.compile(
    rf"\W*(?:(?:{_any(OF_A_SOURCE)})\s?)?(?:{_any(SOURCE)})\s?[:：]\s*(?P<who>\S.*)", re.IGNORECASE
)
# "Photo: Ann Lee / Reuters." Names only: a credit says who, a caption says what happened. Scripts without
# capital letters give no such sign, so there the credit must be all that is left of the line.
_NAME = r"(?:[A-ZÀ-ÖØ-ÞĀ-ŽА-ЯΑ-Ω@][\w.&'’-]*|von|van|der|den|de|del|di|da|la|le|du|via|by|y|et|und|and|e)"
_NAMES = rf"{_NAME}(?:[\s,|&+]+{_NAME}|\s?/\s?[\w.'’-]+){{0,6}}"
_CREDIT = re.compile(
    rf"(?<!\w)[(\[（]?(?i:(?:{_any(CREDIT)})(?:\s?(?:{_any(SOURCE)}))?)\s?(?:[:：©/]\s?(?:©\s?)?)"
    rf"(?:{_NAMES}\s?[)\]]?(?:\s?\.|$|(?=\n)|(?<=[)\]]))"
    r"|[^\s。，：:]{0,40}[\u0590-\u0fff\u3040-\ud7af][^。！？\n]{0,20}[。)）]?$)"
)
# The date that a key word announces, and then a sentence: "date 2025-06 The company ...".
_TIME = r"[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?"
_STUB = re.compile(rf"(?i:{_any(DATE)})\s?[:：=]?\s?[12]\d{{3}}-\d\d(?:-\d\d(?:{_TIME})?)?(?=\s)")
_WORD = re.compile(r"[^\W\d_]+")
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def front_matter(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Mark YAML between `---` at the head of the text."""
    match = FRONT_MATTER.match(text)
    if match is None or not all(_belongs_to_yaml(line) for line in match[1].splitlines()):
        return found
    end = match.end() - len(match.group()) + len(match.group().rstrip())
    first = Paragraph(found[0].start, end, True).noise("front matter")
    return [first, *(p for p in found if p.start >= end)]


def _belongs_to_yaml(line: str) -> bool:
    return not line.strip() or line[0] in " \t-#" or re.match(r"[\w .-]{1,40}:(?:\s|$)", line) is not None


def stub(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Split a date with its key word, such as "date 2025-06", from the sentence that it is glued to."""
    for number, p in enumerate(found[:3]):
        match = _STUB.match(text, p.start, p.end) if p.kind == "article" else None
        after = text[match.end() : p.end].lstrip() if match else ""
        # "Date 2025-06 was agreed" goes on with a small letter: there it is the sentence's own subject.
        if match and not after[:1].islower():
            split = [
                replace(p, end=match.end()).noise("metadata"),
                replace(p, start=p.end - len(after), apart=False),
            ]
            return [*found[:number], *split, *found[number + 1 :]]
    return found


def credits_(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Split photo credits from the text around them."""
    return [part for p in found for part in (_credits(text, p) if p.kind == "article" else [p])]


def _credits(text: str, p: Paragraph) -> Iterator[Paragraph]:
    start = p.start
    for match in _CREDIT.finditer(text, p.start, p.end):
        before, after = text[start : match.start()].rstrip(), text[match.end() : p.end].lstrip()
        if before and not ended(before):
            continue
        if before:
            yield replace(p, start=start, end=start + len(before), apart=p.apart and start == p.start)
        yield replace(p, start=match.start(), end=match.end(), apart=p.apart and not before).noise(
            "photo credit"
        )
        start = p.end - len(after)
    if start < p.end:
        yield replace(p, start=start, apart=p.apart and start == p.start)


def lines(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Mark the lines that are a divider, a link, a source or a copyright notice and nothing else."""
    return [_line(text[p.start : p.end], p) if p.kind == "article" else p for p in found]


def _line(line: str, p: Paragraph) -> Paragraph:
    for reason, rule in _RULES.items():
        if rule(line):
            return p.noise(reason)
    return p


def _is_source(line: str) -> bool:
    match = _SOURCE.fullmatch(line)
    if match is None:
        return False
    who = match["who"].rstrip(" .)]*_")
    return bool(_LINK.fullmatch(who)) or (len(who.split()) <= 6 and len(who) <= 60 and not ended(who))


def is_date(line: str) -> bool:
    """Tell whether `line` is a date with at most a name beside it: "ANSA 12/11/2025".

    >>> is_date("Mercredi 12 Février 2025"), is_date("On 3 May 2021 he left."), is_date("2015年5月，他离开")
    (True, False, False)
    """
    found = dates(line) if len(line) <= 80 and not ended(line) else []
    if len(found) != 1:
        return False
    rest = line[: found[0].start] + " " + line[found[0].end :]
    words = [word for word in _WORD.findall(rest) if word.casefold() not in weekdays()]
    names = [word for word in words if len(word) > 3 or _HAN.search(word)]
    return len(names) <= (0 if re.search("[,，]", rest) else 2)


_RULES: dict[str, Callable[[str], object]] = {
    "divider": _DIVIDER.fullmatch,
    "link": _LINK.fullmatch,
    "source": _is_source,
    "copyright": lambda line: _COPYRIGHT.fullmatch(line) and not ended(line.rstrip(".")),
}
