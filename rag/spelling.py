"""Names as the question spells them: a small model tells a reader who asked about Маск of Муск.

A word of another script is taken for a name of the source where both have the same consonants in Latin letters,
in the same order. Chinese characters stand for syllables and show no words; they are left as they are.
"""

import re

from anyascii import anyascii

_LATIN = re.compile(r"[A-Z][A-Za-z\u00c0-\u024f]+")
_OTHER = re.compile(r"[^\s\x00-\u024f\u2000-\u206f\u3000-\u30ff\u3400-\u9fff\uff00-\uffef،؛؟।]+")
_SILENT = re.compile(r"[^a-z]|[aeiouyw]")
_LEAST = 3  # consonants: with fewer too much is alike
_ENDING = 3  # letters that a case adds, the first of them a vowel: Маском, but not Москва


def as_asked(written: str, question: str, source: str) -> str:
    """Return `written` with the names of its `source` spelled as in the question.

    >>> as_asked("Илон Муск ушёл, и Муску …", "Когда ушёл Маск?", "Elon Musk left.")
    'Илон Маск ушёл, и Маску …'
    >>> as_asked("غادر موسكو المجلس", "متى غادر ماسك؟", "Musk verließ den Vorstand.")
    'غادر ماسك المجلس'
    >>> as_asked("Муск ушёл в масках", "Когда ушёл Маск?", "Altman left.")
    'Муск ушёл в масках'
    """
    names = {consonants(name) for name in _LATIN.findall(source)}
    asked = {}
    for word in _OTHER.findall(question):
        for name in names:
            if len(name) >= _LEAST and (cut := _stem(word, name)):
                asked[name] = cut
    return _OTHER.sub(lambda match: _spelled(match.group(), asked), written) if asked else written


def consonants(word: str) -> str:
    """The consonants of a word in any script but Chinese, as Latin letters.

    >>> [consonants(word) for word in ("Musk", "Маск", "ماسك", "מאסק", "मस्क", "머스크", "Coco", "Koko")]
    ['msk', 'msk', 'msk', 'msk', 'msk', 'msk', 'kk', 'kk']
    """
    latin = anyascii(word).casefold().replace("ph", "f").replace("c", "k").replace("q", "k")
    return _SILENT.sub("", latin)


def _stem(word: str, name: str) -> str:
    """The beginning of a word that has the consonants of a name, "" where it is another word."""
    capitals = word[0].isupper()
    if not capitals and word[0].islower():
        return ""
    end = next((end for end in range(1, len(word) + 1) if consonants(word[:end]) == name), 0)
    rest = word[end:]
    if not end or len(rest) > _ENDING or consonants(rest[:1] if capitals else rest):
        return ""
    return word[:end] if capitals else word


def _spelled(word: str, asked: dict[str, str]) -> str:
    for name, spelling in asked.items():
        if stem := _stem(word, name):
            return spelling + word[len(stem) :]
    return word
