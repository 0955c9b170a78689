"""All at once on one home: two servers answer while files change and `feud index`, `batch` and `eval` run."""

import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.program import done, feud, serving, stub_models
from tests.test_index_build import edit, story
from tests.test_ui_programs import got
from tests.torture.conftest import Rounds

SHIPPED = files("corpus") / "documents"
ASKED = [f"When was the offer of number {n} made?" for n in range(6)]
ENDS = (signal.SIGTERM, signal.SIGKILL)
EDITED = "edited"


def test_all_at_once_on_one_home_and_one_of_them_is_ended(tmp_path: Path, rounds: Rounds) -> None:
    if not rounds.all:
        pytest.skip("it takes a minute a round: make torture")
    home = tmp_path / "home"
    shutil.copytree(str(SHIPPED), home / "documents")
    (home / "documents" / EDITED).mkdir()
    for seed in range(6):
        (home / "documents" / EDITED / f"{seed}.txt").write_text(story(seed))
    lines = [json.dumps({"id": str(n), "question": question}) for n, question in enumerate(ASKED)]
    (tmp_path / "asked.jsonl").write_text("\n".join(lines))
    asked, ended = 0, list[str]()
    with stub_models(home, 0.001) as environ:
        done(environ, "index")
        for chosen in rounds(8, 0):
            out, run = tmp_path / f"{rounds.done}.jsonl", tmp_path / f"run {rounds.done}"
            commands = {
                "index": ("index",),
                "batch": ("batch", "--in", str(tmp_path / "asked.jsonl"), "--out", str(out)),
                "eval": ("eval", "--sample", "2", "--folder", str(run)),
            }
            with ExitStack() as own:
                places = [own.enter_context(serving(environ)) for _ in range(2)]
                running = {name: feud(environ, *command) for name, command in commands.items()}
                running |= {f"server {n}": process for n, (_, process) in enumerate(places)}
                edits = threading.Thread(target=edited, args=(home, Random(chosen.random())))
                edits.start()
                who, how = chosen.choice(list(running)), chosen.choice(ENDS)
                ending = threading.Timer(chosen.uniform(0.5, 6), running[who].send_signal, [how])
                ending.start()
                while any(running[name].poll() is None for name in commands):
                    asked += answered([a for a, process in places if running[who] is not process], chosen)
                ending.join()
                edits.join()
                ended.append(f"{who} by {how.name}")
                for name in commands:
                    said(name, running[name], spared=name != who)
            for command in commands.values():  # what was ended goes on
                done(environ, *command)
            answers = [json.loads(line) for line in out.read_text().splitlines()]
            assert [answer["question"] for answer in answers] == ASKED
            assert {answer["status"] for answer in answers} <= {"answered", "not_in_documents"}
            assert len((run / "rows.jsonl").read_text().splitlines()) == 2
            whole(environ, home)
    rounds.told = f"{asked} questions were answered meanwhile; ended: {', '.join(ended)}"


def edited(home: Path, chosen: Random) -> None:
    for step in range(5):
        edit(home / "documents" / EDITED, chosen, chosen.randrange(10**6) + step)
        time.sleep(chosen.uniform(0, 1))


def answered(addresses: list[str], chosen: Random) -> int:
    """Ask each server; what is cited has to stand in its document as that server knows it."""
    for address in addresses:
        status, answer = got(address, "/api/ask", {"question": chosen.choice(ASKED)})
        assert (status, answer["status"]) in ((200, "answered"), (200, "not_in_documents")), answer
        status, found = got(address, "/api/search", {"question": "the captain's ledger"})
        assert status == 200, found
        assert found["passages"]
    return len(addresses)


def said(name: str, process: "subprocess.Popen[str]", spared: bool) -> None:
    """What a command may say at its end: that all went well, or that another one was writing the index."""
    _, told = process.communicate(timeout=120)
    assert "Traceback" not in told, (name, told)
    if spared and process.returncode:
        assert name == "index", (name, told)
        assert "is being written" in told or "another" in told, told


def whole(environ: Mapping[str, str], home: Path) -> None:
    """The index is that of the files, byte by byte, by the word of the doctor."""
    doctor = feud(environ, "doctor")
    told, _ = doctor.communicate(timeout=120)
    assert "WRONG" not in told, told
    listed: Any = json.loads(done(environ, "list", "--json"))
    known = {each["id"] for each in (*listed["documents"], *listed["others"])}
    folder = home / "documents"
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*.[tm][xd]*") if path.is_file()}
    assert known >= here, here - known
