"""The disk and a store side by side: both find the same, and nothing that a store holds is replaced."""

from pathlib import Path

import pytest

from corpus.shipped import seed
from eval.store import StoreInUseError, _both, _cases, measure
from index import build, open_index
from rag.settings import Settings
from tests.fakes import HashEmbedder


def test_both_find_the_same_and_what_is_there_stays(milvus: str, tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path / "documents", tmp_path / "models")
    seed(settings.documents)
    *_, _ = build(settings.documents, settings.home, HashEmbedder())
    asked = list(_cases(open_index(settings.home, HashEmbedder())))[::5]
    compared = _both("feud cases", settings.home, milvus, HashEmbedder(), asked)
    assert (compared.questions, compared.same) == (len(asked), 1.0)
    assert compared.found
    assert compared.found[0] == compared.found[1] > 0
    with pytest.raises(StoreInUseError, match="holds documents, which would be replaced"):
        measure(settings, milvus, [], 0)
