"""The page's HTML: every character of a document arrives, none of them as markup, and the marks are exact."""

from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html  # type: ignore[import-untyped]

from corpus import Document, Published, Segment
from rag import Answer, Citation, Question, Statement, Timing
from tests.scripted import (
    ANSWER,
    COST,
    HARBOUR,
    MAYOR,
    OPENED,
    PIER,
    QUAY,
    Fixed,
    Scripted,
    ScriptedBench,
    document,
    sentence,
)
from ui.archive import Kept
from ui.conversation import KEPT, Conversation, Exchange, Session
from ui.describe import byline, date_words, escape, language_name, title, web_address
from ui.examples import SHIPPED
from ui.panel import shelf_html, source_html, talks_html
from ui.quality import measured_html
from ui.render import exchange_html, intro_html, line_html, status_words
from ui.talk import Talk, question_problem, thin
from ui.texts import say, speaking

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</textarea></style><b>bold</b>",
    "[link](javascript:alert(1)) **bold** ${alert(1)} {{constructor}}",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "\u202eright to left\u202c \U000e0041 \ufeff",
    "NUL\x00 and a lone surrogate \ud800",
)


def parsed(html: str) -> lxml_html.HtmlElement:
    return lxml_html.fragment_fromstring(html, create_parent="div")


def texts(html: str, path: str) -> list[str]:
    return [element.text_content() for element in parsed(html).xpath(path)]


def showable(text: str) -> str:
    return "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in text)


def test_the_mark_holds_exactly_the_cited_words_and_the_text_is_whole() -> None:
    html = source_html(PIER, MAYOR.start, MAYOR.end)
    assert texts(html, "//mark[@id='cited']") == ["قال العمدة: <b>نعم</b> & شكرا 🙂."]
    assert texts(html, "//div[@class='document']") == [PIER.text]
    assert "\r\n" in PIER.text
    assert parsed(html).xpath("//b") == []


def test_other_citations_are_marked_more_faintly_and_noise_is_dimmed() -> None:
    html = source_html(HARBOUR, OPENED.start, OPENED.end, [(COST.start, COST.end)])
    assert texts(html, "//mark[@id='cited']") == [OPENED.text]
    assert texts(html, "//mark[@class='other']") == [COST.text]
    assert texts(html, "//span[@class='noise']") == ["Partager · Imprimer · S'abonner\n"]
    assert texts(html, "//div[@class='document']") == [HARBOUR.text]


def test_overlapping_citations_and_a_citation_across_segments() -> None:
    text = "One two three four five"
    cut = (Segment(0, 8, "en", "article"), Segment(8, 14, "en", "noise"), Segment(14, 23, "nl", "article"))
    html = source_html(Document("a", text, "a", segments=cut), 4, 18, [(0, 7), (16, 23)])
    assert texts(html, "//mark[@id='cited']") == ["two three four"]
    assert "".join(texts(html, "//mark[@class='other']")) == "One twour five"
    assert texts(html, "//div[@class='document']") == [text]
    assert texts(html, "//*[@lang='nl']") == ["fo", "ur", " five"]


@given(st.text(max_size=80), st.data())
def test_any_span_of_any_text_is_marked_exactly(text: str, data: st.DataObject) -> None:
    spans = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(
        lambda pair: tuple(sorted(pair))
    )
    start, end = data.draw(spans)
    other = data.draw(spans)
    html = source_html(Document("a", text, "a"), start, end, [(other[0], other[1])])
    # lxml is stricter than a browser about controls, so what is compared is the HTML without its tags.
    assert escape(text) == _untagged(html.partition('tabindex="0">')[2])
    if start < end:
        assert escape(text[start:end]) == _untagged(_inside_mark(html))


def _untagged(html: str) -> str:
    return "".join(piece.rpartition(">")[2] for piece in html.split("<"))


def _inside_mark(html: str) -> str:
    inside = html.partition('id="cited" class="cited" tabindex="-1">')[2]
    depth, at = 1, 0
    while depth:
        opening, closing = inside.find("<mark", at), inside.find("</mark>", at)
        depth, at = (depth + 1, opening + 1) if -1 < opening < closing else (depth - 1, closing + 1)
    return inside[: at - 1]


def test_a_large_document_is_shown_in_a_window_around_the_citation() -> None:
    large = document("large", *((f"Sentence {n:06}. ", "article", "en") for n in range(2_000)))
    cited = sentence(large, "Sentence 001500.")
    html = source_html(large, cited.start, cited.end, shown=1_000)
    [shown] = texts(html, "//div[@class='document']")
    assert len(shown) == 1_000
    assert shown in large.text
    assert texts(html, "//mark[@id='cited']") == ["Sentence 001500."]
    assert "Characters 25,009 to 26,008 of 34,000;" in html


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text_everywhere(hostile: str) -> None:
    source = document(
        hostile,
        (hostile, "article", "en"),
        (hostile, "noise", 'x" onload="alert(1)'),
        title=hostile,
        publisher=hostile,
        author=hostile,
        url=f"javascript:alert(1)//{hostile}",
        published=Published("2020", "year", uncertain=True, words=hostile, note=hostile),
    )
    cited = sentence(source, hostile)
    answer = replace(
        ANSWER,
        question=Question(hostile, 'e"n<', hostile),
        statements=(Statement(hostile, (1,), "verified"), Statement(hostile, (1,), "quoted")),
        citations=(Citation(1, (cited,)),),
        disagreements=(replace(ANSWER.disagreements[0], about=hostile),),
        hits=(
            replace(
                ANSWER.hits[0], passage=replace(ANSWER.hits[0].passage, document=source, sentences=(cited,))
            ),
        ),
        notice=hostile,
        draft=hostile,
        llm=hostile,
    )
    running = exchange_html(Exchange(1, hostile, replace(answer, status="writing")), 3)
    done = exchange_html(Exchange(1, hostile, answer, "done"), 3)
    pages = (running, done, source_html(source, 0, len(hostile)), shelf_html([source]), line_html(hostile))
    for page in (*pages, intro_html([(hostile, hostile)])):
        tree = parsed(page)
        assert not tree.xpath("//script | //img | //svg | //a | //style | //iframe | //*[@onload or @onerror]")
        assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")]
        assert (
            showable(hostile) in [*tree.itertext()]
            or showable(hostile).strip() in page
            or escape(hostile) in page
        )
    assert texts(done, "//span[@class='words']") == [showable(hostile)] * 2


def test_only_web_addresses_become_links() -> None:
    html = source_html(HARBOUR, 0, 0)
    [link] = parsed(html).xpath("//a")
    assert dict(link.attrib) == {
        "href": "https://example.org/port",
        "target": "_blank",
        "rel": "noopener noreferrer",
    }
    for url in (
        None,
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.org",
        "http:",
        "http://[x",
        "/etc",
    ):
        assert web_address(replace(HARBOUR, url=url)) is None
        assert "<a " not in source_html(replace(HARBOUR, url=url), 0, 0)


def test_dates_are_told_as_precisely_and_as_doubtfully_as_they_are_known() -> None:
    assert date_words(Published()) == "no date printed"
    assert date_words(Published("2021-05-04", "day")) == "4 May 2021"
    assert date_words(Published("2021-06", "month", uncertain=True)) == "June 2021 (uncertain)"
    assert date_words(Published("2021", "year")) == "2021"
    either = Published("2021-03-04", "day", uncertain=True, until="2021-04-03")
    assert date_words(either) == "4 March 2021, perhaps as late as 3 April 2021 (uncertain)"
    html = source_html(QUAY, 0, 0)
    assert 'The date was read from “date 2021-06”. <bdi lang="en">The text disagrees.</bdi>' in html


def test_a_document_without_title_publisher_or_known_language_has_words_for_it() -> None:
    bare = Document("folder/bare.txt", "…", " ")
    assert title(bare) == "folder/bare.txt"
    assert byline(bare) == "publisher not named · no date printed · language unknown"
    assert language_name("tlh") == "Klingon"
    assert language_name("qqq") == "qqq"


def test_statuses_are_told_in_words() -> None:
    searching = Answer(ANSWER.question, "searching")
    reading = replace(searching, status="writing", hits=ANSWER.hits)
    assert status_words(Exchange(1, "?"), 3) == "waiting for a free place…"
    assert status_words(Exchange(1, "?", searching), 3) == "searching 3 documents…"
    assert status_words(Exchange(1, "?", reading), 3) == "reading 3 passages…"
    assert (
        status_words(Exchange(1, "?", replace(reading, draft="The")), 3)
        == "writing, and checking each sentence…"
    )
    assert status_words(Exchange(1, "?", reading, "stopped"), 3) == "Stopped, not finished."
    assert status_words(Exchange(1, "?", None, "broken"), 3).startswith("No answer came: too many questions")
    assert status_words(Exchange(1, "?", reading, "broken"), 3).startswith("The program failed before")
    assert status_words(Exchange(1, "?", ANSWER, "broken"), 3).startswith("The answer broke off.")
    assert status_words(Exchange(1, "?", ANSWER, "done"), 3) == ""


def test_the_passages_are_open_before_the_first_statement_and_folded_under_an_answer() -> None:
    reading = replace(ANSWER, status="writing", statements=(), citations=(), disagreements=())
    unfolded = "//details[@open]/ul/li"
    assert len(parsed(exchange_html(Exchange(1, "?", reading), 3)).xpath(unfolded)) == 3
    done = exchange_html(Exchange(1, "?", ANSWER, "done"), 3)
    assert parsed(done).xpath(unfolded) == []
    assert len(parsed(done).xpath("//details/ul/li")) == 3
    refused = replace(reading, status="not_in_documents", notice="The documents do not say.")
    html = exchange_html(Exchange(1, "?", refused, "done"), 3)
    assert texts(html, "//span[@class='notice']") == ["The documents do not say."]
    assert texts(html, "//summary") == ["The 3 nearest passages"]
    assert len(parsed(html).xpath(unfolded)) == 3


def test_an_answer_has_its_statements_marks_versions_and_time() -> None:
    html = exchange_html(Exchange(4, "?", ANSWER, "done"), 3)
    assert texts(html, "//span[@class='words']") == [s.text for s in ANSWER.statements]
    marks = parsed(html).xpath("//span[contains(@class,'statement')]//button")
    assert [(m.get("data-turn"), m.get("data-citation"), m.text) for m in marks] == [
        ("4", "1", "1"),
        ("4", "2", "2"),
        ("4", "3", "3"),
    ]
    assert marks[0].get("aria-label") == (
        "Open source 1: Le port de Saint-Malo · Le Télégramme du port · 4 May 2021 · French"
    )
    assert marks[0].get("data-quote") == OPENED.text
    assert texts(html, "//div[@class='version']/p") == ["12 million euros2", "15 million euros3"]
    foot = "answered in 4.8 s · passages after 0.04 s · scripted Save: Markdown HTML JSON CSL BibTeX PDF "
    assert texts(html, "//p[@class='foot']") == [foot]


def test_a_statement_that_quotes_is_in_the_language_of_its_source() -> None:
    quoting = replace(ANSWER, statements=(Statement(COST.text, (2,), "quoted"),))
    [statement] = parsed(exchange_html(Exchange(1, "?", quoting, "done"), 3)).xpath(
        "//span[contains(@class,'quoted')]"
    )
    assert statement.get("lang") == "fr"


def test_a_statement_that_may_not_answer_says_so_in_words() -> None:
    said = tuple(Statement(COST.text, (2,), "verified", likely) for likely in (0.9, 0.5, 0.3, None))
    html = exchange_html(Exchange(1, "?", replace(ANSWER, statements=said), "done"), 3)
    statements = parsed(html).xpath("//span[contains(@class,'statement')]")
    assert [[small.text for small in s.xpath(".//small")] for s in statements] == [
        [],
        ["probably the answer"],
        ["perhaps the answer"],
        [],
    ]


def test_the_draft_is_gone_once_the_answer_is_over() -> None:
    drafting = replace(ANSWER, status="writing", draft="It may be that")
    assert "It may be that" in exchange_html(Exchange(1, "?", drafting), 3)
    assert "It may be that" not in exchange_html(Exchange(1, "?", drafting, "stopped"), 3)


def test_a_conversation_remembers_finished_answers_only_and_never_more_than_it_keeps() -> None:
    talk = Conversation().ask("first").show(1, ANSWER).ask("second").show(2, replace(ANSWER, status="writing"))
    stopped = talk.end("stopped")
    assert talk.running
    assert not stopped.running
    assert stopped.end("broken") is stopped
    assert stopped.ask("third").turns == (ANSWER.turn,)
    talk = stopped
    for number in range(3, 2 * KEPT):
        talk = talk.ask(str(number)).show(number, ANSWER)
    assert len(talk.exchanges) == KEPT
    assert talk.exchange(2 * KEPT - 1) == Exchange(2 * KEPT - 1, str(2 * KEPT - 1), ANSWER, "done")
    assert talk.exchange("2") is None


def test_a_snapshot_that_comes_late_changes_nothing() -> None:
    stopped = Conversation().ask("first").end("stopped")
    assert stopped.show(1, ANSWER) is stopped
    again = stopped.ask("second")
    assert again.show(1, ANSWER) is again
    assert again.show(2, None) is again
    assert again.show(2, ANSWER).exchanges[-1].over == "done"


def test_a_session_gives_each_question_to_one_run_and_only_a_waiting_one_can_be_lost() -> None:
    session = Session()
    assert session.claim() is None
    session.change(lambda held: held.ask("first"))
    assert session.change(lambda held: held.ask("meanwhile")).asked == 1
    assert session.claim() == Exchange(1, "first")
    assert session.claim() is None
    assert session.lose().running
    session.change(lambda held: held.end("stopped").ask("second"))
    assert [exchange.over for exchange in session.lose().exchanges] == ["stopped", "broken"]
    assert deepcopy(session).conversation == Conversation()
    assert session.take_up(Conversation()).ask("third").exchanges == (Exchange(3, "third"),)
    assert session.take_up(Conversation((), 7)).ask("fourth").asked == 8


def test_a_stopped_run_shows_nothing_more_and_closes_its_stream() -> None:
    scripted, session = Scripted(pause=0), Session()
    talk = Talk(scripted, Fixed())
    talk.begin("first", session)
    run = talk.run(session)
    assert "searching 3 documents…" in next(run)
    assert "Stopped, not finished." in talk.stop(session)
    talk.begin("second", session)
    [last] = run
    assert "second" in last
    assert "waiting for a free place…" in last
    assert scripted.closed == 1
    assert session.conversation.running


def test_what_a_browser_asks_for_is_looked_up_not_believed() -> None:
    talk = Talk(Scripted(), Fixed())
    session = Session()
    session.change(lambda held: held.ask("?").show(1, ANSWER))
    opened = talk.open(session, {"turn": 1, "citation": 2})
    assert opened is not None
    assert texts(opened, "//mark[@id='cited']") == [COST.text]
    assert texts(opened, "//mark[@class='other']") == [OPENED.text]
    passage = talk.open(session, {"turn": 1, "passage": 2})
    assert passage is not None
    assert texts(passage, "//mark[@id='cited']") == [MAYOR.text]
    shelf = talk.open(session, {"document": "quay.txt"})
    assert shelf is not None
    assert texts(shelf, "//div[@class='document']") == [QUAY.text]
    span = {"document": "harbour.txt", "start": COST.start, "end": COST.end}
    assert texts(talk.open(session, span) or "", "//mark[@id='cited']") == [COST.text]
    for start, end in ((-1, 10**9), (10**9, 0), ("0", True), (5, 2)):  # what can't be meant is cut to what can
        assert talk.open(session, {"document": "harbour.txt", "start": start, "end": end})
    wrong: list[object] = [
        None,
        [],
        "x",
        {},
        {"turn": 1},
        {"turn": 1, "citation": 9},
        {"turn": 2, "citation": 1},
    ]
    wrong += [{"turn": "1", "citation": 1}, {"turn": 1, "passage": -1}, {"turn": 1, "passage": 3}]
    wrong += [{"document": -1}, {"document": "none.txt"}, {"document": ["quay.txt"]}]
    assert [talk.open(session, wanted) for wanted in wrong] == [None] * len(wrong)


def test_a_citation_is_told_in_the_language_of_the_question_where_that_is_another() -> None:
    talk, session = Talk(Scripted(), Fixed()), Session()
    session.change(lambda held: held.ask("?").show(1, ANSWER))
    for turn, number in ((1, 9), (2, 1), ("1", 1), (1, None)):
        talk.translate(session, turn, number)
    assert not session.conversation.exchanges[0].told
    _, now, _ = talk.translate(session, 1, 3)
    assert texts(now, "//p[@class='told']") == ["machine translation: 3 in en"]
    assert texts(now, "//button[@class='translate']") == ["Translate", "Translate"]
    none = replace(ANSWER, llm="")
    assert texts(exchange_html(Exchange(1, "?", none, "done"), 3), "//button[@class='translate']") == []
    session.change(lambda held: held.tell(held.exchanges[0], 1, ""))
    assert "No translation came" in exchange_html(session.conversation.exchanges[0], 3)
    own = replace(ANSWER, question=replace(ANSWER.question, language="fr"))
    read = exchange_html(Exchange(1, "?", own, "done"), 3)
    assert len(texts(read, "//button[@class='translate']")) == 1  # French readers need none of the French ones


def test_questions_that_are_empty_or_too_long_are_told_so() -> None:
    assert question_problem("x" * 1_000) == ""
    assert question_problem(" \n") == "Write a question first."
    assert question_problem("x" * 1_001) == (
        "The question has 1001 characters; at most 1000 are read. Please shorten it."
    )


def test_snapshots_that_only_lengthen_the_draft_are_thinned_and_nothing_else_is() -> None:
    writing = replace(ANSWER, status="writing", statements=(), timing=Timing())
    drafts = [replace(writing, draft="x" * n) for n in range(10)]
    steps = [writing, *drafts, replace(writing, statements=ANSWER.statements), ANSWER]
    ticks = iter(range(100))
    shown = list(thin(steps, every=3, clock=lambda: next(ticks)))
    assert shown == [steps[0], drafts[2], drafts[5], drafts[8], *steps[-2:]]
    assert list(thin(steps, every=0)) == steps


def test_there_are_examples_in_six_languages_and_each_is_a_question_that_may_be_asked() -> None:
    languages = [language for language, _ in SHIPPED]
    assert sorted(languages) == ["de", "en", "fr", "it", "nl", "zh"]
    assert [question_problem(question) for _, question in SHIPPED] == [""] * 6


def test_a_conversation_is_searched_to_its_end_and_each_word_is_sent_once() -> None:
    kept = Kept("a", "Quay", 0.0, ("again and again " * 2_000, "the end"))
    assert 'data-said="quay again and the end"' in talks_html([kept])


def test_a_run_that_cannot_be_shown_does_not_hide_the_others() -> None:
    runs = ScriptedBench().runs()
    assert measured_html(runs, None).count("data-run") == len(runs)
    assert say("unmeasured") in measured_html([], None)


def test_a_failing_case_shows_foreign_text_as_text_and_links_only_what_stands_somewhere() -> None:
    bench = ScriptedBench()
    [run] = bench.runs()
    [case] = run["cases"]
    gone = {"quote": "<i>gone</i>", "document": "", "start": 0, "end": 0}
    html = measured_html([run], {**run, "cases": [{**case, "cited": [gone], "forbidden": ["<b>arr</b>"]}]})
    assert '<li><q dir="auto">&lt;i&gt;gone&lt;/i&gt;</q></li>' in html
    assert "must not say: &lt;b&gt;arr" in html
    assert html.count("data-document") == len(case["gold"])


def test_the_last_snapshot_of_an_answer_is_never_left_out() -> None:
    drafts = [replace(ANSWER, status="writing", draft="a" * i) for i in range(9)]
    at_once = list(thin(drafts, clock=lambda: 1.0))
    assert at_once == [drafts[0], drafts[-1]]
    assert list(thin(drafts, every=0)) == drafts
    assert list(thin([])) == []


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        (
            "day and month can be read either way round; nothing in the text decides",
            "Nichts im Text entscheidet es.",
        ),
        (
            'contradicted by words of the text: "vorige week"',
            'Worte des Textes widersprechen ihm: "vorige week"',
        ),
        ("The printer put <b>another day</b> below it.", "below it. (Englisch)"),
        ("Der Verlag nennt einen anderen Tag als die Zeitung.", "als die Zeitung."),
    ],
)
def test_why_a_date_is_in_doubt_is_told_as_the_page_speaks_or_with_its_language(note: str, shown: str) -> None:
    doubtful = document(
        "a.txt", ("Text.", "article", "en"), published=Published("2025-06", "month", True, note=note)
    )
    with speaking("de"):
        [told] = texts(source_html(doubtful, 0, 0), "//*[@class='notes']/p")
    assert told.endswith(shown)
