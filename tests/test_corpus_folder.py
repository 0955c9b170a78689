"""A folder of files: every one has an outcome."""

import os
from pathlib import Path

import pytest

from corpus import (
    DocumentError,
    Duplicate,
    Entry,
    fingerprint,
    items,
    load,
    load_folder,
    load_metadata,
    parse,
    read_bytes,
    scan,
)

SHIPS = "The harbour office opened in May and has counted every ship since. It counted 312 in its first year.\n"


def test_every_file_has_an_outcome(tmp_path: Path) -> None:
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
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    loaded = load_folder(tmp_path)
    assert [(doc.id, doc.title) for doc in loaded.documents] == [("a/b.md", "Boats"), ("b.txt", "Ships")]
    assert loaded.duplicates == (Duplicate("copy.txt", "b.txt"),)
    assert [file.id for file in loaded.quarantined] == ["a/documents.toml", "broken.pdf", "picture.png"]
    kinds = (loaded.documents, loaded.duplicates, loaded.quarantined)
    assert sorted(one.id for kind in kinds for one in kind) == [entry.id for entry in scan(tmp_path)]


def test_a_copy_of_a_file_that_can_not_be_read_is_quarantined_too(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(b"\0\0")
    loaded = load_folder(tmp_path)
    assert ([file.id for file in loaded.quarantined], loaded.duplicates) == (["a.txt", "b.txt"], ())


def test_what_is_gone_when_it_is_looked_at_is_not_listed(tmp_path: Path) -> None:
    listed = Path(
        "/proc/self/fdinfo"
    )  # its list names the file by which it is read, and that is closed by then
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


def test_one_file_can_be_loaded_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(SHIPS.encode())
    alone = load(tmp_path, "a.txt", load_metadata(tmp_path))
    assert alone == load_folder(tmp_path).documents[0] == parse("a.txt", SHIPS.encode(), {})
    assert fingerprint(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_what_is_told_of_a_document_goes_before_what_it_says() -> None:
    text = f"---\ntitle: Ships\nauthor: Ann Lee\ndate: 2021-05-03\n---\n{SHIPS}"
    found = parse("a.jsonl#1", text.encode(), {}, ".txt", {"title": "Boats", "date": "2022"})
    assert (found.title, found.author, found.published.value) == ("Boats", "Ann Lee", "2022")


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="Make it"):
        load_folder(tmp_path / "none")


def test_a_name_that_can_not_be_shown_is_quarantined(tmp_path: Path) -> None:
    (tmp_path / "a\u202eb.txt").write_text(SHIPS)
    (tmp_path / "a\nb.txt").write_text("Other words stand here, and nobody reads them.")
    assert ["rename" in file.reason for file in load_folder(tmp_path).quarantined] == [True, True]
