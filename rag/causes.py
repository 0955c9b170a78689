"""A reason must be told as a reason: what happened beside something is not why it happened.

Models write "because" of what a source only tells next to it: "Musk dropped it because he gave no reason", of a
source that says "without providing a reason". The words of both are the same, and neither a cosine nor the
model itself tells them apart. The words that show it stand in `causes.toml`.
"""

from corpus import Sentence
from index import Index
from rag.wordlists import patterns


def reasoned(written: str, language: str, source: Sentence, index: Index) -> bool:
    """Whether a source gives a reason where what was `written` says "because".

    The source is read as it is and in English. Where a language has no list nobody can tell, and it is so.
    """
    known = patterns("causes")
    if language not in known or not known[language]["because"].search(written):
        return True
    told = [(source.text, source.language), (index.english(source), "en")]
    readable = [(text, known[spoken]) for text, spoken in told if text and spoken in known]
    return not readable or any(words.search(text) for text, own in readable for words in own.values())
