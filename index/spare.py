"""A copy of the catalogue: taken while others read and write, and put back while others read."""

from pathlib import Path

from index.build import repair
from index.catalogue import Catalogue
from index.generations import catalogue_path, forget_folder, writer_lock
from index.publish import newest, trusted


def copy_catalogue(home: Path, target: Path) -> None:
    """Write what the catalogue of `home` holds at this moment to a new file.

    Raises IndexMissing, IndexDamaged, IndexNotWritten.
    """
    with Catalogue(catalogue_path(home)) as catalogue:
        catalogue.copy_to(target)


def put_back(home: Path, copy: Path) -> None:
    """Make the catalogue of `home` what `copy` is, and its volumes again from it, without the embedder.

    The generation gets a number of its own, so that those who have an index open see it. `copy` is used up.
    Raises IndexBusy while somebody writes; and IndexDamaged, IndexNotWritten, before anything has changed.
    """
    with writer_lock(home):
        with Catalogue(copy, create=True) as spare:  # of an earlier format it is upgraded
            spare.check()
            restored = newest(spare)
            if restored is not None:
                trusted(spare, restored[1], whole=True)
            with Catalogue(catalogue_path(home), create=True) as catalogue:
                present = newest(catalogue)
            spare.number_from(present[0] + 1 if present else 1)
        with Catalogue(catalogue_path(home), create=True) as catalogue:
            catalogue.copy_from(copy)
        forget_folder(home)
    repair(home)
