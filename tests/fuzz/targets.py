"""What must hold for any bytes: each target takes them and fails by any exception that is not one of ours.

Hypothesis, atheris and the kept inputs of `tests/fuzz/found` all feed the same targets.
"""

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from corpus import DocumentError, leave_out_copies, load_metadata, parse, passages, said, sentences
from corpus.asked import guess_question
from corpus.dates import dates, month_days
from corpus.document import Document
from corpus.metadata import METADATA_FILE
from corpus.names import garbled, names
from corpus.numbers import quantities
from corpus.read import extract
from corpus.segments import segment
from corpus.sentences import split
from index import FilterError, build, filtered, open_index
from rag.alone import alone
from rag.answer import Turn
from rag.assistant import Assistant
from rag.engine import Endpoint
from rag.errors import LLMError, QuestionError
from rag.llm import Message, OpenAILLM
from rag.prompt import visible
from rag.question import understand
from tests.scripted_llm import CloseEmbedder, Reply, ScriptedServer
from tests.test_rag_assistant import MOULIN, QUAY, TOWER, check
from ui.access import _password, network
from ui.batch import BatchError, answer_all, questions
from ui.terminal import plain

FOUND = Path(__file__).with_name("found")
"""Inputs that once broke something, by the name of their target."""
KEY = "sk-canary-77aa"


def a_document(suffix: str, data: bytes) -> None:
    """A file becomes a document whose spans are in order, inside and slices of its text, or has a reason."""
    try:
        document = parse(f"a{suffix}", data, {})
    except DocumentError as error:
        assert "\n" not in str(error)
        return
    _whole(document)


def _whole(document: Document) -> None:
    text = document.text
    assert "".join(text[s.start : s.end] for s in document.segments) == text
    at = 0
    for sentence in sentences(document):
        assert at <= sentence.start < sentence.end <= len(text)
        assert sentence.text.strip() == sentence.text == text[sentence.start : sentence.end]
        at = sentence.end
    for passage in passages(document):
        assert passage.text == text[passage.start : passage.end]
        assert passage.text.strip()
    said(document)
    [alone_] = leave_out_copies([document])
    assert alone_.text == text


def foreign(suffix: str, data: bytes) -> None:
    """What other libraries read: their exceptions are caught where they run, so that only an end counts."""
    try:
        content = extract(suffix, data)
    except Exception:
        return
    _whole(Document("a", content.text, "a", segments=segment(content.text)))
    json.dumps(content.properties, ensure_ascii=False).encode()


def words(data: bytes) -> None:
    """What reads a text piece by piece."""
    text = data.decode("utf-8", "replace")
    for language in ("en", "zh", "und"):
        at = 0
        for start, end in split(text, language):
            assert at <= start < end <= len(text)
            at = end
        quantities(text, language)
        names(text, language)
        alone(text, language)
    for printed in dates(text):
        assert 0 <= printed.start < printed.end <= len(text)
    for loosely in (True, False):
        assert all(1 <= month <= 12 and 1 <= day <= 31 for month, day in month_days(text, loosely))
    garbled(text)
    guess_question(text)
    shown = visible(text)
    assert visible(shown) == shown
    assert "\x1b" not in plain(text)


def descriptions(data: bytes) -> None:
    """A documents.toml of any content is read or refused."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / METADATA_FILE).write_bytes(data)
        try:
            load_metadata(Path(folder))
        except DocumentError as error:
            assert METADATA_FILE in str(error)


@cache
def _quoting() -> Assistant:
    home = Path(tempfile.mkdtemp())
    (home / "documents").mkdir()
    for name, text in {"tower.txt": TOWER, "quay.md": QUAY, "moulin.txt": MOULIN}.items():
        (home / "documents" / name).write_text(text, "utf-8")
    assert list(build(home / "documents", home, CloseEmbedder()))
    index = open_index(home, CloseEmbedder())
    return Assistant(lambda: index, None)


def a_question(data: bytes) -> None:
    """Any question is answered with what is cited, or refused in one line; those before it change nothing."""
    first, _, second = data.decode("utf-8", "replace").partition("\n\n")
    try:
        check(_quoting().ask(first, [Turn(second, second)] if second else []))
        understand(first, [Turn(second, "")], None)
    except QuestionError as error:
        assert "\n" not in str(error)
    try:
        filtered([first], [second], [first], first[:20], second[:20])
    except FilterError as error:
        assert str(error)


def a_batch(data: bytes) -> None:
    """A file of questions has a question on each line or the line is named; what holds no answers stays."""
    with tempfile.TemporaryDirectory() as folder:
        asked, kept = Path(folder, "asked"), Path(folder, "kept")
        asked.write_bytes(data)
        try:
            told = list(questions(asked))
        except BatchError as error:
            assert str(asked) in str(error)
        else:
            assert all(isinstance(question, str) for _, question, _ in told)
        asked.write_bytes(b'{"id": "1", "question": "Who built the tower?"}\n')
        kept.write_bytes(data)
        try:
            answer_all(_quoting(), asked, kept)
        except BatchError:
            assert kept.read_bytes() == data
        else:
            *lines, nothing = kept.read_bytes().split(b"\n")
            assert nothing == b""
            assert [json.loads(line)["id"] for line in lines] == ["1"]


@cache
def _server() -> ScriptedServer:
    return ScriptedServer().__enter__()


def a_stream(data: bytes) -> None:
    """Whatever a model's server sends is a reply or an error of one line, without the key."""
    server = _server()
    head, cut = data[:1], max(1, len(data) // 2)
    server.reply = Reply([data[1:cut], data[cut:]] if head < b"a" else [data[1:]])
    server.reply.status = 500 if head == b"5" else 200
    model = OpenAILLM("small", lambda: Endpoint(server.base_url, KEY), 2.0, 4.0)
    try:
        list(model.stream([Message("user", "Who?")], 8))
        share = model.yes([Message("user", "Is it?")])
        assert share is None or 0 <= share <= 1
    except LLMError as error:
        assert "\n" not in str(error)
        assert KEY not in str(error)
        assert "did not finish" not in str(error)


def headers(data: bytes) -> None:
    """What a stranger sends before anything of theirs is believed."""
    _password(data)
    assert isinstance(network(data.decode("latin-1")), str)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "text": lambda data: a_document(".txt", data),
    "markdown": lambda data: a_document(".md", data),
    "front_matter": lambda data: a_document(
        ".md", b"---\n" + data + b"\n---\nThe lamp burned oil. It is gone.\n"
    ),
    "html": lambda data: foreign(".html", data),
    "pdf": lambda data: foreign(".pdf", data),
    "docx": lambda data: foreign(".docx", data),
    "mail": lambda data: foreign(".eml", data),
    "saved_page": lambda data: foreign(".mht", data),
    "epub": lambda data: foreign(".epub", data),
    "feed": lambda data: foreign(".rss", data),
    "words": words,
    "descriptions": descriptions,
    "question": a_question,
    "batch": a_batch,
    "stream": a_stream,
    "headers": headers,
}
