"""Where a paragraph may be cut into sentences.

Own rules, since a cut in the wrong place is a wrong quotation. Share of XQuAD-R's marked sentence ends that
are found / share of ends found that are marked, quotations cut: de .99/.99, en .99/1.00, es .97/1.00, zh
.96/.95. sentencex 1.0.32 has .97/.98, .97/.99, .96/.99, .95/.99; it cuts "im 21. Jahrhundert" and "M. Dupont"
and joins all that lies between straight quotation marks which do not match.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from corpus.words import EITHER, LEADING, NUMBERED, ORDINALS, STARTERS

Span = tuple[int, int]

WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]")
_STOP = re.compile(
    r"(?P<stop>[.!?…؟।]+|[。！？｡]+)(?P<close>(?:[\u00a0\u202f ]?»|[”’\"'“」』)\]）】*_›]|\[\d{1,3}\])*)"
)
_SPACE = re.compile(r"\s*")
_OPEN = "\"“„«‹「『‘‚'([（*_-–—¿¡ \u00a0\u202f\n\r\t"
_CLOSES = {"“": "”", "„": "“”", "«": "»", "»": "«", "‹": "›", "「": "」", "『": "』"}
_LONGEST_QUOTATION = 5000
_LAST_WORD = re.compile(r"[^\s(\[\"“„«‘’'–—/]+$")
_FIRST_WORD = re.compile(r"[^\W_]+")
_DOTTED = re.compile(r"[^\W\d_](?:\.[^\W\d_])*")
_BRAND = re.compile(r"[a-z]{1,2}[A-Z]")  # iPhone, xAI, eBay
_INITIAL = re.compile(r"[^\W\d_]\.")
_ROMAN = re.compile(r"[IVX]{1,5}\b")
_BRACKETED = re.compile(r"[(（](?P<inside>[^()（）]{2,250})[)）]")


def boundaries(text: str, language: str) -> list[int]:
    """Return the positions in `text` behind the sentences that end there, closing quotes included."""
    straight = [match.start() for match in re.finditer('"', text)]
    lowered = text.find("„")
    ends = []
    for match in _STOP.finditer(text):
        end = _end(text, match, straight, lowered)
        if _ends_sentence(text, match.start(), end, match["stop"], language):
            ends.append(end)
    return outside(ends, [match.span("inside") for match in _BRACKETED.finditer(text)])


def quotations(text: str) -> list[Span]:
    """Return start and end of the quotations in `text`; straight marks count where they come in pairs."""
    straight = [match.start() for match in re.finditer('"', text)]
    even = zip(straight[::2], straight[1::2], strict=True) if len(straight) % 2 == 0 else ()
    return sorted([*_pairs(text), *even])


def outside(ends: Sequence[int], spans: Sequence[Span]) -> list[int]:
    """Return those of `ends` that lie in none of `spans`, both in order."""
    inside: set[int] = set()
    for start, stop in spans:
        inside.update(ends[bisect_left(ends, start + 1) : bisect_left(ends, stop + 1)])
    return [end for end in ends if end not in inside]


def _pairs(text: str) -> Iterator[Span]:
    position = 0
    for opening in re.finditer(f"[{''.join(_CLOSES)}]", text):
        if opening.start() >= position:
            closing = re.compile(f"[{_CLOSES[opening.group()]}]")
            found = closing.search(text, opening.end(), opening.end() + _LONGEST_QUOTATION)
            if found:
                yield opening.start(), found.start()
                position = found.end()


def _end(text: str, match: re.Match[str], straight: Sequence[int], lowered: int) -> int:
    """Return where the sentence that stops at `match` ends: behind the marks that close it."""
    end = match.end("stop")
    for mark in match["close"]:
        before_space = not text[end + 1 : end + 2].strip()
        opens = mark == '"' and not before_space and bisect_left(straight, end) % 2 == 0
        if opens or (mark == "“" and not 0 <= lowered < end):
            return end
        end += 1
    return end


def _ends_sentence(text: str, start: int, end: int, stop: str, language: str) -> bool:
    position = _SPACE.match(text, end)
    after = text[position.end() : position.end() + 40] if position else ""
    if not after:
        return True
    if stop[0] in "。！？｡":
        return after[0] not in "，、；：,;:”’」』）"
    following = after.lstrip(_OPEN)
    if not text[end].isspace() and text[end - 1] != "]":
        return stop != "." and WIDE.match(text[end]) is not None
    if not following or following[0] in ",;:.!?)" or (following[0].islower() and not _BRAND.match(following)):
        return False
    return stop != "." or text[end - 1] != "." or not _is_short_form(text, start, following, language)


def _is_short_form(text: str, stop: int, following: str, language: str) -> bool:
    """Tell whether the full stop at `stop` belongs to an abbreviation, an initial or an ordinal number."""
    found = _LAST_WORD.search(text[max(0, stop - 30) : stop])
    if found is None:
        return False
    word, first = found.group(), _FIRST_WORD.match(following)
    cut_off = stop > len(word) and text[stop - len(word) - 1] in "'’"
    if cut_off and len(word) <= 2:  # the end of a word: "Tesla's.", "auto's."
        return False
    starters = STARTERS.get(language, STARTERS["en"])
    starter = first is not None and first.group().casefold() in starters and not _INITIAL.match(following)
    if word.isdecimal():
        item = len(word) == stop <= 2
        return item or (language in ORDINALS and len(word) <= 2 and not starter)
    if word.casefold() in NUMBERED and (following[0].isdigit() or _ROMAN.match(following)):
        return True
    if word.casefold() in LEADING.get(language, LEADING["en"]):
        return len(word) > 1 or not starter
    if word.casefold() in EITHER or _DOTTED.fullmatch(word):
        return not starter
    return language in ORDINALS and _ROMAN.fullmatch(word) is not None and not starter
