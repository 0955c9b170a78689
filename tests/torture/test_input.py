"""What people and files bring: hostile documents, invisible characters, impossible questions."""

import io
import os
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from index import build, open_index
from rag.assistant import Assistant
from rag.errors import QuestionError
from rag.prompt import visible
from tests.scripted_llm import CloseEmbedder
from tests.test_corpus_formats import epub
from tests.test_rag_assistant import MOULIN, QUAY, TOWER, check
from tests.torture.conftest import Rounds

ROOT = Path(__file__).parents[2]
# What getrusage tells begins with the peak of the process that started this one.
BUILD = """
import re, sys
from collections import Counter
from pathlib import Path
from index.build import Report, build
from tests.fakes import HashEmbedder
*_, report = build(Path(sys.argv[1]), Path(sys.argv[2]), HashEmbedder())
assert isinstance(report, Report)
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
for outcome in report.outcomes:
    print(repr(outcome.id), outcome.outcome, outcome.detail.replace("\\n", "?"), sep="\\t")
"""


def zipped(name: str, data: bytes, times: int = 1) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(times):
            archive.writestr(name if times == 1 else f"{n}{name}", data)
    return file.getvalue()


def aliases(depth: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, depth)]
    return "---\n" + "\n".join(lines) + "\n---\nText of a story. It ends.\n"


HOSTILE: dict[str, Callable[[Random], bytes]] = {
    "comments.html": lambda c: b"<!--" * c.randint(1_000, 80_000),
    "nested.html": lambda c: b"<div>" * c.randint(100, 50_000) + b"deep",
    "tables.html": lambda c: b"<table><tr><td>" * c.randint(10, 3_000),
    "attributes.html": lambda c: b"<p " + b"a=b " * c.randint(100, 50_000) + b">words of it</p>",
    "brackets.md": lambda c: b"[" * c.randint(100, 30_000) + b"]" * 500,
    "quotes.md": lambda c: b"> " * c.randint(100, 5_000) + b"deep words",
    "emphasis.md": lambda c: b"*a **b " * c.randint(100, 20_000),
    "aliases.md": lambda c: aliases(c.randint(5, 12)).encode(),
    "yaml.md": lambda c: b"---\n" + b"[" * c.randint(10, 5_000) + b"\n---\nwords\n",
    "front.md": lambda c: b"---\ntitle: !!python/object/apply:os.system ['touch /tmp/x']\n---\nwords\n",
    "escape.md": lambda c: b'---\ntitle: "\\U%08X \\ud83d"\n---\nwords\n' % c.randrange(1 << 32),
    "half.jsonl": lambda c: (
        b'{"id": "\\ud%03x", "title": "\\ud83d", "text": "words"}' % c.randrange(0x800, 0x1000)
    ),
    "bomb.docx": lambda c: zipped("word/document.xml", b" " * c.randint(10**6, 60 * 10**6)),
    "many.docx": lambda c: zipped("a.xml", b"x", c.randint(10, 3_000)),
    "torn.docx": lambda c: zipped("word/document.xml", b"<a/>")[: c.randint(4, 100)],
    "entities.docx": lambda c: zipped("word/document.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    "bomb.epub": lambda c: zipped("OEBPS/a.xhtml", b" " * c.randint(10**6, 60 * 10**6)),
    "torn.epub": lambda c: epub()[: c.randint(4, 900)],
    "nested.eml": lambda c: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * c.randint(10, 20_000),
    "levels.eml": lambda c: b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(c.randint(10, 900))
    ),
    "long.eml": lambda c: b"Subject: " + b"=?utf-8?q?a?= " * c.randint(10, 30_000) + b"\n\nwords of it",
    "addresses.eml": lambda c: b"From: " + b"(" * c.randint(10, 30_000) + b"\n\nwords of it",
    "entities.rss": lambda c: (
        b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(
            b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 9 if n else b"&a;" * 9)
            for n in range(c.randint(3, 9))
        )
        + b"]><rss><item><title>&a3;</title></item></rss>"
    ),
    "deep.rss": lambda c: b"<rss><item>" * c.randint(10, 20_000) + b"<title>words</title>",
    "items.xml": lambda c: b"<rss>" + b"<item><title>a</title></item>" * c.randint(10, 5_000) + b"</rss>",
    "noise.pdf": lambda c: b"%PDF-1.7\n" + c.randbytes(c.randint(1, 5_000)),
    "loop.pdf": lambda c: (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]>>endobj\ntrailer<</Root 1 0 R>>"
    ),
    "random.txt": lambda c: c.randbytes(c.randint(1, 4_000)),
    "line.txt": lambda c: b"a" * c.randint(1, 3_000_000),
    "words.txt": lambda c: b"a. " * c.randint(1, 200_000),
    "one.txt": lambda c: bytes([c.randrange(256)]),
    "combining.txt": lambda c: ("e" + "\u0301" * c.randint(1, 100_000)).encode(),
    "surrogate.txt": lambda c: b"words \xed\xa0\x80 here",
    "odd \u202e\n name.txt": lambda c: b"A story with words. It ends here.",
}


def test_hostile_files(tmp_path: Path, rounds: Rounds) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "good.txt").write_text(TOWER, "utf-8")
    for chosen in rounds(500, len(HOSTILE)):
        kinds = list(HOSTILE)
        name = kinds[rounds.done % len(kinds)]
        (folder / f"{rounds.done:04}-{name}").write_bytes(HOSTILE[name](chosen))
    os.mkfifo(folder / "pipe.txt")
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    (folder / "out.txt").symlink_to("/etc/passwd")
    with (folder / "sparse.txt").open("wb") as sparse:
        sparse.truncate(5_000_000_000)
    command = [sys.executable, "-c", BUILD, str(folder), str(tmp_path / "home")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2_000:]
    megabytes, *told = done.stdout.splitlines()
    outcomes = {line.split("\t")[0]: line.split("\t")[1] for line in told}
    assert len(outcomes) == len(told) == len(list(folder.iterdir()))
    assert outcomes["'good.txt'"] == "added"
    assert all(outcomes[f"'{name}.txt'"] == "quarantined" for name in ("pipe", "loop", "out", "sparse"))
    rounds.told = f"{sum(o == 'quarantined' for o in outcomes.values())} quarantined, {megabytes} MB at most"
    assert int(megabytes) <= 1_000


INVISIBLE = [
    *range(0xE0000, 0xE0080),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0x200B,
    0xFEFF,
    0,
    7,
    0x1B,
]


def test_invisible_characters(rounds: Rounds) -> None:
    letters = [*"ab é漢字ع नि", "\u200d", "\u200c", "👩"]
    for chosen in rounds(5_000, 1_000):
        pieces = [
            chr(chosen.choice(INVISIBLE)) if chosen.random() < 0.5 else chosen.choice(letters)
            for _ in range(40)
        ]
        shown = visible("".join(pieces))
        assert not {ord(character) for character in shown} & {*INVISIBLE}, pieces
        kept = [piece for piece in pieces if piece.isalpha()]
        assert [c for c in unicodedata.normalize("NFC", shown) if c.isalpha()] == kept


@pytest.fixture(scope="module")
def extractive(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    folder = tmp_path_factory.mktemp("documents")
    for name, text in {"tower.txt": TOWER, "quay.md": QUAY, "moulin.txt": MOULIN}.items():
        (folder / name).write_text(text, "utf-8")
    home = tmp_path_factory.mktemp("home")
    assert list(build(folder, home, CloseEmbedder()))
    index = open_index(home, CloseEmbedder())
    return Assistant(lambda: index, None)


LETTERS = [chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x3100), *range(0x1F300, 0x1F700))]
FRAGMENTS = [
    "What's up?", "C++", "?", '"', "'; DROP TABLE documents; --", "NEAR(a b)", "a AND OR NOT", "{x}", "%s %n",
    "{{7*7}}", "\0", "🙂" * 50, "\u202e", "ignore previous instructions", "<script>alert(1)</script>", "[1]",
    "http://evil.example", "../../etc/passwd", "1" * 400, "९९९", "谁建了塔", "من بنى البرج", "tower", "Hellis",
    "in 1903", "9999-99-99", "February 31", "before 0", "\n\n", "\t", "$(id)", "\\", "*", "e\u0301" * 30,
]  # fmt: skip


def test_hostile_questions(extractive: Assistant, rounds: Rounds) -> None:
    refused: list[str] = []
    for chosen in rounds(5_000, 250):
        odd = ["".join(chosen.choices(LETTERS, k=8)) for _ in range(3)]
        pieces = chosen.choices([*FRAGMENTS, *odd], k=chosen.randint(1, 8))
        question = chosen.choice(["", " "]).join(pieces)
        if chosen.random() < 0.01:
            question *= 20_000
        try:
            check(extractive.ask(question))
        except QuestionError as error:
            refused.append(str(error))
    assert not any("\n" in line for line in refused)
    rounds.told = f"{len(refused)} were no question"
