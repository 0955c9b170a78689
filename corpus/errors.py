"""What can go wrong, as one tree: every error that a user meets is a `FeudError`."""


class FeudError(Exception):
    """A mistake or fault that a user can act on: one line, what happened and what to do.

    `exit_code` is what the command line returns: 1 for a user's mistake, 3 for a fault of a model or a store.
    """

    exit_code = 1


class DocumentError(FeudError):
    """A file can't become a document. Its message is the reason that quarantine shows."""


class PassingError(DocumentError):
    """A file can't become a document now, and the machine may be at fault: another time it may."""
