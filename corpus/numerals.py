"""Chinese, Japanese and Korean numerals: characters that are digits or scales, and parts that are added."""

import re
from decimal import Decimal

SCALES = {"百": 2, "千": 3, "万": 4, "萬": 4, "亿": 8, "億": 8, "兆": 12, "천": 3, "만": 4, "억": 8, "조": 12}
"""Powers of ten."""
DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
MEASURES = "人家个個次つ位名条條支艘場场岁歲只隻台座辆輛张張份项項届屆倍天周週点點"
"""Words that stand between a numeral and what it counts, the commonest in news."""
ORDINALS = ("第", "제")
"""Before a number that is counted, and not scaled by what follows: 제3조 is an article."""

_WRITTEN = frozenset(DIGITS) | set("十百千")
_NUMERAL = r"(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?|[〇零一二三四五六七八九两十百千]+)"
_SCALE = rf"[{''.join(SCALES)}]"
_COMPOUND = re.compile(rf"(?<![{''.join(ORDINALS)}\d.,])(?:{_NUMERAL}{_SCALE}+ ?)+(?:{_NUMERAL}(?![\d年년]))?")
_PART = re.compile(rf"({_NUMERAL})({_SCALE}*)")


def added(text: str) -> str:
    """Return `text` with digits for each numeral whose parts are added, in falling scales.

    >>> added("1万2000人、2億5000万ドル、三万五千人、2억 5000만 달러")
    '12000人、250000000ドル、35000人、250000000 달러'
    """
    return _COMPOUND.sub(_sum, text)


def _sum(match: re.Match[str]) -> str:
    parts = _PART.findall(match.group())
    scales = [sum(SCALES[character] for character in scale) for _, scale in parts]
    values = [value(number) for number, _ in parts]
    whole = all(number == int(number) for number in values[1:]) and (scales[-1] or scales[-2:] == [4, 0])
    falling = all(
        number < 10 ** (above - scale)
        for number, scale, above in zip(values[1:], scales[1:], scales, strict=False)
    )
    if len(parts) < 2 or not whole or not falling:
        return match.group()
    end = " " if match.group().endswith(" ") else ""
    return f"{int(sum(number.scaleb(scale) for number, scale in zip(values, scales, strict=True)))}{end}"


def value(numeral: str) -> Decimal:
    """Return the value of a number in digits, of a numeral below ten thousand, or of a year digit by digit.

    >>> int(value("二十三")), int(value("二〇二四")), int(value("十")), int(value("1,200"))
    (23, 2024, 10, 1200)
    """
    if numeral[0] not in _WRITTEN:
        return Decimal(numeral.replace(",", ""))
    if not set(numeral) & set("十百千"):
        return Decimal("".join(str(DIGITS[c]) for c in numeral))
    total, digit = 0, 0
    for character in numeral:
        if character in DIGITS:
            digit = DIGITS[character]
        else:
            total += (digit or 1) * 10 ** {"十": 1, "百": 2, "千": 3}[character]
            digit = 0
    return Decimal(total + digit)


def counts(numeral: str, following: str) -> bool:
    """Tell whether a numeral is a number by itself: 一家 is "a company", and 百万 alone is "millions".

    >>> counts("一", "家"), counts("一", "月"), counts("三", "家"), counts("百", "万")
    (False, True, True, False)
    """
    return not (numeral == "一" and following in MEASURES) and not set(numeral) <= set("百千")
