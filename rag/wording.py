"""Somebody's own words: whether a question asks for them, and whether what stands in quotation marks is theirs.

What the documents quote is shown as they have it; a machine's translation of it is no quotation. The words that
ask for it stand in `wording.toml`.
"""

import re
import unicodedata
from collections.abc import Iterable

from corpus import Sentence
from corpus.names import CJK
from rag.wordlists import patterns

QUOTED = re.compile(
    r"“[^”]*”|„[^“”]*[“”]|«[^»]*»|»[^«]*«|「[^」]*」|『[^』]*』|\"[^\"]*\""
    r"|(?<!\w)['‘‚](?=\S)[^'‘’]*(?<=\S)['‘’](?!\w)"
)
"""A quotation with its marks."""
_NAME = 3
"""A quotation of fewer words may be a title, or the words of an article in another language."""
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")
_PER_WORD = 2  # characters of a script without spaces


def asks_for_words(question: str, language: str) -> bool:
    """Tell whether a question asks what was said, or for the very words; False in languages without a list.

    >>> asks_for_words("Was hat Musk darauf geantwortet?", "de"), asks_for_words("Wer hat geantwortet?", "de")
    (True, False)
    """
    words = patterns("wording").get(language)
    return words is not None and words["asked"].search(question) is not None


def quotes(sentence: Sentence) -> bool:
    """Tell whether a sentence has somebody's words in quotation marks."""
    return QUOTED.search(sentence.text) is not None


def misquotes(written: str, sources: Iterable[Sentence]) -> bool:
    """Tell whether `written` has three words or more in quotation marks that stand in none of the sources.

    Case, spaces, the form of apostrophes and what stands at both ends don't count.
    """
    said = [_folded(source.text) for source in sources]
    quoted = (_folded(match.group()) for match in QUOTED.finditer(written))
    return any(_long(words) and not any(words in text for text in said) for words in quoted)


def _folded(text: str) -> str:
    """One case, one width and one space, without the marks and stops at both ends."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES).split())
    return re.sub(r"^\W+|\W+$", "", folded)


def _long(words: str) -> bool:
    return len(words.split()) >= _NAME or len(CJK.findall(words)) >= _NAME * _PER_WORD
