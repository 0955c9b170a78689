"""The five documents that come with the program."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path


def seed(folder: Path) -> bool:
    """Copy the shipped documents to `folder` if there is no such folder yet; return whether it did."""
    if folder.exists():
        return False
    with as_file(files("corpus") / "documents") as shipped:
        shutil.copytree(shipped, folder.with_name(folder.name + ".new"), dirs_exist_ok=True)
    folder.with_name(folder.name + ".new").rename(folder)
    return True
