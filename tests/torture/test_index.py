"""What happens to an index: kills, refusing disks, damaged bytes, readers while it changes."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

import apsw
import pytest

from corpus import FeudError
from index.errors import IndexMissing
from index.generations import catalogue_path, index_folder
from index.opening import open_index
from rag.opening import Library
from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.test_index_build import QUESTIONS, content, edit, from_scratch, run, story
from tests.torture.conftest import Rounds

ROOT = Path(__file__).parents[2]
# Python tells each of its operations on files before it does it: there the process ends, or the disk refuses.
FAILING = """
import errno, os, sys
from pathlib import Path
from corpus import FeudError
from index.build import build
from tests.fakes import HashEmbedder
folder, home, how, at = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
events = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate"}
count = 0

def fail(event, arguments):
    global count
    if event in events and str(arguments[0]).startswith(str(home)):
        count += 1
        if count == at and how == "die":
            os._exit(9)
        if count == at:
            raise OSError(errno.ENOSPC, "No space left on device", str(arguments[0]))

sys.addaudithook(fail)
try:
    list(build(folder, home, HashEmbedder()))
except FeudError as error:
    print(f"{type(error).__name__}: {error}")
    sys.exit(3)
print("done", count)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    (folder / "deep").mkdir(parents=True)
    for seed, name in enumerate(["a.txt", "b.txt", "deep/c.txt", "d.md"]):
        (folder / name).write_text(story(seed))
    return folder


def fail(folder: Path, home: Path, how: str, at: int) -> "subprocess.CompletedProcess[str]":
    """Build in a process of its own, in which the operation number `at` on a file of `home` fails."""
    command = [sys.executable, "-c", FAILING, str(folder), str(home), how, str(at)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)


def operations(folder: Path, home: Path, spare: Path) -> int:
    """How many operations on files a build of `folder` over a copy of `home` does."""
    if home.exists():
        shutil.copytree(home, spare)
    done = fail(folder, spare, "count", 0)
    shutil.rmtree(spare)
    return int(done.stdout.split()[1])


@pytest.mark.parametrize("first", [True, False], ids=["first build", "later build"])
def test_a_build_that_ends_at_any_operation(folder: Path, tmp_path: Path, rounds: Rounds, first: bool) -> None:
    home, kept, new = tmp_path / "home", tmp_path / "kept", tmp_path / "new"
    run(folder, kept)
    before = content(kept)
    (folder / "a.txt").write_text(story(70))
    (folder / "b.txt").unlink()
    after = from_scratch(folder, new)
    last = operations(folder, new.with_name("none") if first else kept, tmp_path / "spare")
    for chosen in rounds(2 * last, 6):
        at = rounds.done % last + 1 if rounds.all else chosen.randint(1, last)
        shutil.rmtree(home, ignore_errors=True)
        if not first:
            shutil.copytree(kept, home)
        assert fail(folder, home, "die", at).returncode == 9, at
        try:
            assert content(home) in ((after,) if first else (before, after)), at
        except IndexMissing:
            assert first, at
        run(folder, home)
        assert content(home) == after, at


def test_a_disk_that_refuses_any_operation(folder: Path, tmp_path: Path, rounds: Rounds) -> None:
    home, kept = tmp_path / "home", tmp_path / "kept"
    run(folder, kept)
    before = content(kept)
    (folder / "a.txt").write_text(story(70))
    after = from_scratch(folder, tmp_path / "new")
    last = operations(folder, kept, tmp_path / "spare")
    for chosen in rounds(last, 6):
        at = rounds.done + 1 if rounds.all else chosen.randint(1, last)
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(kept, home)
        done = fail(folder, home, "refuse", at)
        assert done.stderr == "", (at, done.stderr)
        assert done.returncode == 0 or done.stdout.startswith("IndexNotWritten: Can't write "), (
            at,
            done.stdout,
        )
        assert content(home) in ((after,) if done.returncode == 0 else (before, after)), at
        run(folder, home)
        assert content(home) == after, at


def test_power_lost_at_any_operation(folder: Path, tmp_path: Path, rounds: Rounds) -> None:
    """What was not synced by then is lost or garbled, see `tests.power`."""
    kept, first = tmp_path / "kept", rounds.seed * 31
    run(folder, kept)
    (folder / "a.txt").write_text(story(70))
    (folder / "b.txt").unlink()
    last = first + len(list(rounds(480, 5)))
    command = [sys.executable, "-m", "tests.power", folder, kept, tmp_path / "home", "power", first, last]
    alone = os.environ | {"OMP_NUM_THREADS": "1"}  # threads do not live on in a fork
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=ROOT, env=alone)
    told = done.stdout.splitlines()
    assert [line for line in told if not line.endswith(": died 9, found 0")] == [], done.stderr
    assert len(told) == rounds.done


SMALL_DISK = 1_000_000


@pytest.fixture(params=["tmpfs", "limit"])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """A home on which a megabyte fits, all together or in each file, and what starts a command there."""
    home = tmp_path / "small"
    home.mkdir()
    if request.param == "limit":
        yield home, ["prlimit", f"--fsize={SMALL_DISK}"]
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(home)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system can be mounted by root alone")
    yield home, []
    subprocess.run(["umount", "--lazy", str(home)], check=True)


def test_a_disk_that_is_full(
    folder: Path, full: tuple[Path, list[str]], tmp_path: Path, rounds: Rounds
) -> None:
    home, limited = full
    command = [*limited, sys.executable, "-c", FAILING, str(folder), str(home), "none", "0"]
    run(folder, home)
    before, seed = content(home), 100
    for _ in rounds(10, 1):
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        while done.returncode == 0:
            before = content(home)
            for _ in range(12):
                seed += 1
                (folder / f"{seed}.txt").write_text(story(seed, 60))
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert done.stderr == ""
        assert done.stdout.startswith("IndexNotWritten: Can't write "), done.stdout
        assert "MB free" in done.stdout
        assert content(home) == before
        for file in sorted(folder.glob("*.txt"))[: -(len(before[0]) // 2)]:  # there is room again
            file.unlink()
        run(folder, home)
        before = content(home)
        assert before == from_scratch(folder, tmp_path / "scratch")


BUILD = """
import sys
from pathlib import Path
from index.build import Report, build
from tests.fakes import HashEmbedder
print("ready", flush=True)
sys.stdin.readline()
for step in build(Path(sys.argv[1]), Path(sys.argv[2]), HashEmbedder()):
    if isinstance(step, Report):
        print("indexed", flush=True)
"""


def test_a_build_killed_at_any_moment_leaves_the_old_state_or_the_new(
    folder: Path, tmp_path: Path, rounds: Rounds
) -> None:
    home, acknowledged, killed = tmp_path / "home", 0, 0
    run(folder, home)
    for seed in range(30, 60):
        (folder / f"{seed}.txt").write_text(story(seed, 12))
    began = time.monotonic()
    from_scratch(folder, tmp_path / "scratch")
    whole = time.monotonic() - began
    for chosen in rounds(120, 8):
        before = content(home)
        edit(folder, chosen, 300 + rounds.done)
        child = subprocess.Popen(
            [sys.executable, "-c", BUILD, folder, home],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        with child:
            assert child.stdout.readline() == "ready\n"
            child.stdin.write("\n")
            child.stdin.flush()
            time.sleep(chosen.uniform(0, whole))
            child.kill()
            said = child.stdout.read()
        after, new = content(home), from_scratch(folder, tmp_path / "scratch")
        if "indexed" in said:
            acknowledged += 1
            assert after == new
        else:
            killed += 1
            assert after in (before, new)
        run(folder, home)
        assert content(home) == new
    rounds.told = f"{killed} killed before the end, {acknowledged} after it"
    assert killed >= rounds.done // 4


def spoil(file: Path, chosen: Random, others: list[Path]) -> str:
    """Damage a file as disks and people do, and say how."""
    data = bytearray(file.read_bytes())
    how = chosen.choice(["flip", "truncate", "zero", "swap", "lengthen"])
    at = chosen.randrange(len(data)) if data else 0
    if how == "flip" and data:
        data[at] ^= 1 << chosen.randrange(8)
    elif how == "truncate":
        del data[at:]
    elif how == "zero":
        data[at : at + 512] = bytes(len(data[at : at + 512]))
    elif how == "swap":
        data = bytearray(chosen.choice(others).read_bytes())
    else:
        data += chosen.randbytes(64)
    file.write_bytes(data)
    return f"{file.name} {how} at {at}"


def damaged(folder: Path, tmp_path: Path, rounds: Rounds, total: int, share: int, pattern: str) -> None:
    home, kept = tmp_path / "home", tmp_path / "kept"
    for seed in range(30, 40):
        (folder / f"{seed}.txt").write_text(story(seed, 12))
    run(folder, kept)
    before, refused, made = content(kept), list[str](), 0
    number = open_index(kept, HashEmbedder()).generation
    for chosen in rounds(total, share):
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(kept, home)
        files = sorted(path for path in index_folder(home).glob(pattern) if path.is_file())
        how = spoil(chosen.choice(files), chosen, files)
        try:
            assert content(home) == before, how
            made += open_index(home, HashEmbedder()).generation > number
        except FeudError as error:
            refused.append(str(error))
            run(folder, home, rebuild=True)
            assert content(home) == before, how
    assert all("feud index" in line for line in refused)
    assert len(refused) + made > rounds.done // 5
    rounds.told = f"{len(refused)} refused, {made} made again, the others found the same"


def test_damaged_files_of_the_index(folder: Path, tmp_path: Path, rounds: Rounds) -> None:
    damaged(folder, tmp_path, rounds, 1_000, 40, "volumes/*/*")


def test_damaged_bytes_of_the_database(folder: Path, tmp_path: Path, rounds: Rounds) -> None:
    damaged(folder, tmp_path, rounds, 200, 20, "catalogue.sqlite")


def test_readers_while_the_index_changes(folder: Path, tmp_path: Path, rounds: Rounds) -> None:
    home, swaps, each = tmp_path / "home", 12 if rounds.all else 4, 300 if rounds.all else 60
    run(folder, home)
    library = Library(Settings(home, folder, home / "models"), HashEmbedder())
    waits: dict[str, list[float]] = {"idle": [], "busy": []}
    faults: list[BaseException] = []

    def read(when: str) -> None:
        try:
            for n in range(each):
                began = time.perf_counter()
                index = library.latest()
                for hit in index.search(QUESTIONS[n % 3], 5):
                    assert hit.passage.document.text[hit.passage.start : hit.passage.end] == hit.passage.text
                waits[when].append(time.perf_counter() - began)
        except BaseException as error:
            faults.append(error)

    def readers(when: str) -> list[threading.Thread]:
        threads = [threading.Thread(target=read, args=(when,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        return threads

    for thread in readers("idle"):
        thread.join()
    reading, chosen = readers("busy"), Random(rounds.seed)
    for step in range(swaps):
        edit(folder, chosen, 500 + step)
        run(folder, home)
    for thread in reading:
        thread.join()
    assert not faults, faults[0]
    assert len(waits["busy"]) == 8 * each
    rounds.done = len(waits["busy"])
    idle, busy = (1000 * quantiles(waits[when], n=20)[-1] for when in ("idle", "busy"))
    rounds.told = f"{swaps} swaps, p95 {busy:.0f} ms, idle {idle:.0f} ms"


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("embedder", "another"),
        ("fingerprint", "other weights or prefixes"),
        ("splitter", "older"),
        ("metric", "L2"),
        ("format", 1),
        ("tokens", "older"),
    ],
)
def test_an_index_of_another_recipe(
    folder: Path, tmp_path: Path, rounds: Rounds, field: str, other: Any
) -> None:
    run(folder, tmp_path / "home")
    before = content(tmp_path / "home")
    connection = apsw.Connection(str(catalogue_path(tmp_path / "home")))
    manifest = json.loads(next(connection.execute("SELECT manifest FROM generations"))[0])
    manifest["recipe"][field] = other
    text = json.dumps(manifest)
    connection.execute(
        "UPDATE generations SET manifest = ?, sha256 = ?", (text, sha256(text.encode()).hexdigest())
    )
    connection.close()
    for _ in rounds(1, 1):
        if field not in ("embedder", "splitter"):  # a name is no vector, and the cut of passages is its own
            with pytest.raises(FeudError, match="feud index"):
                open_index(tmp_path / "home", HashEmbedder())
        assert run(folder, tmp_path / "home").published
        assert content(tmp_path / "home") == before


def test_a_second_writer_in_another_process(folder: Path, tmp_path: Path, rounds: Rounds) -> None:
    home = tmp_path / "home"
    run(folder, home)
    for _ in rounds(20, 3):
        edit(folder, Random(rounds.done), 900 + rounds.done)
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", FAILING, str(folder), str(home), "none", "0"],
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=os.environ,
            )
            for _ in range(3)
        ]
        said = [writer.communicate(timeout=120)[0] for writer in writers]
        assert all(words.startswith(("done", "IndexBusy")) for words in said), said
        assert any(words.startswith("done") for words in said), said
    assert content(home) == from_scratch(folder, tmp_path / "scratch")
