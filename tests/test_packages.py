"""What others install: a wheel with all that the program reads, and a README whose snippet runs."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text, usage
from tests.test_ui_cli import FERRY, SOLD
from tests.test_ui_site import feud

ROOT = Path(__file__).parents[1]
PACKAGES = ("corpus", "index", "rag", "ui", "eval")


def test_the_snippet_of_the_readme_runs(tmp_path: Path) -> None:
    [snippet] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    snippet = re.sub(r'ask\(".*?"\)', 'ask("Who was the ferry of Hellis sold to?")', snippet)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "ferry.txt").write_text(FERRY)
    with ScriptedServer(Reply((text(SOLD), finish(), usage(50, 12), DONE))) as endpoint:
        feud(tmp_path, endpoint.base_url, "index").communicate(timeout=120)
        environ = {"FEUD_HOME": str(tmp_path), "FEUD_EMBEDDER": f"{endpoint.base_url}#close"}
        environ |= {"FEUD_LLM_BASE_URL": endpoint.base_url, "FEUD_DOCUMENTS": "", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-W", "error", "-c", snippet]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | environ)
    assert done.returncode == 0, done.stderr
    said = [f"{SOLD[:-1]} [1].", f"1 ferry.txt {FERRY.index(SOLD)} {SOLD}"]
    assert done.stdout.splitlines() == said


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of what git would keep and, made from nothing but that sdist, the wheel."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in kept():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())

    def make(kind: str, place: Path) -> None:
        code = f"import setuptools.build_meta as s, sys; s.build_{kind}(sys.argv[1])"
        subprocess.run([sys.executable, "-c", code, str(built)], cwd=place, check=True, capture_output=True)

    make("sdist", source)
    [sdist] = built.glob("feud-*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(built / "unpacked", filter="data")
    [place] = (built / "unpacked").iterdir()
    make("wheel", place)
    return built


def kept() -> list[str]:
    """The files that git keeps, or would."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


@pytest.fixture
def wheel(built: Path) -> Path:
    [found] = built.glob("feud-*.whl")
    return found


def test_the_sdist_has_all_that_git_keeps(built: Path) -> None:
    [place] = (built / "unpacked").iterdir()
    names = {file.relative_to(place).as_posix() for file in place.rglob("*") if file.is_file()}
    assert set(kept()) - names == {".ci/run", ".gitignore"}


def test_the_wheel_has_all_that_the_program_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {".toml", ".txt", ".jsonl", ".css", ".js", ".typed", ".tsv", ".json", ".py"}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in data and not {"__pycache__", "manual"} & set(path.parts)
    }
    assert wanted - names == set()
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert not any(name.startswith(("tests/", "ui/manual/")) for name in names)
    assert any(name.endswith(".data/data/share/man/man1/feud.1") for name in names)


def test_the_wheel_runs_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    with ScriptedServer() as endpoint:
        environ = {n: v for n, v in os.environ.items() if not n.startswith(("FEUD_", "PYTHON"))}
        environ |= {"PYTHONPATH": str(place), "FEUD_HOME": str(tmp_path / "home")}
        environ |= {"FEUD_EMBEDDER": f"{endpoint.base_url}#close"}

        def run(*arguments: str) -> str:
            code = "import ui.cli; assert 'place' in ui.cli.__file__; ui.cli.main()"
            command = [sys.executable, "-c", code, *arguments]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=300, cwd=tmp_path, env=environ
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        assert "disagreements" in run("--help")
        assert "5 documents" in run("index")
        assert "003_d6af93d0565fa1b0" in run("list", "--json")
