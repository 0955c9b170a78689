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
SELDOM = 3600.0  # seconds between two tries at most while they fail: each reads all documents


def start(settings: Settings, assistant: Assistant) -> None:
    """Begin in a thread that ends with the process. Without a language model there is nothing to do, and what
    many answer from is put into English where it is written: `feud index --english`.
    """
    if assistant.llm is not None and not settings.store:
        threading.Thread(target=go_on, args=(settings, assistant, threading.Event()), daemon=True).start()


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


def go_on(
    settings: Settings, assistant: Assistant, over: threading.Event, look: float = LOOK, quiet: float = QUIET
) -> None:
    """Put each new generation into English until it is `over`, whatever fails: that is told once, tried again
    later, and less and less often while it stays.
    """
    done: int | None = None
    told, wait = "", 0.0
    while not over.wait(wait):
        try:
            newest = current_generation(settings.home)
            if newest != done:
                put_into_english(settings, assistant, quiet)
                done = newest  # what others published meanwhile was perhaps not read
            told, wait = "", look
        except Exception as error:  # of any kind: nobody would start this again
            if repr(error) != told and isinstance(error, FeudError):
                LOG.warning("sentences were not put into English: %s", error)
            elif repr(error) != told:
                LOG.exception("sentences were not put into English")  # what it says may quote a document
            told, wait = repr(error), min(max(look, 2 * wait), SELDOM)
