"""What a search returns."""

from dataclasses import dataclass

from corpus import Passage


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question. Higher is better; scores are comparable across languages.

    The score is what the passage has above the question's background in its language: 0 is no better
    than other passages of that language, whatever the language of the question.
    """

    passage: Passage
    score: float
