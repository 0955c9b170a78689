"""Whether a question in a conversation stands alone, so that nothing of what was said before belongs to it.

It does where it names two things or more and no word points back; `pointing.toml` has those words. What seems
to lean on the conversation and does not is only rewritten, so the rule errs on that side: of the cases' 16
follow-ups it takes none for a question that stands alone, and 49 of the 82 other questions in its languages.
"""

import re

from rag.wordlists import patterns

_NAMED = 2  # words with a capital, not the first: names, and nouns in German
_WORD = re.compile(r"[^\W\d_][\w’'-]*")


def alone(text: str, language: str) -> bool:
    """Tell whether a question can be understood without the ones before; False in languages without a list.

    >>> alone("Wie viel hat Musk für OpenAI geboten?", "de"), alone("Und was wollte Altman von ihr?", "de")
    (True, False)
    """
    pointing, words = patterns("pointing").get(language), list(_WORD.finditer(text))
    named = [word for word in words[1:] if word.group()[0].isupper()]
    return (
        pointing is not None
        and len(named) >= _NAMED
        and not pointing["first"].match(text, words[0].start())
        and not points_back(text, language)
    )


def points_back(text: str, language: str) -> bool:
    """Tell whether a word points at what was said before; False in languages without a list.

    >>> points_back("He left it in 2018.", "en"), points_back("Musk left OpenAI.", "en")
    (True, False)
    """
    pointing = patterns("pointing").get(language)
    return pointing is not None and pointing["anywhere"].search(text) is not None
