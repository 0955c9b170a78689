"""FAISS must find what plain products find, in one store and in several."""

from pathlib import Path

import numpy as np
import pytest

from index.arrays import Writer, let_go, mapped
from index.embedder import Matrix, unit
from index.vectors import (
    EXACT,
    ExactStore,
    FaissStore,
    JoinedStore,
    VectorStore,
    fault,
    inverted,
    opened,
    runs,
    write_inverted,
)


@pytest.fixture(scope="module")
def vectors() -> Matrix:
    rows = np.random.default_rng(7).standard_normal((300, 24)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def many() -> Matrix:
    """More rows than are compared one by one, around 500 middles, as texts lie around their subjects."""
    chosen = np.random.default_rng(3)
    middles = chosen.standard_normal((500, 32)).astype(np.float32)
    spread = 0.7 * chosen.standard_normal((EXACT + 5000, 32)).astype(np.float32)
    return unit(middles[chosen.integers(500, size=len(spread))] + spread)


@pytest.mark.parametrize("share", [None, 0.8, 0.3, 0.0])
def test_an_inverted_file_finds_what_exact_search_finds(
    many: Matrix, share: float | None, tmp_path: Path
) -> None:
    write_inverted(inverted(many[2000:]), tmp_path / "near.faiss")
    within = range(2000, len(many))
    exact, fast = ExactStore(many), FaissStore(many, {2000: opened(tmp_path / "near.faiss")})
    among = None if share is None else np.random.default_rng(1).random(len(many)) < share
    found, whole = 0, 0
    for question in many[:200] + np.float32(0.05):
        wanted_rows, wanted = exact.search(question, 10, within, among)
        rows, scores = fast.search(question, 10, within, among)
        found += len(set(rows.tolist()) & set(wanted_rows.tolist()))
        whole += len(wanted_rows)
        both = np.isin(rows, wanted_rows)
        assert scores[both] == pytest.approx(wanted[np.isin(wanted_rows, rows)], abs=1e-6)
        assert np.array_equal(fast.vectors(rows) @ question, scores) or scores == pytest.approx(
            fast.vectors(rows) @ question, abs=1e-5
        )
    assert found >= 0.98 * whole


def test_rough_scores_are_near_the_exact_ones(many: Matrix, tmp_path: Path) -> None:
    write_inverted(inverted(many), tmp_path / "near.faiss")
    exact, fast = ExactStore(many), FaissStore(many, {0: opened(tmp_path / "near.faiss")})
    within, found, off = range(len(many)), 0, []
    for question in unit(many[:100] + np.float32(0.05)):
        rows, scores = fast.search(question, 10, within, rough=True)
        off += np.abs(scores - many[rows] @ question).tolist()
        assert (np.diff(scores) <= 0).all()
        found += len({*rows.tolist()} & {*exact.search(question, 20, within)[0].tolist()})
    assert found > 700
    assert np.mean(off) < 0.06


def test_what_was_looked_at_in_a_mapped_file_is_let_go(tmp_path: Path) -> None:
    with Writer(tmp_path / "arrays") as into:
        into.empty("rows", (1 << 14, 512), np.float32)[:] = 1
    rows = mapped(tmp_path / "arrays")["rows"]
    before = resident()
    assert rows[::2].sum() == 1 << 22
    assert resident() > before + (16 << 20)
    let_go(rows[5:])
    assert resident() < before + (1 << 20)
    assert rows[::2].sum() == 1 << 22


def resident() -> int:
    """Bytes of mapped files that this process holds."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if "RssFile" in line]
    return int(line.split()[1]) << 10


def test_a_small_run_is_compared_whole_beside_a_large_one(many: Matrix) -> None:
    exact, fast = ExactStore(many), FaissStore(many, {2000: inverted(many[2000:])})
    for question in many[5000:5020]:
        mine, its = (store.search(question, 10, range(0, 2000)) for store in (fast, exact))
        assert mine[0].tolist() == its[0].tolist()


@pytest.mark.parametrize("share", [None, 0.5, 0.02, 0.0])
def test_several_stores_find_what_one_finds(vectors: Matrix, share: float | None) -> None:
    among = None if share is None else np.random.default_rng(1).random(len(vectors)) < share
    exact = ExactStore(vectors)
    joined = JoinedStore([ExactStore(vectors[:100]), FaissStore(vectors[100:], {})], 24)
    for question in vectors[:20] + np.float32(0.1):
        for within in (range(0, 100), range(100, 300), range(150, 220)):
            mine, its = (store.search(question, 12, within, among) for store in (joined, exact))
            assert mine[0].tolist() == its[0].tolist()
            assert mine[1] == pytest.approx(its[1], abs=1e-6)


def test_a_row_is_closest_to_itself(vectors: Matrix) -> None:
    rows, scores = FaissStore(vectors, {}).search(vectors[42], 3, range(300))
    assert rows[0] == 42
    assert scores[0] == pytest.approx(1.0, abs=1e-5)
    assert scores[1] < 0.95


def test_more_is_asked_for_than_there_is(vectors: Matrix) -> None:
    rows, _ = FaissStore(vectors[:3], {}).search(vectors[0], 10, range(3))
    assert sorted(rows.tolist()) == [0, 1, 2]
    assert FaissStore(vectors[:0], {}).search(vectors[0], 10, range(0))[0].tolist() == []


def test_rows_are_cut_into_runs_of_much_the_same_size() -> None:
    parts = runs(10, 600_000)
    assert [len(part) for part in parts] == [200_000] * 3
    assert [part.start for part in parts] == [10, 200_010, 400_010]


def test_vectors_come_in_the_order_asked_for(vectors: Matrix) -> None:
    stores: list[VectorStore] = [
        ExactStore(vectors),
        FaissStore(vectors, {}),
        JoinedStore([ExactStore(vectors[:4]), ExactStore(vectors[4:])], 24),
    ]
    for store in stores:
        assert np.array_equal(store.vectors([5, 2, 5]), vectors[[5, 2, 5]])


def test_vectors_that_are_not_of_unit_length_are_named(vectors: Matrix) -> None:
    assert fault(vectors, 24) == ""
    assert fault(vectors, 25) == "shape (300, 24) where (n, 25) was announced"
    assert fault(vectors * np.float32(2), 24) == "row 0 has length 2.0000"
    broken = vectors.copy()
    broken[9, 3] = np.nan
    assert fault(broken, 24) == "row 9 has length nan"
