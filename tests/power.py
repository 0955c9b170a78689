"""Builds an index and loses the power at each operation on files; what had not been synced by then is spoilt.

A write into the database that was not synced is undone, kept or turned to zeros, each by itself; another file
that was not is emptied, cut or garbled; a renaming whose folder was not synced may be undone. Each loss is a
process of its own, forked from this one.
"""

import os
import shutil
import sys
from pathlib import Path
from random import Random
from typing import Any

import apsw

from index.errors import IndexMissing
from tests.test_index_build import content, run

_EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate"}
_DATABASE = "catalogue.sqlite"


class Power:
    """Counts the operations below `home` and fails at the number `at`."""

    def __init__(self, home: Path, at: int, chosen: Random) -> None:
        self.home, self.at, self.chosen, self.count = home, at, chosen, 0
        self.written: dict[str, list[tuple[int, bytes, int]]] = {}
        """By file of the database what is not synced: where it was written, what stood there, how long."""
        self.synced: dict[int, tuple[int, int]] = {}
        self.renamed: list[tuple[Path, Path]] = []

    def step(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.at = 0  # what is spoilt now is no operation of the build
            self.lose()
            os._exit(9)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS and self.at and str(arguments[0]).startswith(str(self.home)):
            self.step()
            if event == "os.rename":
                self.renamed.append((Path(arguments[0]), Path(arguments[1])))

    def sync(self, descriptor: int) -> None:
        self.step()
        _fsync(descriptor)
        known = os.fstat(descriptor)
        self.synced[known.st_ino] = known.st_mtime_ns, known.st_size
        folder = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        self.renamed = [(old, new) for old, new in self.renamed if new.parent != folder]

    def lose(self) -> None:
        for path in sorted(self.home.rglob("*")):
            if path.is_file() and not path.name.startswith((_DATABASE, "writer.lock")):
                known = path.stat()
                if self.synced.get(known.st_ino) != (known.st_mtime_ns, known.st_size):
                    self.spoil(path)
        for name, writes in self.written.items():
            with open(name, "r+b") as file:
                for at, before, size in writes:
                    if (fate := self.chosen.choice(["keep", "undo", "zero"])) != "keep":
                        file.seek(at)
                        file.write(before.ljust(size, b"\0") if fate == "undo" else b"\0" * size)
        for old, new in reversed(self.renamed):
            if new.exists() and self.chosen.random() < 0.5:
                new.rename(old)

    def spoil(self, path: Path) -> None:
        data = path.read_bytes()
        at = self.chosen.randrange(len(data) + 1)
        path.write_bytes(self.chosen.choice([b"", data[:at], data[:at] + b"\0" * (len(data) - at), data]))


_fsync = os.fsync
_power: Power


class _Disk(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("losing", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _File(name, flags)


class _File(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else name

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        _power.step()
        with open(self.path, "rb") as file:
            file.seek(offset)
            before = file.read(len(data))
        _power.written.setdefault(self.path, []).append((offset, before, len(data)))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        _power.step()
        super().xSync(flags)
        _power.written.pop(self.path, None)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        _power.step()
        super().xTruncate(size)


def building(folder: Path, home: Path, at: int, chosen: Random) -> int:
    """Build, lose the power at that operation, and return how many there were until then."""
    global _power
    _power = Power(home, at, chosen)
    os.fsync = lambda file: _power.sync(file if isinstance(file, int) else file.fileno())  # type: ignore[assignment]
    disk = _Disk()
    sys.addaudithook(lambda event, arguments: _power.hear(event, arguments))
    run(folder, home)
    assert disk
    return _power.count


def forked(work: Any) -> int:
    """The exit status of a process that does that work."""
    sys.stdout.flush()
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        done = work()
    except BaseException as error:
        print(f"{type(error).__name__}: {str(error)[:300]}", flush=True)
        done = 1
    sys.stdout.flush()
    os._exit(done)


def main(folder: Path, kept: Path, home: Path, seed: str, first: int, last: int) -> None:
    """Print a line for each loss at the operations from `first` to `last`, which go round and round."""
    before, counted = content(kept), home.with_name("count")
    for each in (home, counted):
        shutil.rmtree(each, ignore_errors=True)
    shutil.copytree(kept, counted)
    told = counted.with_name("counted")
    forked(lambda: told.write_text(str(building(folder, counted, -1, Random(seed)))) and 0)
    operations = int(told.read_text())
    run(folder, counted)
    after = content(counted)
    assert before != after

    def check() -> int:
        try:
            if content(home) not in (before, after):
                return 2
        except IndexMissing:
            return 3
        run(folder, home)
        return 0 if content(home) == after else 4

    for number in range(first, last):
        at, chosen = number % operations + 1, Random(f"{seed} {number}")
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(kept, home)
        died = forked(lambda at=at, chosen=chosen: building(folder, home, at, chosen) and 0)
        print(f"{at} of {operations}: died {died}, found {forked(check)}", flush=True)


if __name__ == "__main__":
    folder, kept, home = map(Path, sys.argv[1:4])
    main(folder, kept, home, sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))
