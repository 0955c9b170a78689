"""What its place in a text shows to be no article: dates, slogans, menus, comment boxes, running heads."""

import re
from collections import Counter
from collections.abc import Iterable

from corpus.language import identify
from corpus.noise import is_date
from corpus.paragraphs import Paragraph, ended

_COUNTED = re.compile(r"[^\W\d_]+(?:\s[^\W\d_]+)?\s?[(\[（]\s?\d+\s?[)\]）]")
_SITE = re.compile(r"\b[\w-]+\.[a-z]{2,6}\b|\s[-–—|]\s", re.IGNORECASE)
_CRUMBS = re.compile(r"[^»›>|→]{2,30}(?:\s?(?:[»›>|→])\s?[^»›>|→]{2,30}){2,}")
_CODE = re.compile(r"^(?:#|[-*+]\s)|[(){}\[\]<=`]")
_LIST = re.compile(r"(?:[-*+•–—]|\d+[.)])\s")
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MARKUP = re.compile(r"#{1,6}\s|\*\*|__")
_PROSE = 80
_EDGE = 6
_ENOUGH = 1000


def dateline(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Mark the line that dates the document. Where many lines are dates, they divide a chronicle."""
    dated = [n for n, p in enumerate(found) if p.kind == "article" and is_date(text[p.start : p.end])]
    if len(dated) > 2:
        return found
    edges = {n for n in dated if n < _EDGE or n >= len(found) - _EDGE}
    return [p.noise("date") if n in edges else p for n, p in enumerate(found)]


def running_heads(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Mark the lines that stand at the head or foot of three pages or more; pages end with a form feed."""
    if "\f" not in text:
        return found
    lines = [re.sub(r"\d+", "0", text[p.start : min(p.end, p.start + _PROSE)]) for p in found]
    edges = [n for n, p in enumerate(found) if n in (0, len(found) - 1) or _is_at_page_edge(text, p)]
    often = Counter(lines[n] for n in edges)
    heads = {n for n in edges if often[lines[n]] >= 3 and len(lines[n]) < _PROSE}
    return [p.noise("running head") if n in heads and p.kind == "article" else p for n, p in enumerate(found)]


def _is_at_page_edge(text: str, p: Paragraph) -> bool:
    before, after = text[max(0, p.start - 20) : p.start], text[p.end : p.end + 20]
    return "\f" in before[len(before.rstrip()) :] or "\f" in after[: len(after) - len(after.lstrip())]


def menus(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Mark comment boxes and menus: runs of very short lines below the prose, and long ones above it."""
    prose = [n for n, p in enumerate(found) if p.kind == "article" and _is_prose(text[p.start : p.end])]
    if len(prose) < 3:
        return found
    below = _menu(text, found, _unlisted(text, found, prose[-1] + 1), least=4)
    above = _menu(text, found, range(prose[0]), least=6)[:-1]  # the last line above the prose is its headline
    marked = {*above, *below}
    return [p.noise("navigation") if n in marked else p for n, p in enumerate(found)]


def _is_prose(line: str) -> bool:
    return ended(line) and (len(line) >= _PROSE or len(_HAN.findall(line)) >= _PROSE // 3)


def _unlisted(text: str, found: list[Paragraph], first: int) -> list[int]:
    """Return the paragraphs from `first` on, without short lines that a colon or a marked heading announces."""
    kept, announced = [], False
    for n in range(first, len(found)):
        line = text[found[n].start : found[n].end]
        if announced and _is_short(line):
            continue
        kept.append(n)
        announced = line.endswith((":", "：")) or _MARKUP.match(line) is not None
    return kept


def _menu(text: str, found: list[Paragraph], where: Iterable[int], least: int) -> list[int]:
    short = [n for n in where if found[n].kind == "article" and _is_short(text[found[n].start : found[n].end])]
    counted = any(_COUNTED.fullmatch(text[found[n].start : found[n].end]) for n in short)
    apart = sum(found[n].apart for n in short)
    return short if counted or (len(short) >= least and 3 * apart >= 2 * len(short)) else []


def _is_short(line: str) -> bool:
    """Tell whether `line` is one to four words that say nothing: no stop, comma or number, no list mark."""
    if _COUNTED.fullmatch(line):
        return True
    if ended(line) or _LIST.match(line) or _MARKUP.match(line) or re.search(r"[\d,;，；、\"“”„«»「」]", line):
        return False
    return len(line) <= 40 and len(line.split()) <= 4 and len(_HAN.findall(line)) <= 8


def slogans(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Mark the name of a site with its slogan, and its path of menus, above and below the article."""
    prose = [n for n, p in enumerate(found) if p.kind == "article" and ended(text[p.start : p.end])]
    if not prose:
        return found
    marks: dict[int, str] = {}
    spoken: set[str] = set()
    for n, p in enumerate(found):
        line = text[p.start : p.end]
        edge = n < min(prose[0], _EDGE) or n > max(prose[-1], len(found) - _EDGE - 1)
        if p.kind == "article" and edge and len(line) <= 100 and not ended(line) and not _CODE.search(line):
            if _CRUMBS.fullmatch(line):
                marks[n] = "navigation"
            elif _SITE.search(line):
                spoken = spoken or {*_languages(text, found, prose), "und"}
                if identify(line) not in spoken:
                    marks[n] = "slogan in another language"
    return [p.noise(marks[n]) if n in marks else p for n, p in enumerate(found)]


def _languages(text: str, found: list[Paragraph], prose: list[int]) -> set[str]:
    return {identify(text[found[n].start : min(found[n].end, found[n].start + _ENOUGH)]) for n in prose}
