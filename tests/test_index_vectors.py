"""FAISS must find what plain products find, and bytes must bring back the same store."""

import numpy as np
import pytest

from index.embedder import Matrix
from index.vectors import ExactStore, FaissStore, fault


@pytest.fixture(scope="module")
def vectors() -> Matrix:
    rows = np.random.default_rng(7).standard_normal((300, 24)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize("share", [None, 0.5, 0.02, 0.0])
def test_faiss_agrees_with_exact_search(vectors: Matrix, share: float | None) -> None:
    among = None if share is None else np.random.default_rng(1).random(len(vectors)) < share
    exact, fast = ExactStore(vectors), FaissStore(vectors)
    for question in vectors[:20] + np.float32(0.1):
        wanted_rows, wanted = exact.search(question, 12, among)
        rows, scores = fast.search(question, 12, among)
        assert rows.tolist() == wanted_rows.tolist()
        assert scores == pytest.approx(wanted, abs=1e-5)


def test_a_row_is_closest_to_itself(vectors: Matrix) -> None:
    rows, scores = FaissStore(vectors).search(vectors[42], 3)
    assert rows[0] == 42
    assert scores[0] == pytest.approx(1.0, abs=1e-5)
    assert scores[1] < 0.95


def test_more_is_asked_for_than_there_is(vectors: Matrix) -> None:
    rows, _ = FaissStore(vectors[:3]).search(vectors[0], 10)
    assert sorted(rows.tolist()) == [0, 1, 2]
    assert FaissStore(vectors[:0]).search(vectors[0], 10)[0].tolist() == []


def test_bytes_bring_back_the_same_store(vectors: Matrix) -> None:
    again = FaissStore.from_bytes(FaissStore(vectors).to_bytes())
    assert (len(again), again.dimension) == (300, 24)
    assert np.array_equal(again.vectors(range(300)), vectors)
    assert again.vectors([]).shape == (0, 24)


def test_vectors_come_in_the_order_asked_for(vectors: Matrix) -> None:
    for store in (ExactStore(vectors), FaissStore(vectors)):
        assert np.array_equal(store.vectors([5, 2, 5]), vectors[[5, 2, 5]])


def test_vectors_that_are_not_of_unit_length_are_named(vectors: Matrix) -> None:
    assert fault(vectors, 24) == ""
    assert fault(vectors, 25) == "shape (300, 24) where (n, 25) was announced"
    assert fault(vectors * np.float32(2), 24) == "row 0 has length 2.0000"
    broken = vectors.copy()
    broken[9, 3] = np.nan
    assert fault(broken, 24) == "row 9 has length nan"
