"""The words of HTML in paragraphs, and XML that is read without following anything."""

from collections.abc import Iterator
from copy import deepcopy

from lxml import etree, html  # type: ignore[import-untyped]

from corpus.errors import DocumentError

_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details"}
    | {"div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "summary"}
    | {"table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)
_BREAK = "\ue000"  # of private use: no text has it
_UNSAID = ("script", "style", "head", "nav", "template", "noscript", "svg", "math")


def paragraphs_of(markup: bytes | str, unsaid: str = "") -> str:
    """Return the words of HTML, an empty line between paragraphs and `# ` before headings.

    What the XPath `unsaid` finds is left out. Raises DocumentError for what is no markup.

    >>> paragraphs_of("<h1>Ships</h1><p>It counted\\n312 <b>ships</b>.<br>It rained.</p><style>p{}</style>")
    '# Ships\\n\\nIt counted 312 ships.\\nIt rained.'
    """
    try:
        root = html.document_fromstring(markup, parser=html.HTMLParser(encoding=_encoding(markup)))
    except (etree.LxmlError, ValueError) as error:
        raise DocumentError("holds markup that can't be read; save it as plain text") from error
    for element in [*root.iter(*_UNSAID, etree.Comment), *(root.xpath(unsaid) if unsaid else ())]:
        if element.getparent() is not None:
            element.drop_tree()
    for element in root.iter(etree.Element):
        before, after = "", ""
        if element.tag in _BLOCKS:
            before = after = _BREAK + _BREAK
            if element.tag[0] == "h" and element.tag[1:].isdecimal():
                before += "# "
        elif element.tag == "br":
            after = _BREAK
        if before:
            element.text = before + (element.text or "")
        if after:
            element.tail = after + (element.tail or "")
    lines = [" ".join(line.split()) for line in root.text_content().split(_BREAK)]
    text = "\n".join(lines)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return "\n\n".join(part for part in text.strip().split("\n\n") if part.strip("# "))


def xml(data: bytes, what: str) -> etree._Element:
    """Return the root of XML; entities stay unresolved. Raises DocumentError, by `what` it should be."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError) as error:
        raise DocumentError(f"is a damaged {what} file: {error}") from error
    if root is None:
        raise DocumentError(f"is a damaged {what} file: it holds no element")
    return root


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace, "" for a comment and the like."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def child_text(element: etree._Element, *names: str) -> str:
    """The words of the first child that has one of these names, in whatever namespace; "" without one."""
    return next((_words(child) for child in _children(element, names)), "")


def child_markup(element: etree._Element, *names: str) -> str:
    """As `child_text`, with the elements that stand among the words: as HTML, without their namespaces.

    >>> child_markup(xml(b"<e xmlns:x='h'><c>It <x:i>rained</x:i>.<x:br/></c></e>", "XML"), "c")
    '<c>It <i>rained</i>.<br></c>'
    """
    child = next(_children(element, names), None)
    if child is None or not any(map(local_name, child)):
        return "" if child is None else _words(child)
    bare = deepcopy(child)
    for inner in bare.iter(etree.Element):
        inner.tag = local_name(inner)
    etree.cleanup_namespaces(bare)
    return str(etree.tostring(bare, method="html", encoding="unicode", with_tail=False))


def _children(element: etree._Element, names: tuple[str, ...]) -> Iterator[etree._Element]:
    """The children with these names that hold words, those of the first name first."""
    return (child for name in names for child in element if local_name(child) == name and _words(child))


def _words(element: etree._Element) -> str:
    return "".join(str(part) for part in element.itertext()).strip()


def _encoding(markup: bytes | str) -> str | None:
    return "utf-8" if isinstance(markup, bytes) and _is_utf8(markup) else None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
