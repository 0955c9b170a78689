"""The measurement of sizes, on a small one: what it makes up is whole, what it plots lies where it belongs."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from eval.plot import lines
from eval.pools import news, xquad
from eval.size import SENTENCES, Texts, _change, _search, built
from index.catalogue import Catalogue
from index.records import key
from tests.fakes import HashEmbedder


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors of every third sentence of the pools."""
    path = tmp_path_factory.mktemp("pools") / "vectors.sqlite"
    said = [sentence.text for pool in (xquad(), news()) for sentence in pool.sentences][::3]
    with Catalogue(path, create=True) as catalogue:
        catalogue.keep_vectors(
            "hash", dict(zip(map(key, said), HashEmbedder(16).embed_passages(said), strict=True))
        )
    return path


def test_a_document_is_the_same_each_time_and_its_vectors_are_near_real_ones(vectors: Path) -> None:
    texts = Texts(vectors)
    record = texts.record("7.txt")
    assert record == texts.record("7.txt")
    assert len(record.sentences) == SENTENCES
    assert all(record.document.text[s.start : s.end] == s.text for s in record.sentences)
    made = texts.embed_passages(record.inputs().sentences)
    assert np.linalg.norm(made, axis=1) == pytest.approx(np.ones(SENTENCES), abs=1e-5)
    assert ((made @ texts._all.T).max(axis=1) > 0.5).mean() > 0.9


def test_a_small_size_is_measured(vectors: Path, tmp_path: Path) -> None:
    made, found = built(vectors, tmp_path, 300), _search(vectors, tmp_path)
    assert 250 < found["passages"] < 450
    assert found["sentences"] == found["documents"] * SENTENCES
    assert found["recall"] == 1.0  # so few are all compared
    assert 0 < made["files"] < made["disk"]
    assert found["dense_p50"] <= found["dense_p99"] < found["fused_p99"]
    assert set(_change(vectors, tmp_path)) == {"add_seconds", "remove_seconds"}


def test_points_lie_where_their_logarithms_do() -> None:
    root = ElementTree.fromstring(lines("rows", {"a < b": [(10, 1), (1000, 100)], "c": [(100, 10)]}))
    points = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in root.iter() if "cx" in dot.attrib]
    (left, low), (right, high), middle = points
    assert middle == pytest.approx(((left + right) / 2, (low + high) / 2), abs=0.1)
    assert left < right
    assert low > high
    assert re.findall("a < b", "".join(root.itertext())) == ["a < b"]
