"""What feud is made of: pinned, above the floors that are known to be needed, and under known licences."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from index import linked_sqlite

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = {
    canonicalize_name(name): Version(pin)
    for name, _, pin in (line.partition("==") for line in (ROOT / "constraints.txt").read_text().splitlines())
}
# Each is the first without a fault that `index/schema.py`, the README or the maintainers' notes tell of.
FLOORS = {
    "torch": "==2.13.0",
    "gradio": ">=6.31.0",
    "faiss-cpu": ">=1.15.1",
    "sentence-transformers": ">=6.2.0",
    "xllamacpp": "==2026.10.11549",
    "openai": ">=3.54.0",
}
PERMISSIVE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python|MPL|Mozilla|Zlib|CC0|Unlicense|LLVM|any-OSI|HPND|0BSD|MIT-0|CNRI",
    re.IGNORECASE,
)
# Of three licences one may choose the first.
CHOSEN = {"tld": "MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later"}


def needed() -> set[NormalizedName]:
    """Everything that comes with feud, by its name, without what only its tests need."""
    found, left = set[NormalizedName](), [Requirement(line) for line in PROJECT["dependencies"]]
    while left:
        wanted = left.pop()
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        left += [Requirement(line) for line in distribution(name).requires or ()]
    return found


def licence(name: str) -> str:
    about = distribution(name).metadata.json
    classes = [line.rpartition(" :: ")[2] for line in about.get("classifier", ()) if "License ::" in line]
    return str(about.get("license_expression") or "; ".join(classes) or about.get("license") or "unknown")


def test_everything_that_comes_with_it_is_pinned_and_installed_as_pinned() -> None:
    names = needed()
    assert len(names) > 60
    assert {name for name in names if name not in PINS} == set()
    assert {
        name: version(name) for name in names if Version(version(name).partition("+")[0]) != PINS[name]
    } == {}


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_the_floors_hold(name: str, floor: str) -> None:
    asked = {canonicalize_name(r.name): r.specifier for r in map(Requirement, PROJECT["dependencies"])}
    wanted = Requirement(f"{name}{floor}").specifier
    assert str(asked[canonicalize_name(name)]) == floor
    assert PINS[canonicalize_name(name)] in wanted
    assert version(name).partition("+")[0] in wanted


def test_the_linked_sqlite_keeps_commits() -> None:
    assert Version(linked_sqlite()) >= Version("3.51.3")


def test_the_licences_are_known_and_leave_its_own_free() -> None:
    told = {name: licence(name) for name in needed()}
    others = {name: words for name, words in told.items() if not PERMISSIVE.search(words) or "GPL" in words}
    assert others == CHOSEN


def test_what_is_not_there_is_not_pinned_for_the_tests_either() -> None:
    missing = []
    for line in PROJECT["optional-dependencies"]["dev"]:
        try:
            assert canonicalize_name(Requirement(line).name) in PINS, line
            distribution(Requirement(line).name)
        except PackageNotFoundError:
            missing.append(line)
    assert missing == []
