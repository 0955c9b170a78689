"""Files of a generation: written whole, named last, read only if they are what was written."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from index.arrays import SMALL
from index.errors import IndexBusy, IndexDamaged, IndexNotWritten
from index.generations import (
    InEnglish,
    Manifest,
    Recipe,
    check,
    fingerprints,
    index_folder,
    sweep,
    volume_folder,
    write,
    writer_lock,
)
from index.volumes import Volume

FILES = {"a.bin": bytes(range(256)) * 40, "empty.bin": b""}


def made(folder: Path) -> Volume:
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return Volume(3, (("de", 10),), (("de", 20), ("fr", 10)), fingerprints(folder))


def test_what_is_written_is_found_whole(tmp_path: Path) -> None:
    volume = write(tmp_path, 7, made)
    check(tmp_path, 7, volume, whole=True)
    assert sorted(p.name for p in (tmp_path / "index/volumes/000007").iterdir()) == ["a.bin", "empty.bin"]


def test_a_manifest_comes_back_equal(tmp_path: Path) -> None:
    volumes = {7: write(tmp_path, 7, made), 12: Volume(0, (), (), {})}
    manifest = Manifest(Recipe("hash", "hash-64", "1"), 64, 3, 10, 30, "ab", volumes, InEnglish(9, 4))
    assert Manifest.read(manifest.text()) == manifest
    fields = json.loads(manifest.text())
    del fields["english"]  # as it was before format 5: it must be read to be found of another format
    assert Manifest.read(json.dumps(fields)) == replace(manifest, english=InEnglish())


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("harm", [truncate, flip, lambda data: b"", lambda data: data + b"\0"])
def test_damaged_bytes_are_noticed(tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
    volume = write(tmp_path, 1, made)
    path = volume_folder(tmp_path, 1) / "a.bin"
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(IndexDamaged, match=r"a\.bin"):
        check(tmp_path, 1, volume)


def test_of_a_large_file_the_size_is_checked_and_all_bytes_if_asked(tmp_path: Path) -> None:
    def large(folder: Path) -> Volume:
        (folder / "large.bin").write_bytes(bytes(SMALL + 1))
        return Volume(0, (), (), fingerprints(folder))

    volume = write(tmp_path, 1, large)
    with (volume_folder(tmp_path, 1) / "large.bin").open("rb+") as file:
        file.write(b"\1")
        check(tmp_path, 1, volume)
        file.flush()
        with pytest.raises(IndexDamaged, match=r"large\.bin"):
            check(tmp_path, 1, volume, whole=True)
        file.truncate(SMALL)
    with pytest.raises(IndexDamaged, match=r"large\.bin"):
        check(tmp_path, 1, volume)


def test_a_missing_file_is_noticed(tmp_path: Path) -> None:
    volume = write(tmp_path, 1, made)
    (volume_folder(tmp_path, 1) / "a.bin").unlink()
    for number in (1, 2):
        with pytest.raises(IndexDamaged, match="No such file"):
            check(tmp_path, number, volume)


def test_leftovers_of_a_crash_are_overwritten_and_swept(tmp_path: Path) -> None:
    volumes = index_folder(tmp_path) / "volumes"
    for name in ("writing-000003", "writing-000009", "000003"):
        (volumes / name).mkdir(parents=True)
        (volumes / name / "of a build that died before its commit").touch()
    (volumes / "somebody's notes.txt").write_text("keep")
    check(tmp_path, 3, write(tmp_path, 3, made), whole=True)
    for number in (1, 2):
        write(tmp_path, number, made)
    sweep(tmp_path, {2, 3})
    assert sorted(p.name for p in volumes.iterdir()) == ["000002", "000003", "somebody's notes.txt"]
    assert sorted(p.name for p in (volumes / "000003").iterdir()) == ["a.bin", "empty.bin"]


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
    volume = write(tmp_path, 1, made)
    (index_folder(tmp_path) / "volumes" / "writing-000002").write_text("a file where the folder must go")
    with pytest.raises(IndexNotWritten, match=r"000002: File exists \(.* MB free\).*feud index"):
        write(tmp_path, 2, made)
    check(tmp_path, 1, volume)
