"""Names in a text, as far as spelling shows them, so that a claim about one can be held against its source.

In scripts with capitals, a name is a word with a capital where the language would not have one: not at the
start of a sentence, and not in German, where every noun has one; there only a word that is a name elsewhere
counts, or one with a capital inside. Left out is what other languages spell otherwise: words in capitals
only (CEO, PDG), months, days, countries and languages. Scripts without capitals show no names, and a name
in one script can't be held against a text in another.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

_LATIN = "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_OTHERS = "\u0370-\u03ff\u0400-\u052f\u0531-\u0587"  # Greek, Cyrillic, Armenian: they have capitals too
_WORD = re.compile(rf"[{_LATIN}]+(?:-[{_LATIN}]+)*\d*|[{_OTHERS}]+(?:-[{_OTHERS}]+)*")
_BREAK = re.compile(r"(?:[.!?¿¡:;…\n\"“”„«»‹›(\[]|(?<!\w)['‘’])\s*$")  # d'Altman begins no quotation
_MIXED = re.compile(rf"[{_LATIN}][{_OTHERS}]|[{_OTHERS}][{_LATIN}]")
CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_BRACKETED = re.compile(r"[(（][^()（）]*[)）]")
_COMMON = re.compile("(?<![A-Za-z])[a-z]{4,}(?![A-Za-z])")
_NOUNS_HAVE_CAPITALS = {"de", "lb"}
_ENDING = 3  # letters that a case or a genitive may add: Musks, Muska, Altmanowi


def names(text: str, language: str, known: Collection[str] = ()) -> set[str]:
    """Return the names in `text`, casefolded. A word that is in `known` is a name wherever it stands.

    >>> sorted(names("Microsoft sued OpenAI in March, said Altman.", "en"))
    ['altman', 'openai']
    >>> sorted(names("Microsoft sued OpenAI.", "en", known={"microsoft"}))
    ['microsoft', 'openai']
    >>> sorted(names("Die Klage von Musk gegen OpenAI", "de", known={"musk"}))
    ['musk', 'openai']
    >>> names("toen dat Nederlandse stuk in maart verscheen", "nl")
    set()
    """
    found = set()
    for match in _WORD.finditer(text):
        word, folded = match.group(), match.group().casefold()
        if not any(letter.isupper() for letter in word) or word.isupper() or _differs(folded, language):
            continue
        before = text[: match.start()]
        starts = not before.strip() or _BREAK.search(before)
        inside = any(letter.isupper() for letter in word[1:])
        if inside or (not starts and language not in _NOUNS_HAVE_CAPITALS) or same(folded, known):
            found.add(folded)
    return found


def garbled(text: str) -> bool:
    """Tell whether a foreign word was left in: one in two alphabets, or a common one in Latin beside Chinese.

    A name in brackets is no such word.

    >>> garbled("в lawsuitе против OpenAI"), garbled("释放 hostages"), garbled("против OpenAI, 马斯克起诉xAI")
    (True, True, False)
    >>> garbled("Xi Jinping (习近平) arrived in Moscow.")
    False
    """
    open_text = _BRACKETED.sub(" ", text)
    return _MIXED.search(text) is not None or bool(CJK.search(open_text) and _COMMON.search(open_text))


def capitals(text: str) -> set[str]:
    """Return the words of `text` that have a capital, casefolded.

    >>> sorted(capitals("the Hellis Post, 1811"))
    ['hellis', 'post']
    """
    return {word.casefold() for word in _WORD.findall(text) if word != word.lower()}


def absent(found: Collection[str], text: str) -> set[str]:
    """Return those names of `found` that `text` does not hold though it is in their script.

    Of a name with hyphens one part is enough. Only of words with a capital may the ending differ: "Sam" is not
    in "the same".

    >>> absent({"bezos", "musk"}, "Elon Musks Angebot"), absent({"маск"}, "Musk")
    ({'bezos'}, set())
    >>> absent({"baden-württemberg-class"}, "de Baden-Württemberg-klasse")
    set()
    >>> absent({"sam", "musk"}, "musk left on the same day")
    {'sam'}
    """
    there = {part for word in _WORD.findall(text) for part in _parts(word.casefold())}
    named = {part for word in capitals(text) for part in _parts(word)}
    latin = any(word < "\u0370" for word in there)
    others = any(word >= "\u0370" for word in there)
    return {
        name
        for name in found
        if (latin if name < "\u0370" else others)
        and not any(part in there or same(part, named) for part in _parts(name))
    }


def _parts(name: str) -> list[str]:
    return [name, *(part for part in name.split("-") if part != name and len(part) >= _ENDING)]


def spelled(found: Collection[str], text: str) -> list[str]:
    """Return the names of `found` as `text` spells them, in its order and each once; neighbours are one name.

    >>> spelled({"jeff", "bezos", "cook"}, "What did Jeff Bezos pay to Tim Cook, and Jeff Bezos to Musk?")
    ['Jeff Bezos', 'Cook']
    """
    shown: list[str] = []
    end = -1
    for match in _WORD.finditer(text):
        if match.group().casefold() in found:
            near = end >= 0 and text[end : match.start()] == " "
            shown[len(shown) - near :] = [f"{shown[-1]} {match.group()}" if near else match.group()]
            end = match.end()
    return list(dict.fromkeys(shown))


def same(name: str, others: Collection[str]) -> bool:
    """Tell whether `name` is one of `others`, but for an ending.

    >>> same("musks", {"musk"}), same("altman", {"altmana"}), same("apple", {"musk"})
    (True, True, False)
    """
    return name in others or any(
        min(len(name), len(other)) > 2
        and abs(len(name) - len(other)) <= _ENDING
        and (name.startswith(other) or other.startswith(name))
        for other in others
    )


def _differs(word: str, language: str) -> bool:
    """Whether other languages spell a word otherwise, as "Nederlandse": a language's name and an ending."""
    terms, spoken = _translated(language)
    stems = (word[:end] for end in range(max(len(word) - 2, 5), len(word)))
    return word in terms or any(stem in spoken for stem in stems)


@cache
def _translated(language: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words of months, days, countries and languages in one language, and those of languages, by CLDR."""
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return frozenset(), frozenset()
    spoken = _words_of(locale.languages)
    times = _words_of(locale.months["format"]["wide"]) | _words_of(locale.days["format"]["wide"])
    return spoken | times | _words_of(locale.territories), spoken


def _words_of(terms: Mapping[Any, str]) -> frozenset[str]:
    return frozenset(word.casefold() for term in terms.values() for word in _WORD.findall(term))
