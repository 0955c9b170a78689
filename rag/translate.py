"""The language model as a translator of sentences into English, for the index."""

from rag.llm import LLM
from rag.prompt import translating, visible

LONGEST = 200
"""Tokens of a translation; one that is longer than that is cut and not used."""


class LLMTranslator:
    """Translates with a language model, one sentence at a time."""

    def __init__(self, llm: LLM) -> None:
        self.name, self._llm = llm.name, llm

    def english(self, sentence: str) -> str:
        """Return the sentence in English, "" where the model found no end. Raises `LLMError`."""
        pieces = list(self._llm.stream(translating(sentence), LONGEST))
        return "" if any(piece.cut for piece in pieces) else visible("".join(piece.text for piece in pieces))
