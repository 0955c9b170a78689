"""What `feud serve` does while nobody asks: it puts new sentences into English for the index."""

import threading
import time

from corpus import FeudError
from index import current_generation, refresh, translate
from rag.assistant import Assistant
from rag.settings import Settings
from rag.translate import LLMTranslator
from ui.logs import LOG

QUIET = 3.0  # seconds without a question before the next sentence; one takes about a second
LOOK = 10.0  # seconds between two looks for a new generation


def start(settings: Settings, assistant: Assistant) -> None:
    """Begin in a thread that ends with the process. Without a language model there is nothing to do, and what
    many answer from is put into English where it is written: `feud index --english`.
    """
    if assistant.llm is not None and not settings.store:
        threading.Thread(target=_forever, args=(settings, assistant), daemon=True).start()


def put_into_english(settings: Settings, assistant: Assistant, quiet: float = QUIET) -> None:
    """Put into English what the index has not in English, a sentence at a time while nobody asks; publish it.

    Raises what the index and the language model raise; what was done until then is kept.
    """
    assert assistant.llm is not None
    sentences = 0
    for step in translate(settings.home, LLMTranslator(assistant.llm)):
        sentences = step.total
        while assistant.idle_seconds() < quiet:
            time.sleep(quiet / 10)
    if sentences:
        for _ in refresh(settings.home, assistant.latest().embedder):
            pass


def _forever(settings: Settings, assistant: Assistant) -> None:
    done: int | None = None
    while True:
        if current_generation(settings.home) != done:
            try:
                put_into_english(settings, assistant)
            except FeudError as error:
                LOG.warning("sentences were not put into English: %s", error)
            done = current_generation(settings.home)
        time.sleep(LOOK)
