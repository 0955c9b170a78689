"""What do we know: documents, the spans of them, and how a folder of files becomes documents."""

from corpus.copies import leave_out_copies, said
from corpus.document import Document, Passage, Published, Segment, Sentence
from corpus.errors import DocumentError, FeudError, PassingError
from corpus.explain import explain
from corpus.folder import Entry, fingerprint, parse, scan
from corpus.items import Item, holds_items, items
from corpus.metadata import load_metadata
from corpus.passages import described, passages
from corpus.read import read_bytes
from corpus.sentences import sentences

__all__ = [
    "Document",
    "DocumentError",
    "Entry",
    "FeudError",
    "Item",
    "Passage",
    "PassingError",
    "Published",
    "Segment",
    "Sentence",
    "described",
    "explain",
    "fingerprint",
    "holds_items",
    "items",
    "leave_out_copies",
    "load_metadata",
    "parse",
    "passages",
    "read_bytes",
    "said",
    "scan",
    "sentences",
]
