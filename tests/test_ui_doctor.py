"""What the doctor finds and mends, fault by fault."""

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from index import build, open_index
from index.generations import catalogue_path, index_folder, volume_folder, writer_lock
from rag.opening import open_embedder
from rag.settings import Settings
from tests.scripted import ANSWER, QUESTION
from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text
from tests.test_index_build import story
from tests.test_index_formats import EARLIER
from ui.access import keep_password
from ui.archive import Archive
from ui.conversation import Conversation
from ui.doctor import CHECKS, examine


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with ScriptedServer(Reply((text("ok"), finish(), DONE))) as server:
        url = server.base_url
        made = Settings(tmp_path, tmp_path / "documents", tmp_path / "models", f"{url}#close", llm_base_url=url)
        made.documents.mkdir()
        for seed in range(3):
            (made.documents / f"{seed}.txt").write_text(story(seed))
        list(build(made.documents, made.home, open_embedder(made)))
        Archive(made.conversations).keep("", 0, Conversation().ask(QUESTION).show(1, ANSWER))
        keep_password(made.password, "correct horse battery")
        yield made


def wrong(settings: Settings, capsys: pytest.CaptureFixture[str], fix: bool = False) -> dict[str, str]:
    """What each check that found something wrong says of it."""
    capsys.readouterr()
    code = examine(settings, fix)
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert {line[1] for line in lines} == {*CHECKS}
    found = {line[1]: line[2] for line in lines if line[0] == "WRONG"}
    assert fix or bool(found) == (code == 3)
    return found


def change(settings: Settings, statement: str) -> None:
    connection = apsw.Connection(str(catalogue_path(settings.home)))
    connection.execute(statement)
    connection.close()


def edited(settings: Settings) -> None:
    (settings.documents / "1.txt").write_text(story(70))


def removed(settings: Settings) -> None:
    (settings.documents / "1.txt").unlink()


def lying(settings: Settings) -> None:
    volume_folder(settings.home, 9).mkdir()
    (index_folder(settings.home) / "volumes" / "writing-000010").mkdir()


def open_to_all(settings: Settings) -> None:
    settings.documents.chmod(0o777)
    index_folder(settings.home).chmod(0o777)


def readable(settings: Settings) -> None:
    settings.conversations.chmod(0o644)


def vector(settings: Settings) -> None:
    change(settings, "UPDATE vectors SET vector = zeroblob(length(vector)) WHERE rowid = 2")


def long_vector(settings: Settings) -> None:
    import zlib

    blob = b"\0\0\0@" * 65
    change(settings, f"UPDATE vectors SET vector = x'{blob.hex()}', crc32 = {zlib.crc32(blob)} WHERE rowid = 2")


def byte(settings: Settings) -> None:
    file = volume_folder(settings.home, 1) / "rows"
    file.write_bytes(file.read_bytes()[:-1] + b"?")


def earlier(settings: Settings) -> None:
    with tarfile.open(EARLIER[-1]) as archive:
        archive.extractall(settings.home, filter="data")


@pytest.mark.parametrize(
    ("harm", "check", "words"),
    [
        (edited, "spans", "1 files are not what was indexed (1.txt)"),
        (removed, "spans", "1 files are not what was indexed (1.txt)"),
        (lying, "leftovers", "2 folders are of builds that ended early"),
        (open_to_all, "private", "Others on this computer can change"),
        (readable, "private", "Others on this computer can read"),
        (vector, "index", "its bytes have changed"),
        (long_vector, "index", "row 0 has length 16.1245"),
        (byte, "index", "its bytes are not those that were written"),
        (earlier, "search", "The index was built with"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_wrong_is_told_and_mended(
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    harm: Callable[[Settings], None],
    check: str,
    words: str,
) -> None:
    harm(settings)
    assert words in wrong(settings, capsys)[check]
    wrong(settings, capsys, fix=True)
    assert wrong(settings, capsys) == {}
    kept = {file.name: file.read_text() for file in settings.documents.iterdir()}
    index = open_index(settings.home, open_embedder(settings))
    assert {d.id: d.text for d in index.documents} == kept


def test_what_only_its_owner_can_mend_is_told(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    far = replace(settings, llm_base_url="http://models.invalid/v1", llm_api_key="sk-canary-77aa")
    told = wrong(far, capsys)
    assert (
        told["security"]
        == "FEUD_LLM_BASE_URL sends its key over the network readable. Name an https:// address."
    )
    settings.password.write_text("torn")
    assert wrong(settings, capsys)["security"].endswith("Set the password anew with: feud password")
    settings.conversations.write_bytes(b"no database at all " * 100)
    assert "file is not a database" in wrong(settings, capsys)["talks"]


def test_an_index_that_is_being_written_is_not_searched_for_leftovers(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    lying(settings)
    with writer_lock(settings.home):
        assert wrong(settings, capsys) == {}
