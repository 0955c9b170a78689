"""What languages have in common is taken out, what texts say is left in."""

import numpy as np
import pytest

from index.embedder import Matrix, unit
from index.neutral import Neutral

RNG = np.random.default_rng(5)
LANGUAGES = ["de"] * 60 + ["fr"] * 60 + ["zh"] * 3


def said(accent: float) -> Matrix:
    """Sixty subjects in German and French, three in Chinese; each language adds a direction of its own."""
    subjects = RNG.standard_normal((60, 80)).astype(np.float32) / np.sqrt(80)
    rows = np.concatenate([subjects, subjects, subjects[:3]])
    rows = np.concatenate([rows, np.zeros((123, 3), np.float32)], axis=1)
    for i, language in enumerate(("de", "fr", "zh")):
        rows[[each == language for each in LANGUAGES], 80 + i] = accent
    return unit(rows)


def neutral(rows: Matrix, languages: list[str]) -> Neutral:
    column = np.array(languages)
    among = [column == language for language in dict.fromkeys(languages)]
    sums = np.array([rows[own].sum(axis=0) for own in among]).reshape(len(among), rows.shape[1])
    return Neutral(sums, [int(own.sum()) for own in among])


def test_the_same_said_in_two_languages_comes_together() -> None:
    rows = said(accent=1.5)
    made = neutral(rows, LANGUAGES)(rows)
    assert np.linalg.norm(made, axis=1) == pytest.approx(np.ones(123), abs=1e-5)
    before, after = rows[:60] @ rows[60:120].T, made[:60] @ made[60:120].T
    assert (
        rows[:60] @ rows[:60].T
    ).mean() > before.diagonal().mean()  # the language alone outweighs the subject
    assert (after.argmax(axis=1) == np.arange(60)).all()
    assert after.diagonal().mean() > 0.95


def test_a_language_with_a_few_sentences_keeps_most_of_what_they_say() -> None:
    rows = said(accent=0.5)
    made = neutral(rows, LANGUAGES)(rows)
    for i in range(3):
        assert (made[120 + i] @ made[:60].T).argmax() == i


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_sample_is_no_fault(count: int) -> None:
    rows = said(accent=1.0)
    made = neutral(rows[:count], LANGUAGES[:count])(rows[:5])
    assert np.isfinite(made).all()
    assert np.linalg.norm(made, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_cosines_are_those_of_the_vectors_without_it() -> None:
    rows = said(accent=1.5)
    made = neutral(rows, LANGUAGES)
    assert made.cosines(rows[3], rows) == pytest.approx(made(rows) @ made(rows[3:4])[0], abs=1e-6)
    assert made.cosines(rows[3], np.zeros_like(rows[:2])).tolist() == [0.0, 0.0]


def test_what_is_shared_is_most_of_what_the_languages_differ_in() -> None:
    rows = said(accent=1.5)
    shared = neutral(rows, LANGUAGES).shared(rows[3])
    german, french = (rows[:60] @ rows[3]).mean(), (rows[60:120] @ rows[3]).mean()
    assert german > french + 0.3
    assert abs((german - shared[0]) - (french - shared[1])) < (german - french) / 4
