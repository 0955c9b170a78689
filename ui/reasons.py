"""What other rooms say in English, as the interface speaks: reasons, and the names of kinds and measures."""

import re
import tomllib
from functools import cache
from importlib.resources import files

from ui.texts import spoken


def reason_words(english: str) -> str:
    """Return a reason, or a name, in the language of the interface; as it is where it is unknown.

    >>> reason_words("is empty")
    'is empty'
    """
    language = spoken()
    if language == "en":
        return english
    for pattern, said in _rules():
        if match := pattern.fullmatch(english):
            values = {name: value or "" for name, value in match.groupdict().items()}
            return said[language].format(
                **{n: reason_words(v) if n == "more" else v for n, v in values.items()}
            )
    return english


def is_reason(words: str) -> bool:
    """Tell whether the program says such a thing, which every language of the interface has words for.

    >>> is_reason("is empty"), is_reason("Laut Verlag.")
    (True, False)
    """
    return any(pattern.fullmatch(words) for pattern, _ in _rules())


@cache
def _rules() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    rows = tomllib.loads(files("ui").joinpath("reasons.toml").read_text(encoding="utf-8"))["reason"]
    return [(re.compile(row.pop("match"), re.DOTALL), row) for row in rows]
