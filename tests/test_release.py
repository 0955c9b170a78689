"""What a release is published with: citation file, container file, licences, versions."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from jsonschema import Draft7Validator

from index import MODELS

ROOT = Path(__file__).parents[1]
LICENCES = (ROOT / "ui/manual/pages/reference/licences.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def rows(title: str) -> list[list[str]]:
    """The rows of the table under a title of the licences."""
    part = LICENCES.partition(f"## {title}")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_the_models_are_listed_with_licence_and_hash() -> None:
    known = [[m.name, m.licence, m.hub, f"{m.size:,}", f"{m.sha256[:8]}…"] for m in MODELS]
    assert rows("Models") == known


def test_all_data_is_listed_with_the_licence_that_stands_beside_it() -> None:
    listed = {place: licence for place, licence, _ in rows("Data")}
    assert [place for place in listed if not (ROOT / place).exists()] == []
    data = [*(ROOT / "eval/data").iterdir(), *(ROOT / "tests/data").iterdir(), ROOT / "corpus/documents"]
    data += [ROOT / "index/english.jsonl", ROOT / "eval/cases", *(ROOT / "ui/manual/pages/assets").glob("*.js")]
    places = {path.relative_to(ROOT).as_posix() for path in data if path.name != "README.md"}
    assert places == set(listed)
    for folder in (ROOT / "eval/data").iterdir():
        said = re.search(r"licence: (CC BY-SA 4\.0|[\w .-]+)", (folder / "README.md").read_text("utf-8"))
        assert said is not None
        assert listed[folder.relative_to(ROOT).as_posix()] == said[1]


def test_the_citation_file_is_one_and_of_this_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    schema = json.loads((ROOT / "tests/data/cff/schema.json").read_text("utf-8"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(cited)] == []
    assert [e.validator for e in Draft7Validator(schema).iter_errors({**cited, "license": "Mine"})] != []
    assert (cited["version"], cited["license"]) == (PROJECT["version"], PROJECT["license"])
    assert f"\n## {PROJECT['version']}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_container_file_passes_its_linter_and_takes_what_it_needs(tmp_path: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Containerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    bad = tmp_path / "Containerfile"
    bad.write_text("FROM python\nRUN cd / && apt-get install curl\n")
    assert subprocess.run([hadolint, bad], capture_output=True).returncode == 1
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    needed = {
        "pyproject.toml",
        "constraints.txt",
        "README.md",
        "LICENSE",
        "corpus",
        "index",
        "rag",
        "ui",
        "eval",
    }
    assert {line[1:] for line in ignored if line.startswith("!")} == needed


def test_the_templates_have_names() -> None:
    for file in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"):
        about = yaml.safe_load(file.read_text("utf-8").split("---")[1])
        assert set(about) == {"name", "about"}, file
