"""What was kept of a document, what was left out, and why."""

from corpus.document import Document, Segment


def explain(document: Document) -> list[tuple[Segment, str]]:
    """Return each segment with its text, in order; the texts joined are the document's text."""
    return [(segment, document.text[segment.start : segment.end]) for segment in document.segments]
