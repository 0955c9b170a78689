"""What can go wrong between a question and its answer."""

from corpus import FeudError


class LLMError(FeudError):
    """The language model can't be reached, broke off or took too long."""

    exit_code = 3


class PromptError(LLMError):
    """The prompt is longer than what the language model reads at once."""


class SettingsError(FeudError):
    """A setting has no value that can be used."""


class QuestionError(FeudError):
    """The question can't be asked as it is: empty or too long."""
