"""Mails (EML), and pages that a browser saved in the form of mails (MHTML)."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

from corpus.errors import DocumentError
from corpus.markup import paragraphs_of
from corpus.read import Content, html_content

_QUOTED_HTML = "//blockquote | //*[contains(concat(' ', @class, ' '), ' gmail_quote ')]"
_QUOTED = re.compile(r"\s*(?:>|\|(?!.*\|\s*$))")  # a line that another | closes is a row of a table
_FORWARDED = re.compile(r"\s*(?:-{3,}\s*\S.{2,60}\S\s*-{3,}|_{20,})\s*")  # "-----Original Message-----"
_SIGNATURE = re.compile(r"-- ?")


def mail(data: bytes) -> Content:
    """Return what a mail itself says: without what it quotes of others, its signature and its attachments.

    What is quoted was said by somebody else, on another day. Raises DocumentError.
    """
    message = _message(data, "mail")
    body = message.get_body(("plain", "html"))
    if body is None:
        raise DocumentError("is a mail without text; save its attachments as files of their own")
    try:
        said = body.get_content()
    except (LookupError, ValueError, UnicodeError) as error:
        raise DocumentError(f"is a damaged mail: {error}") from error
    text = paragraphs_of(said, _QUOTED_HTML) if body.get_content_subtype() == "html" else _own(said)
    if not text.strip():
        raise DocumentError("is a mail without text; save its attachments as files of their own")
    name, address = parseaddr(str(message.get("from", "")))
    sent = getattr(message.get("date"), "datetime", None)
    facts = {
        "title": str(message.get("subject", "")),
        "author": name or address,
        "date": sent.date().isoformat() if sent else "",
    }
    return Content(text, {key: " ".join(value.split()) for key, value in facts.items() if value.strip()})


def saved_page(data: bytes) -> Content:
    """Return the page that a file of a browser holds, with its address. Raises DocumentError."""
    message = _message(data, "saved page")
    for part in message.walk():
        if part.get_content_type() == "text/html":
            page = part.get_payload(decode=True)
            content = html_content(page if isinstance(page, bytes) else b"")
            address = str(message.get("snapshot-content-location") or part.get("content-location") or "")
            return Content(content.text, {"url": address.strip(), **content.properties})
    raise DocumentError("is a saved page without HTML; save it again as HTML")


def _message(data: bytes, what: str) -> EmailMessage:
    try:
        message = message_from_bytes(data, policy=default)
        if not message.keys() or not isinstance(message, EmailMessage):
            raise DocumentError(f"is no {what}: it has no headers")
        # Each is parsed only now, and by code that some spellings break.
        for name in ("subject", "from", "date", "content-type"):
            message.get(name)
    except (ValueError, IndexError, AttributeError, TypeError, LookupError, RecursionError) as error:
        raise DocumentError(f"is a damaged {what}: {error}") from error
    return message


def _own(text: str) -> str:
    """The lines that a mail does not quote.

    >>> _own("Yes.\\n\\nOn 3 May Ann wrote:\\n> When?\\n> Soon?\\n\\nIn May.\\n-- \\nBob")
    'Yes.\\n\\n\\nIn May.'
    """
    kept: list[str] = []
    for line in text.splitlines():
        if _SIGNATURE.fullmatch(line) or _FORWARDED.fullmatch(line):
            break
        if _QUOTED.match(line):
            while kept and not kept[-1].strip():
                kept.pop()
            if kept and kept[-1].rstrip().endswith((":", "：")):  # who wrote what follows
                kept.pop()
            kept.append("")
        else:
            kept.append(line)
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(kept)).strip()
