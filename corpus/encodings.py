"""Which of the texts that bytes may stand for is the right one, if that can be told.

charset-normalizer alone decodes a fifth of Spanish, Dutch or Polish news wrongly without doubting it
("pero seńaló"). So its candidates are read: the letters must be those of the language that the text is in.
tests/test_corpus_read.py measures that none is decoded wrongly.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files

from corpus.language import identify

# What editors have saved by default. In the encodings of DOS and old Macs any bytes are some text.
_ENCODINGS = [
    *("cp1250", "cp1251", "cp1252", "cp1254", "iso8859_2", "iso8859_15", "koi8_r"),
    *("gb18030", "big5", "cp932", "euc_jp", "cp949"),
]
_MARKS = frozenset("“”„‚‘’«»‹›–—…€£§°·•×©®½²³¿¡º\u00a0\u202f")
_MISPLACED = re.compile(r"[^\W\d_][‘„€§•©®]|\s[’”]\w|°[a-z]")
_WIDE = re.compile(r"[\u3000-\u9fff\uac00-\ud7a3\uff00-\uff60\uffe0-\uffe6]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_ENOUGH = 1000


def undisputed(data: bytes) -> str | None:
    """Return the one text that `data` can plausibly stand for, None where there is none or more than one.

    >>> undisputed("Señaló que el año pasado la reunión fue aún más difícil de lo previsto.".encode("cp1252"))
    'Señaló que el año pasado la reunión fue aún más difícil de lo previsto.'
    """
    from charset_normalizer import from_bytes

    texts = {str(match) for match in from_bytes(data, cp_isolation=_ENCODINGS)}
    plausible = [text for text in texts if _is_plausible(text)]
    return plausible[0] if len(plausible) == 1 else None


def _is_plausible(text: str) -> bool:
    language = identify(text[:_ENOUGH])
    foreign = {c for c in text if c > "\x7f"} - _MARKS
    if language in ("zh", "ja", "ko"):
        wide, kana = len(_WIDE.findall(text)), len(_KANA.findall(text))
        only_wide = all(_WIDE.match(c) for c in foreign)
        return only_wide and 3 * wide > len(text) and (language != "ja" or 5 * kana > wide)
    letters = _alphabets().get(language)
    return letters is not None and all(c.lower() in letters for c in foreign) and not _MISPLACED.search(text)


@cache
def _alphabets() -> dict[str, frozenset[str]]:
    listed = tomllib.loads(files("corpus").joinpath("alphabets.toml").read_text(encoding="utf-8"))
    return {language: frozenset(letters) for language, letters in listed.items()}
