"""What a source tells only as somebody's claim is told as a claim.

The words that show it stand in `claims.toml`. Of 44 sentences of the default model that were shown for
development questions, about the five documents or NTREX, 3 repeat such a claim without saying so.
"""

from corpus import Sentence
from index import Index
from rag.phrases import phrase
from rag.wordlists import patterns


def as_told(written: str, language: str, source: Sentence, index: Index) -> str:
    """Return what was `written` from `source`, with a note where only the source tells it as a claim.

    Where the words of the source's language are not known its English is read.
    """
    text, spoken = source.text, source.language
    if spoken not in patterns("claims"):
        text, spoken = index.english(source), "en"
    if _claims(written, language) or not _claimed(written, text, spoken, index):
        return written
    body = written.rstrip(".。")
    return f"{body} ({phrase('claimed', language)}){written[len(body) :]}"


def _claims(text: str, language: str) -> bool:
    return any(words.search(text) for words in patterns("claims").get(language, {}).values())


def _claimed(written: str, text: str, language: str, index: Index) -> bool:
    """Whether `text` tells as a claim what was written: all of it, or the part that is nearer to it."""
    words = patterns("claims")[language]
    if words["of_all"].search(text):
        return True
    verb = words["of_rest"].search(text)
    if not verb:
        return False
    parts = text[: verb.start()].strip(), text[verb.end() :].strip()
    if not all(parts):
        return True
    itself, before, after = index.embedder.embed_passages([written, *parts])
    return float(after @ itself) > float(before @ itself)
