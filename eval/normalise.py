"""Whether an answer states a fact: a form of it stands in the text once both are folded.

Kept apart from the number reading that the program checks its own sentences with: a measure that shares
its subject's code would share its mistakes.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_CJK = "\u3040-\u30ff\u3400-\u9fff"
_FOLDS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʼ′`´", "'"),
        **dict.fromkeys("“”„‟«»″「」『』", '"'),
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff"),  # soft hyphen, zero width space, word joiner, BOM
        "，": ", ",  # NFKC would make it the comma of a decimal number: 2015，2016 are two years
    }
)
_DOTTED_DATE = re.compile(r"(?<!\d)(\d{1,2}\.\d{1,2}\.\d{4}|\d{4}\.\d{1,2}\.\d{1,2})(?!\d)")
_LOOSE_SPACE = re.compile(rf"(?<=[{_CJK}]) | (?=[{_CJK}])|(?<=\d) (?=%)")

# A number goes on through a decimal sign, a colon (12:30) or a separator of thousands; a space separates
# thousands only between groups of which the first has one to three digits and the next exactly three.
_NOT_WITHIN = r"(?<!\d)(?<!\d[.,:'])"
_NOT_AFTER_THOUSANDS = r"(?<![^\d.,:']\d )(?<![^\d.,:']\d\d )(?<![^\d.,:']\d\d\d )"
_NOT_GOING_ON = r"(?!\d)(?![.,:']\d)"
_NOT_BEFORE_THOUSANDS = r"(?! \d{3}(?!\d))"


def fold(text: str) -> str:
    """Return `text` with one spelling of case, width, spaces, quotation marks, hyphens and digits.

    Spaces between Chinese or Japanese letters and their neighbours go, as do spaces before a per cent sign;
    the dots of a date become slashes, so that its year is a whole number.

    >>> fold("Er bot 97,4\\u202fMilliarden –  „am 12.02.2025“"), fold("ＯｐｅｎＡＩ 于 2015 年")
    ('er bot 97,4 milliarden - "am 12/02/2025"', 'openai于2015年')
    """
    text = unicodedata.normalize("NFKC", text.translate(_FOLDS))
    text = unicodedata.normalize("NFKC", text.casefold())
    text = "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)
    text = _DOTTED_DATE.sub(lambda date: date[0].replace(".", "/"), " ".join(text.split()))
    return _LOOSE_SPACE.sub("", text)


def holds(text: str, form: str) -> bool:
    """Tell whether `text` holds `form`; at an end where the form has a digit, only as a whole number.

    >>> holds("An offer of 97.4 billion.", "97.4 Billion"), holds("97.4", "97"), holds("12015", "2015")
    (True, False, False)
    """
    return bool(_pattern(form).search(f" {fold(text)}"))  # the space: what stands before the first digit


def states(text: str, forms: Iterable[str]) -> bool:
    """Tell whether `text` holds at least one of the forms of a fact."""
    return any(holds(text, form) for form in forms)


@lru_cache(maxsize=4096)
def _pattern(form: str) -> re.Pattern[str]:
    folded = fold(form)
    if not folded:
        return re.compile(r"(?!)")  # an empty form states nothing
    before = after = ""
    if first := re.match(r"\d+", folded):
        before = _NOT_WITHIN + (_NOT_AFTER_THOUSANDS if len(first[0]) == 3 else "")
    if folded[-1].isdecimal():
        after = _NOT_GOING_ON + (_NOT_BEFORE_THOUSANDS if re.search(r"(?<![\d.,])\d{1,3}$", folded) else "")
    return re.compile(before + re.escape(folded) + after)
