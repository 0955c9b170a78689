"""The conversation on a terminal: questions, and what can be ordered with a colon."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from corpus import FeudError
from rag.answer import Answer, Citation, Turn
from rag.assistant import Assistant
from ui.terminal import cited_words, plain, show

HELP = """:open N   show the source of [N], with the cited words marked
:help     show this
:quit     end the conversation; so does an empty line"""
_LAST = (":quit", ":q", ":exit", "quit", "exit")
_AROUND = 600  # characters of a source that are shown before and after the cited words
_REVERSED, _AS_BEFORE = "\x1b[7m", "\x1b[27m"
_REMEMBERED = 500  # lines that the arrow keys bring back


def converse(assistant: Assistant, remembered: Path, ask: Callable[[str], str] = input) -> None:
    """Ask and answer until `:quit`, an empty line or the end; what was typed before is kept in `remembered`."""
    forget = _remember(remembered) if sys.stdin.isatty() else None
    history: list[Turn] = []
    last: Answer | None = None
    try:
        while (line := _line(ask)) and line not in _LAST:
            try:
                if line.startswith(":"):
                    print(_ordered(line, last.citations if last else ()))
                    continue
                last = show(assistant, line, history)
                history.append(last.turn)
                print()
            except FeudError as error:
                print(f"error: {plain(str(error))}", file=sys.stderr)
    finally:
        if forget:
            forget()


def source(citation: Citation, marked: bool) -> str:
    """The words around a citation as its document has them; those in reverse if `marked`, else in ⟦⟧."""
    text = citation.document.text
    before, after = max(0, citation.start - _AROUND), min(len(text), citation.end + _AROUND)
    opening, closing = (_REVERSED, _AS_BEFORE) if marked else ("⟦", "⟧")
    words = [
        ("…" if before else "") + _lines(text[before : citation.start]),
        opening + _lines(citation.quote) + closing,
        _lines(text[citation.end : after]) + ("…" if after < len(text) else ""),
    ]
    return "\n".join([plain(cited_words(citation)[1]).strip(), "", "".join(words)])


def _ordered(line: str, citations: Sequence[Citation]) -> str:
    order, _, number = line[1:].partition(" ")
    if order == "help":
        return HELP
    if order != "open":
        return f"There is no order {plain(line)}.\n{HELP}"
    found = [each for each in citations if str(each.number) == number.strip().strip("[]")]
    if not found:
        known = ", ".join(f"[{each.number}]" for each in citations)
        return f"The last answer has {known or 'no sources'}. Write for example: :open 1"
    return source(found[0], sys.stdout.isatty())


def _lines(text: str) -> str:
    return "\n".join(plain(line) for line in text.split("\n"))


def _line(ask: Callable[[str], str]) -> str:
    try:
        return ask("? ").strip()
    except EOFError:
        return ""


def _remember(file: Path) -> Callable[[], None] | None:
    """Let the arrow keys bring back earlier lines, where the system can; return what keeps them."""
    try:
        import readline
    except ImportError:
        return None
    with suppress(OSError):
        readline.read_history_file(file)
    readline.set_history_length(_REMEMBERED)

    def keep() -> None:
        with suppress(OSError):
            file.touch(0o600)
            readline.write_history_file(file)

    return keep
