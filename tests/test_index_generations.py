"""Files of a generation: written whole, named last, read only if they are what was written."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from index.errors import IndexBusy, IndexDamaged, IndexNotWritten
from index.generations import (
    Manifest,
    Recipe,
    fingerprints,
    generation_folder,
    index_folder,
    read,
    sweep,
    write,
    writer_lock,
)

FILES = {"a.bin": bytes(range(256)) * 40, "empty.bin": b""}
MANIFEST = Manifest(Recipe("hash", "hash-64", "1"), 64, 3, 10, 30, "ab", fingerprints(FILES))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path, 7, FILES, MANIFEST)
    assert read(tmp_path, 7, MANIFEST) == FILES
    assert sorted(p.name for p in (tmp_path / "index/generations/000007").iterdir()) == [
        "a.bin",
        "empty.bin",
        "manifest.json",
    ]
    assert Manifest.read((generation_folder(tmp_path, 7) / "manifest.json").read_text()) == MANIFEST


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("name", ["a.bin", "manifest.json"])
@pytest.mark.parametrize("harm", [truncate, flip, lambda data: b"", lambda data: data + b"\0"])
def test_damaged_bytes_are_noticed(tmp_path: Path, name: str, harm: Callable[[bytes], bytes]) -> None:
    write(tmp_path, 1, FILES, MANIFEST)
    path = generation_folder(tmp_path, 1) / name
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(IndexDamaged, match=name):
        read(tmp_path, 1, MANIFEST)


def test_a_missing_file_and_a_swapped_one_are_noticed(tmp_path: Path) -> None:
    write(tmp_path, 1, FILES, MANIFEST)
    folder = generation_folder(tmp_path, 1)
    (folder / "a.bin").replace(folder / "empty.bin")
    with pytest.raises(IndexDamaged, match="No such file"):
        read(tmp_path, 1, MANIFEST)
    with pytest.raises(IndexDamaged):
        read(tmp_path, 2, MANIFEST)
    write(tmp_path, 2, FILES, replace(MANIFEST, rows="other"))
    with pytest.raises(IndexDamaged, match="manifest"):
        read(tmp_path, 2, MANIFEST)


def test_leftovers_of_a_crash_are_overwritten_and_swept(tmp_path: Path) -> None:
    write(tmp_path, 3, {"a.bin": b"of a build that died before its commit"}, MANIFEST)
    generations = index_folder(tmp_path) / "generations"
    (generations / "writing-000003").mkdir()
    (generations / "writing-000009").mkdir()
    (generations / "somebody's notes.txt").write_text("keep")
    write(tmp_path, 3, FILES, MANIFEST)
    assert read(tmp_path, 3, MANIFEST) == FILES
    for number in (1, 2):
        write(tmp_path, number, FILES, MANIFEST)
    sweep(tmp_path, {2, 3})
    assert sorted(p.name for p in generations.iterdir()) == ["000002", "000003", "somebody's notes.txt"]


def test_a_second_writer_is_refused_at_once_and_named(tmp_path: Path) -> None:
    with writer_lock(tmp_path):
        began = time.monotonic()
        with pytest.raises(IndexBusy, match=f"process {os.getpid()}"), writer_lock(tmp_path):
            pass
        assert time.monotonic() - began < 1
    with writer_lock(tmp_path):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from index.generations import writer_lock\n"
        "with writer_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child, child.stdout:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(IndexBusy, match=f"process {child.pid}"), writer_lock(tmp_path):
            pass
        child.kill()
        child.wait()
    with writer_lock(tmp_path):
        pass


def test_a_disk_that_refuses_is_reported_with_its_room(tmp_path: Path) -> None:
    write(tmp_path, 1, FILES, MANIFEST)
    (index_folder(tmp_path) / "generations" / "writing-000002").write_text("a file where the folder must go")
    with pytest.raises(IndexNotWritten, match=r"000002: File exists \(.* MB free\).*feud index"):
        write(tmp_path, 2, FILES, MANIFEST)
    assert read(tmp_path, 1, MANIFEST) == FILES
