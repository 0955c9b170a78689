"""The words that rules about noise and about full stops need, read from words.toml and abbreviations.toml."""

import tomllib
from importlib.resources import files
from typing import Any

Words = tuple[str, ...]


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads(files("corpus").joinpath(name).read_text(encoding="utf-8"))


def _words(listed: str) -> Words:
    return tuple(word.strip() for word in listed.split(","))


def _by(tables: dict[str, str]) -> dict[str, frozenset[str]]:
    return {name: frozenset(_words(listed)) for name, listed in tables.items()}


_noise = _load("words.toml")
CREDIT, SOURCE, OF_A_SOURCE = _words(_noise["credit"]), _words(_noise["source"]), _words(_noise["of_a_source"])
DATE, DISCLAIMER = _words(_noise["date"]), _words(_noise["disclaimer"])
WE, WE_ENDINGS = _words(_noise["we"]), _words(_noise["we_endings"])
DISCLAIMER_ABOUT = {about: _words(listed) for about, listed in _noise["disclaimer_about"].items()}

_stops = _load("abbreviations.toml")
LEADING, STARTERS = _by(_stops["leading"]), _by(_stops["starters"])
NUMBERED, EITHER, ORDINALS = (frozenset(_words(_stops[name])) for name in ("numbered", "either", "ordinals"))
