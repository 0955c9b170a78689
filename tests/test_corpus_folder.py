"""A folder of files: every one has an outcome."""

import os
from pathlib import Path

import pytest

from corpus import (
    Document,
    DocumentError,
    Entry,
    fingerprint,
    items,
    parse,
    read_bytes,
    scan,
)
from index import open_index
from tests.fakes import HashEmbedder
from tests.test_index_build import run, told

SHIPS = "The harbour office opened in May and has counted every ship since. It counted 312 in its first year.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "documents").mkdir()
    return tmp_path / "documents"


def indexed(folder: Path) -> tuple[dict[str, str], list[Document]]:
    """What became of each file below `folder`, and the documents."""
    report = run(folder, folder.parent / "home")
    return told(report), sorted(
        open_index(folder.parent / "home", HashEmbedder()).documents, key=lambda d: d.id
    )


def test_every_file_has_an_outcome(folder: Path) -> None:
    files = {
        "b.txt": SHIPS,
        "a/b.md": "# Boats\n\nThere are boats.",
        "copy.txt": SHIPS,
        "broken.pdf": "%PDF",
        "picture.png": "x",
        ".hidden.txt": "no",
        ".git/config.txt": "no",
        "documents.toml": '["b.txt"]\ntitle = "Ships"',
        "a/documents.toml": "a file like any other",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    outcomes, documents = indexed(folder)
    assert [(doc.id, doc.title) for doc in documents] == [("a/b.md", "Boats"), ("b.txt", "Ships")]
    assert outcomes["copy.txt"] == "duplicate b.txt"
    quarantined = [name for name, outcome in outcomes.items() if outcome.startswith("quarantined")]
    assert quarantined == ["a/documents.toml", "broken.pdf", "picture.png"]
    assert list(outcomes) == [entry.id for entry in scan(folder)]


def test_a_copy_of_a_file_that_can_not_be_read_is_quarantined_too(folder: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (folder / name).write_bytes(b"\0\0")
    outcomes, _ = indexed(folder)
    assert [outcome.partition(" ")[0] for outcome in outcomes.values()] == ["quarantined", "quarantined"]


def test_what_is_gone_when_it_is_looked_at_is_not_listed(tmp_path: Path) -> None:
    listed = Path("/proc/self/fdinfo")  # names the file by which it is listed, which is closed by then
    with (tmp_path / "a.txt").open("w") as file:
        found = {entry.id for entry in scan(listed)}
        assert str(file.fileno()) in found
        assert all((listed / name).exists() for name in found)


def test_a_folder_that_can_not_be_listed_is_not_taken_for_empty(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SHIPS)
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):  # the system takes no path of so many characters
        os.mkdir("deep" * 60, dir_fd=at)
        within = os.open("deep" * 60, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = within
    os.close(at)
    with pytest.raises(DocumentError, match=r"deep can't be listed: File name too long\. Let it be read"):
        scan(tmp_path)


def test_a_link_to_a_folder_has_an_outcome(tmp_path: Path) -> None:
    (tmp_path / "documents/deep").mkdir(parents=True)
    (tmp_path / "documents/deep/a.txt").write_text(SHIPS)
    (tmp_path / "documents/again").symlink_to("deep")
    (tmp_path / "documents/deep/up.jsonl").symlink_to("..")
    (tmp_path / "documents/out").symlink_to(tmp_path)
    (tmp_path / "documents/.hidden").symlink_to("deep")
    folder = tmp_path / "documents"
    assert [entry.id for entry in scan(folder)] == ["again", "deep/a.txt", "deep/up.jsonl", "out"]
    for name in ("again", "deep/up.jsonl"):
        with pytest.raises(DocumentError, match="is a link to a folder, which is not followed; put a copy"):
            read_bytes(folder, name)
    assert [item.fault[:21] for item in items(folder, "deep/up.jsonl")] == ["is a link to a folder"]
    with pytest.raises(DocumentError, match="is a link that leaves"):
        read_bytes(folder, "out")


def test_scan_lists_size_and_time(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SHIPS)
    status = (tmp_path / "a.txt").stat()
    assert scan(tmp_path) == [Entry("a.txt", len(SHIPS), status.st_mtime_ns)]


def test_a_file_is_known_by_its_bytes() -> None:
    assert fingerprint(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_what_is_told_of_a_document_goes_before_what_it_says() -> None:
    text = f"---\ntitle: Ships\nauthor: Ann Lee\ndate: 2021-05-03\n---\n{SHIPS}"
    found = parse("a.jsonl#1", text.encode(), {}, ".txt", {"title": "Boats", "date": "2022"})
    assert (found.title, found.author, found.published.value) == ("Boats", "Ann Lee", "2022")


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="Make it"):
        scan(tmp_path / "none")


def test_a_name_that_can_not_be_shown_is_quarantined(folder: Path) -> None:
    (folder / "a\u202eb.txt").write_text(SHIPS)
    (folder / "a\nb.txt").write_text("Other words stand here, and nobody reads them.")
    outcomes, _ = indexed(folder)
    assert ["rename" in outcome for outcome in outcomes.values()] == [True, True]
