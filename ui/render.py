"""From an `Exchange` to HTML. Pure functions: everything from a document, a model or a reader is escaped."""

from collections.abc import Iterable, Mapping, Sequence

from index import EVERYTHING, Filter, Hit
from rag import Answer, Citation, Disagreement, Statement, Version
from ui.conversation import Exchange
from ui.describe import byline, direction, escape, language_name, named, number, own_name, title
from ui.export import FORMS
from ui.texts import LANGUAGES, say, spoken


def exchange_html(exchange: Exchange, documents: int, talk: str = "") -> str:
    """One question with the newest snapshot of its answer.

    `documents` is how many are searched, `talk` the name under which the conversation is kept.

    The parts keep their places from the first snapshot to the last, so that the browser only changes
    what is new and a reader's focus and selection stay where they are.
    """
    answer = exchange.answer
    language = escape(answer.question.language) if answer else ""
    parts = (
        f'<h2 class="question" dir="auto" lang="{language}">{escape(exchange.question)}</h2>',
        _narrowed(exchange.where),
        f'<p class="status" role="status">{escape(status_words(exchange, documents))}</p>',
        f'<div class="reply" dir="{direction(answer.question.language)}">{_reply(exchange, answer)}</div>'
        if answer
        else "",
        _passages(exchange, answer) if answer else "",
        _foot(exchange, answer, talk) if answer else "",
        _again(exchange),
    )
    state = "running" if not exchange.over else exchange.over
    return (
        f'<article class="exchange" data-turn="{exchange.number}" data-state="{state}" '
        f'aria-busy="{"false" if exchange.over else "true"}">{"".join(parts)}</article>'
    )


def _narrowed(where: Filter) -> str:
    """What the search was narrowed to, under the question."""
    span = "–".join(str(day or "") for day in (where.since, where.until)) if where.since or where.until else ""
    what = [*map(language_name, sorted(where.languages)), *sorted(where.publishers), span]
    words = say("narrowed", what=", ".join(part for part in what if part))
    return f'<p class="narrowed">{escape(words)}</p>' if where != EVERYTHING else ""


def status_words(exchange: Exchange, documents: int) -> str:
    """What is going on, in words; "" once a whole answer stands there."""
    answer = exchange.answer
    if exchange.over == "done":
        return ""
    if exchange.over == "stopped":
        return say("stopped")
    if answer is None:
        return say("lost" if exchange.over else "waiting")
    if exchange.over:
        return say("broke" if answer.statements else "failed")
    if answer.status == "searching":
        return say("searching", count=documents)
    if answer.statements or answer.draft:
        return say("writing")
    return say("reading", count=len(answer.hits))


def _reply(exchange: Exchange, answer: Answer) -> str:
    """What grows; room is kept for it, so that the passages below, which are read meanwhile, stay in place."""
    return _prose(exchange, answer) + _differ(exchange.number, answer) + _sources(exchange, answer)


def _prose(exchange: Exchange, answer: Answer) -> str:
    citations = {citation.number: citation for citation in answer.citations}
    sentences = "".join(_statement(exchange.number, s, answer, citations) for s in answer.statements)
    draft = ""
    if answer.draft and not exchange.over:
        draft = (
            f'<span class="draft" aria-hidden="true" dir="auto"><bdi>{escape(answer.draft)}</bdi> '
            f"<small>{escape(say('draft'))}</small></span>"
        )
    notice = ""
    if answer.notice and not answer.statements:
        notice = f'<span class="notice" dir="auto">{escape(answer.notice)}</span>'
    return (
        f'<div class="said" lang="{escape(answer.question.language)}" aria-live="polite">'
        f"{sentences}{notice}{draft}</div>"
    )


def _statement(turn: int, statement: Statement, answer: Answer, citations: Mapping[int, Citation]) -> str:
    quoted = statement.support == "quoted"
    sources = [citations[number] for number in statement.citations if number in citations]
    language = sources[0].language if quoted and sources else answer.question.language
    kind, hint = ("quoted", say("quoted")) if quoted else ("verified", say("checked"))
    doubt = f"<small>{escape(say(statement.doubt))}</small>" if statement.doubt else ""
    return (
        f'<span class="statement {kind}" lang="{escape(language)}" dir="auto" title="{escape(hint)}">'
        f'<span class="words">{escape(statement.text)}</span>'
        f"{_marks(turn, statement.citations, citations)}{doubt}</span> "
    )


def _marks(turn: int, numbers: Iterable[int], citations: Mapping[int, Citation]) -> str:
    marks = "".join(_mark(turn, citations[number]) for number in numbers if number in citations)
    return f'<span class="marks">{marks}</span>'


def _mark(turn: int, citation: Citation) -> str:
    source = f"{title(citation.document)} · {byline(citation.document, citation.language)}"
    label = escape(say("open", number=citation.number, source=source))
    return (
        f'<button type="button" class="cite" data-turn="{turn}" data-citation="{citation.number}" '
        f'aria-label="{label}" data-source="{escape(source)}" data-quote="{escape(citation.quote)}" '
        f'data-language="{escape(citation.language)}">{citation.number}</button>'
    )


def _differ(turn: int, answer: Answer) -> str:
    citations = {citation.number: citation for citation in answer.citations}
    blocks = "".join(_disagreement(turn, disagreement, citations) for disagreement in answer.disagreements)
    return f'<div class="differ">{blocks}</div>'


def _disagreement(turn: int, disagreement: Disagreement, citations: Mapping[int, Citation]) -> str:
    versions = "".join(_version(turn, version, citations) for version in disagreement.versions)
    return (
        f'<section class="disagreement"><h3>{escape(say("differ"))}: '
        f"<bdi>{escape(disagreement.about)}</bdi></h3>"
        f'<div class="versions">{versions}</div></section>'
    )


def _version(turn: int, version: Version, citations: Mapping[int, Citation]) -> str:
    sources = [citations[number] for number in version.citations if number in citations]
    lines = "".join(
        f"<cite>{named(s.document)}<small>{escape(byline(s.document, s.language))}</small></cite>"
        for s in sources
    )
    return (
        f'<div class="version"><p dir="auto">{escape(version.text)}'
        f"{_marks(turn, version.citations, citations)}</p>{lines}</div>"
    )


def _sources(exchange: Exchange, answer: Answer) -> str:
    items = "".join(
        f'<li><button type="button" class="reference" data-turn="{exchange.number}" data-citation="{c.number}">'
        f"<b>{c.number}</b><span>{named(c.document)}"
        f"<small>{escape(byline(c.document, c.language))}</small>"
        f'<q lang="{escape(c.language)}" dir="auto">{escape(c.quote)}</q></span></button>'
        f"{_told(exchange, answer, c)}</li>"
        for c in answer.citations
    )
    heading = f"<h3>{escape(say('sources'))}</h3>" if items else ""
    return f'<div class="sources">{heading}<ul>{items}</ul></div>'


def _told(exchange: Exchange, answer: Answer, citation: Citation) -> str:
    """What a citation in another language says, or the offer to translate it, where a model can."""
    reader = answer.question.language
    if citation.language == reader or not exchange.over or not answer.llm:
        return ""
    told = exchange.told.get(citation.number)
    if told is None:
        return (
            f'<button type="button" class="translate" data-turn="{exchange.number}" '
            f'data-translate="{citation.number}" aria-label="{escape(say("translate"))} {citation.number}">'
            f"{escape(say('translate'))}</button>"
        )
    if not told:
        return f'<p class="told" role="status"><small>{escape(say("untranslated"))}</small></p>'
    return (
        f'<p class="told" role="status"><small>{escape(say("translated"))}</small> '
        f'<q lang="{escape(reader)}" dir="auto">{escape(told)}</q></p>'
    )


def _passages(exchange: Exchange, answer: Answer) -> str:
    if not answer.hits:
        return '<details class="passages" hidden><summary></summary></details>'
    bare = not answer.statements
    # Evidence is on screen before the first token; once sentences stand there it folds away.
    unfolded = bare or not exchange.over
    way = direction(answer.question.language)
    heading = say("nearest" if bare and exchange.over == "done" else "found", count=len(answer.hits))
    items = "".join(_passage(exchange.number, place, hit) for place, hit in enumerate(answer.hits))
    return (
        f'<details class="passages" dir="{way}" data-turn="{exchange.number}"{" open" if unfolded else ""}>'
        f"<summary><bdi>{escape(heading)}</bdi></summary><ul>{items}</ul></details>"
    )


def _passage(turn: int, place: int, hit: Hit) -> str:
    passage = hit.passage
    source = f"{title(passage.document)} · {byline(passage.document, passage.language)}"
    return (
        f'<li><button type="button" class="passage" data-turn="{turn}" data-passage="{place}" '
        f'title="{escape(say("open_passage", source=source))}">'
        f"<span>{named(passage.document)}"
        f"<small>{escape(byline(passage.document, passage.language))}</small></span>"
        f'<q lang="{escape(passage.language)}" dir="auto">{escape(passage.text)}</q></button></li>'
    )


def _foot(exchange: Exchange, answer: Answer, talk: str) -> str:
    if answer.timing.total_ms is None:
        return '<p class="foot"></p>'
    words = [say("took", seconds=number(answer.timing.total_ms / 1000, 1))]
    if answer.timing.evidence_ms is not None:
        words.append(say("evidence", seconds=number(answer.timing.evidence_ms / 1000, 2)))
    words += [name for name in (answer.llm,) if name]
    forms = " ".join(
        f'<button type="button" data-turn="{exchange.number}" data-save="{form}" '
        f'aria-label="{escape(say("save"))} {exchange.number}: {form}">{form}</button>'
        for form in FORMS
    )
    forms += f' <button type="button" data-print="{exchange.number}" '
    forms += f'aria-label="{escape(say("save"))} {exchange.number}: PDF">PDF</button>'
    save = f'<span class="save">{escape(say("save"))}: {forms}</span>'
    link = (
        f'<a class="link" href="#talk={escape(talk)}&amp;turn={exchange.number}" aria-live="polite" '
        f'title="{escape(say("link"))} {exchange.number}" data-copied="{escape(say("copied"))}">'
        f"{escape(say('link'))}</a>"
        if talk
        else ""
    )
    return f'<p class="foot">{escape(" · ".join(words))} {save} {link}</p>'


def _again(exchange: Exchange) -> str:
    """What takes the question into its box once more, to be asked again or otherwise."""
    if not exchange.over:
        return ""
    label = f"{say('again')}: {exchange.question}"
    return (
        f'<p class="again"><button type="button" class="plain" data-again="{escape(exchange.question)}" '
        f'aria-label="{escape(label)}">{escape(say("again"))}</button></p>'
    )


def intro_html(questions: Sequence[tuple[str, str]]) -> str:
    """What stands where the first answer will: a line of explanation and (language, question) to try."""
    chips = "".join(
        f'<li><button type="button" class="chip" data-example="{place}">'
        f"<small>{escape(language_name(language))}</small>"
        f'<span lang="{escape(language)}" dir="auto">{escape(question)}</span></button></li>'
        for place, (language, question) in enumerate(questions)
    )
    heading = f"<h3>{escape(say('try'))}</h3>" if chips else ""
    return f'<div class="intro"><p>{escape(say("intro"))}</p>{heading}<ul>{chips}</ul></div>'


def line_html(text: str) -> str:
    """The line under the question box: what is wrong with the question, "" if nothing is."""
    return f'<p class="line" role="alert">{escape(text)}</p>' if text else ""


def top_html(documents: int, keeps: bool = False, measures: bool = False) -> str:
    """The bar of the page: its name, its language, the documents, the timeline, what is measured or kept."""
    languages = "".join(
        f'<option value="{code}" lang="{code}"{" selected" if code == spoken() else ""}>'
        f"{escape(own_name(code))}</option>"
        for code in LANGUAGES
    )
    quality = f'<button type="button" data-do="quality">{escape(say("quality"))}</button>' if measures else ""
    talks = f'<button type="button" data-do="talks">{escape(say("talks"))}</button>' if keeps else ""
    return (
        f'<header class="top" lang="{spoken()}" data-source="{escape(say("source"))}"><h1>{say("name")}</h1>'
        f"<p>{escape(say('motto'))}</p><nav>"
        f'<select data-do="interface" aria-label="{escape(say("interface"))}">{languages}</select>'
        '<div class="views">'
        f'<button type="button" data-do="shelf">{escape(say("shelf"))} <b>{documents}</b></button>'
        f'<button type="button" data-do="times">{escape(say("timeline"))}</button>'
        f"{quality}{talks}"
        f'<button type="button" data-do="save">{escape(say("save"))}</button></div>'
        f'<button type="button" data-do="fresh">{escape(say("new"))}</button></nav></header>'
    )
