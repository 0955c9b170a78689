"""Files that foreign libraries read are read in a process that may be ended."""

import os
import signal
from pathlib import Path

import pytest

from corpus import DocumentError, PassingError, parse
from corpus.apart import MEMORY, Reader, extract_apart
from corpus.read import extract
from tests.test_corpus_read import PAGE, PDF


def test_what_is_read_apart_is_what_is_read_here() -> None:
    reader = Reader()
    for suffix, data in ((".html", PAGE.encode()), (".pdf", PDF), (".html", PAGE.encode() * 40)):
        assert reader.extract(suffix, data) == extract(suffix, data)
    with pytest.raises(DocumentError, match=r"^is a damaged PDF file"):
        reader.extract(".pdf", b"%PDF-1.7 torn")
    reader.close()


def test_what_takes_too_long_is_ended_and_the_next_is_read() -> None:
    reader = Reader()
    with pytest.raises(PassingError, match=r"^took longer than 0 s to read"):
        reader.extract(".pdf", PDF, seconds=0.01)
    assert reader.extract(".pdf", PDF) == extract(".pdf", PDF)
    reader.close()


def test_a_reader_that_broke_is_started_again() -> None:
    reader = Reader()
    reader.extract(".pdf", PDF)
    process = reader._process
    assert process
    limits = Path(f"/proc/{process.pid}/limits").read_text().splitlines()
    assert next(line for line in limits if line.startswith("Max address space")).split()[3] == str(MEMORY)
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(DocumentError, match="took longer"):
        reader.extract(".pdf", PDF, seconds=0.3)
    reader.extract(".pdf", PDF)
    again = reader._process
    assert again
    os.kill(again.pid, signal.SIGKILL)
    again.wait()
    assert reader.extract(".pdf", PDF) == extract(".pdf", PDF)
    reader.close()


def test_a_file_of_the_working_directory_is_none_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corpus.py").write_text("raise SystemExit")
    (tmp_path / "pypdf.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert extract_apart(".pdf", PDF) == extract(".pdf", PDF)
    assert parse("a.pdf", PDF, {}).text == extract(".pdf", PDF).text
