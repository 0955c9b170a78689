"""What do we answer: from a question to statements whose every word can be checked."""

from rag.answer import Answer, Citation, Disagreement, Question, Statement, Timing, Turn, Version
from rag.assistant import Assistant
from rag.opening import open_assistant

__all__ = [
    "Answer",
    "Assistant",
    "Citation",
    "Disagreement",
    "Question",
    "Statement",
    "Timing",
    "Turn",
    "Version",
    "open_assistant",
]
