"""Answers to keep: as Markdown, as a page by itself, as JSON, and their sources for a reference manager."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from corpus import Document, FeudError
from rag import Answer, Citation, Statement
from rag.answer import join
from rag.contract import to_json
from ui.describe import byline, escape, title, web_address
from ui.texts import say

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&]|^[-+](?=\s)|(?<=^\d)[.)]|(?<=^\d\d)[.)])")
_STYLE = (
    "body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:17px/1.55 Georgia,serif;color:#1e1d1b}"
    "h2{font-size:1.3rem}small,cite{color:#65625b;font-style:normal}li{margin:.6rem 0}a{color:#1d5a63}"
)
_OF_ADDRESSES = "%/:?#[]@!$&'()*+,;=~"
_NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'"


class ExportError(FeudError):
    """An answer can't be written where it should be."""


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write answers down: the ending of the file, its media type, and how it is written."""

    ending: str
    media: str
    write: Callable[[Sequence[Answer]], str]


def markdown(answers: Sequence[Answer]) -> str:
    """Return questions and answers with every cited word, as Markdown; no text of theirs acts as markup."""
    return "\n\n".join("\n\n".join(_markdown(answer)) for answer in answers) + "\n"


def _markdown(answer: Answer) -> list[str]:
    blocks = [
        f"## {_plain(answer.question.text)}",
        " ".join(map(_stated, answer.statements)) or _plain(answer.notice),
    ]
    for point in answer.disagreements:
        versions = [f"* {_plain(v.text)} {_plain(_marks(v.citations))}" for v in point.versions]
        blocks.append("\n".join([f"**{say('differ')}**", "", *versions]))
    sources = []
    for citation in answer.citations:
        sources.append(f"{citation.number}. “{_plain(citation.quote)}”  \n   {_plain(_source(citation))}")
        if address := web_address(citation.document):
            sources[-1] += f"  \n   <{quote(address, safe=_OF_ADDRESSES)}>"
    return [*blocks, "\n".join(sources)] if sources else blocks


def _stated(statement: Statement) -> str:
    doubt = f" ({say(statement.doubt)})" if statement.doubt else ""
    return _plain(join((statement,)) + doubt)


def html(answers: Sequence[Answer]) -> str:
    """Return the same as a page that needs nothing else: no script, no other file."""
    body = "".join(_html(turn, answer) for turn, answer in enumerate(answers, 1))
    return (
        f'<!doctype html>\n<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_NOTHING_ELSE)}">'
        f"<title>{escape(answers[0].question.text if answers else say('name'))}</title>"
        f"<style>{_STYLE}</style>{body}\n"
    )


def _html(turn: int, answer: Answer) -> str:
    said = "".join(
        f"{escape(s.text)} {''.join(_link(turn, number) for number in s.citations)} "
        + (f"<small>({escape(say(s.doubt))})</small> " if s.doubt else "")
        for s in answer.statements
    )
    points = "".join(
        f"<h3>{escape(say('differ'))}</h3><ul>"
        + "".join(
            f'<li dir="auto">{escape(v.text)} {"".join(_link(turn, number) for number in v.citations)}</li>'
            for v in point.versions
        )
        + "</ul>"
        for point in answer.disagreements
    )
    sources = "".join(
        f'<li id="s{turn}-{c.number}" value="{c.number}">'
        f'<q lang="{escape(c.language)}" dir="auto">{escape(c.quote)}</q>'
        f"<br><cite>{escape(_source(c))}{_address(c.document)}</cite></li>"
        for c in answer.citations
    )
    language = escape(answer.question.language)
    return (
        f'<article lang="{language}"><h2 dir="auto">{escape(answer.question.text)}</h2>'
        f'<p dir="auto">{said or escape(answer.notice)}</p>{points}'
        + (f"<h3>{escape(say('sources'))}</h3><ol>{sources}</ol>" if sources else "")
        + "</article>"
    )


def as_json(answers: Sequence[Answer]) -> str:
    """Return a list of answers in the shape of `rag.contract`."""
    return json.dumps([to_json(answer) for answer in answers], ensure_ascii=False, indent=2) + "\n"


def csl(answers: Sequence[Answer]) -> str:
    """Return the cited documents as CSL-JSON, which reference managers read; the cited words are notes."""
    cited: dict[str, list[Citation]] = {}
    for answer in answers:
        for citation in answer.citations:
            cited.setdefault(citation.document.id, []).append(citation)
    items = [_item(own[0].document, own) for own in cited.values()]
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def _item(document: Document, citations: Sequence[Citation]) -> dict[str, Any]:
    published = document.published
    item: dict[str, Any] = {"id": document.id, "type": "article", "title": title(document)}
    if document.author.strip():
        item["author"] = [{"literal": document.author}]
    if document.publisher.strip():
        item["publisher"] = document.publisher
    if published.value:
        days = [[int(part) for part in day.split("-")] for day in (published.value, published.until) if day]
        item["issued"] = {"date-parts": days} | ({"circa": True} if published.uncertain else {})
    if address := web_address(document):
        item["URL"] = address
    if document.languages:
        item["language"] = document.languages[0]
    item["note"] = "\n".join(dict.fromkeys(f"“{c.quote}” ({c.start}–{c.end})" for c in citations))
    return item


def bibtex(answers: Sequence[Answer]) -> str:
    """Return the cited documents as BibTeX, in the fields that BibLaTeX knows; the cited words are notes."""
    return "\n".join(map(_entry, json.loads(csl(answers)))) or "% nothing is cited\n"


def _entry(item: Mapping[str, Any]) -> str:
    issued = item.get("issued", {})
    days = ["-".join(f"{part:02}" for part in day) for day in issued.get("date-parts", ())]
    author = ", ".join(author["literal"] for author in item.get("author", ()))
    fields = {
        "title": _tex(item["title"]),
        "author": author and f"{{{_tex(author)}}}",  # one name, not to be taken apart
        "publisher": _tex(item.get("publisher", "")),
        "date": "/".join(days) + ("~" if "circa" in issued else ""),
        "url": quote(item.get("URL", ""), safe=_OF_ADDRESSES),
        "note": _tex(item["note"].replace("\n", "; ")),
    }
    body = "".join(f"  {name} = {{{text}}},\n" for name, text in fields.items() if text)
    key = re.sub(r"[^A-Za-z0-9.:_-]+", "-", item["id"])
    key = key if key == item["id"] else f"{key}.{sha256(item['id'].encode('utf-8', 'replace')).hexdigest()[:6]}"
    return f"@online{{{key},\n{body}}}\n"


def _tex(text: str) -> str:
    """Text as LaTeX shows it.

    >>> _tex("R&D {5 %}")
    'R\\\\&D \\\\{5 \\\\%\\\\}'
    """
    names = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(
        names.get(sign, "\\" + sign if sign in "{}#$%&_" else sign) for sign in " ".join(text.split())
    )


FORMS: Mapping[str, Form] = {
    "Markdown": Form("md", "text/markdown", markdown),
    "HTML": Form("html", "text/html", html),
    "JSON": Form("json", "application/json", as_json),
    "CSL": Form("csl.json", "application/json", csl),
    "BibTeX": Form("bib", "application/x-bibtex", bibtex),
}
"""The ways to write answers down, by the name that a reader chooses."""


def form_of(path: Path) -> Form:
    """Return the form that the ending of a file's name asks for; raises `ExportError` for another ending."""
    fitting = [form for form in FORMS.values() if path.name.endswith(f".{form.ending}")]
    if not fitting:
        endings = ", ".join(f".{form.ending}" for form in FORMS.values())
        raise ExportError(
            f"Can't tell from {path.name!r} how to write the answer. Let it end in one of {endings}."
        )
    return max(fitting, key=lambda form: len(form.ending))


def keep(answer: Answer, form: Form, path: Path) -> None:
    """Write an answer into a file; raises `ExportError` where that can't be done."""
    try:
        path.write_text(form.write([answer]), encoding="utf-8", errors="replace")
    except OSError as error:
        raise ExportError(f"Can't write {path}: {error.strerror or error}. Name another file.") from error


def download_html(answers: Sequence[Answer], form: Form, name: str) -> str:
    """A link that holds the whole file, for the browser to save it at once."""
    data = b64encode(form.write(answers).encode("utf-8", "replace")).decode()
    return f'<a hidden download="{escape(name)}.{form.ending}" href="data:{form.media};base64,{data}"></a>'


def _source(citation: Citation) -> str:
    document = citation.document
    where = f"{document.id}:{citation.start}–{citation.end}"
    return f"{title(document)} · {byline(document, citation.language)} · {where}"


def _address(document: Document) -> str:
    address = web_address(document)
    return f' · <a href="{escape(address)}" rel="noreferrer">{escape(say("original"))}</a>' if address else ""


def _link(turn: int, number: int) -> str:
    return f'<a href="#s{turn}-{number}">[{number}]</a>'


def _marks(numbers: Sequence[int]) -> str:
    return "".join(f"[{number}]" for number in numbers)


def _plain(text: str) -> str:
    """One line of Markdown that reads as `text`.

    >>> _plain("*x* [1]\\n# y")
    '\\\\*x\\\\* \\\\[1\\\\] \\\\# y'
    """
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
