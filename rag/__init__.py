"""What do we answer: from a question to statements whose every word can be checked."""

from rag.answer import Answer, Citation, Disagreement, Question, Statement, Timing, Turn, Version

__all__ = ["Answer", "Citation", "Disagreement", "Question", "Statement", "Timing", "Turn", "Version"]
