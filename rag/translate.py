"""The language model as a translator: of sentences into English for the index, of quotations for readers."""

from corpus.dates import month_days
from corpus.numbers import currencies, missing, quantities, same_magnitude
from rag.attribute import strays
from rag.errors import PromptError
from rag.llm import LLM, Prompt, ended
from rag.prompt import telling, translating, visible

LONGEST = 200
"""Tokens of a translation; one that is longer than that is cut and not used."""


class LLMTranslator:
    """Translates with a language model, one sentence at a time."""

    def __init__(self, llm: LLM) -> None:
        self.name, self._llm = llm.name, llm

    def english(self, sentence: str) -> str:
        """Return the sentence in English, "" where it is too long or gets no end. Raises `LLMError`."""
        return self._reply(translating(sentence))

    def told(self, sentence: str, language: str, english: str, reader: str) -> str:
        """Return a sentence of a `language` in a reader's, made from its `english` where there is such.

        "" where it is too long, the model found no end, wrote another language, or changed a number, a currency
        or millions into billions. Raises `LLMError`.
        """
        written = self._reply(telling(english or sentence, reader))
        said, meant = quantities(written, reader), quantities(sentence, language)
        kept = (
            not missing(said, meant)
            and not missing(meant, said)
            and month_days(written) <= month_days(sentence, loosely=True)
            and currencies(written) <= currencies(sentence)
            and same_magnitude(written, reader, sentence, language)
        )
        return written if kept and not strays(written, reader) else ""

    def _reply(self, prompt: Prompt) -> str:
        try:
            return visible(ended(self._llm.stream(prompt, LONGEST)))
        except PromptError:
            return ""
