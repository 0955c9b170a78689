"""The documents of a folder as a build has them, for tests that need no index."""

from pathlib import Path

from corpus import Document, leave_out_copies, load_metadata, parse, read_bytes, scan


def documents_of(folder: Path) -> tuple[Document, ...]:
    """Read each file of `folder`, without what they repeat; raises DocumentError for one that can't be read."""
    metadata = load_metadata(folder)
    names = [entry.id for entry in scan(folder)]
    return leave_out_copies(parse(name, read_bytes(folder, name), metadata) for name in names)
