"""Repeated text, inside a document and across documents."""

from random import Random

from corpus import Document, leave_out_copies, sentences
from corpus.copies import OWNERS
from corpus.segments import segment

SENTENCES = [
    "The harbour office opened in May and has counted every ship since.",
    "It counted 312 ships in its first year, more than the mayor had expected.",
    "Fishermen doubt that the count is complete, since nobody watches at night.",
    "The mayor said that the figures would be published every month from now on.",
    "A second office is planned in the north, where the larger ships come in.",
]


def document(ident: str, *paragraphs: str) -> Document:
    text = "\n\n".join(paragraphs)
    return Document(ident, text, ident, segments=segment(text))


def said(doc: Document) -> list[str]:
    return [sentence.text for sentence in sentences(doc)]


def reasons(doc: Document) -> list[str]:
    return [s.reason for s in doc.segments if s.kind == "noise"]


def test_a_block_that_differs_in_one_word_keeps_that_sentence() -> None:
    changed = [*SENTENCES[:4], SENTENCES[4].replace("planned", "not planned")]
    doc = document("a.txt", " ".join(SENTENCES), " ".join(changed))
    assert said(doc) == [*SENTENCES, changed[4]]
    assert reasons(doc) == ["repeats line 1"]


def test_a_changed_number_is_kept() -> None:
    changed = [SENTENCES[0], SENTENCES[1].replace("312", "321"), *SENTENCES[2:]]
    assert changed[1] in said(document("a.txt", " ".join(SENTENCES), " ".join(changed)))


def test_other_quotes_and_markdown_make_no_difference() -> None:
    body = " ".join(SENTENCES).replace("the mayor had", "“the mayor” had")
    copy = body.replace("“", '"').replace("”", '"').replace("312 ships", "**312** ships")
    assert len(said(document("a.txt", body, copy))) == 5


def test_a_copy_of_a_document_keeps_only_what_is_new() -> None:
    first = document("a.txt", *SENTENCES)
    second = document("b.txt", *SENTENCES[:4], "A third office is planned.", SENTENCES[4])
    kept, copy = leave_out_copies([second, first])
    assert (kept.id, kept) == ("a.txt", first)
    assert said(copy) == ["A third office is planned."]
    assert reasons(copy) == ["repeats a.txt", "repeats a.txt"]
    assert [(s.start, s.end) for s in copy.segments][-1][1] == len(copy.text)


def test_a_sentence_that_two_documents_quote_is_kept_in_both() -> None:
    first = document("a.txt", *SENTENCES[:3])
    second = document("b.txt", SENTENCES[0], *SENTENCES[3:])
    assert leave_out_copies([first, second]) == (first, second)


def test_a_translation_is_no_copy() -> None:
    first = document("a.txt", SENTENCES[0])
    second = document("b.txt", "Das Hafenamt wurde im Mai eröffnet und zählt seither jedes Schiff.")
    assert leave_out_copies([first, second]) == (first, second)


def test_a_paragraph_at_the_edge_of_three_documents_is_kept_once() -> None:
    about = (
        "Port Today is an independent newspaper for the coast, written by and for the people who live there."
    )
    documents = [
        document(f"{n}.txt", SENTENCES[n], SENTENCES[n + 1] + " " + "Indeed. " * n, about) for n in (0, 2, 3)
    ]
    done = leave_out_copies(documents)
    assert [about in said(doc) for doc in done] == [True, False, False]
    assert "first of 0.txt" in reasons(done[1])[0]
    assert [about in said(doc) for doc in leave_out_copies(documents[:2])] == [True, True]


def test_a_form_that_is_filled_in_alike_is_kept() -> None:
    form = "\n\n".join(f"Office {n}\n\nShips: none.\n\nBoats: none." for n in range(12))
    assert said(document("a.txt", form)).count("Boats: none.") == 12


def test_copies_are_found_whatever_stands_in_every_document() -> None:
    """Against a slow twin that compares each document with all before it."""
    chosen = Random(3)
    foot = "Subscribe here.", "Every reader of Port Today supports the people who report from the coast, " * 2
    bodies: list[list[str]] = []
    for number in range(3 * OWNERS):
        body = [f"Ship {number} brought {chosen.randrange(10**6)} crates in week {n}." for n in range(5)]
        if number % 3 == 2:
            body = bodies[-2] if number % 2 else [*bodies[chosen.randrange(number)][:4], body[0]]
        bodies.append(body)
    documents = [document(f"{n:03}.txt", *body, *foot) for n, body in enumerate(bodies)]
    found = leave_out_copies(documents)
    copies = 0
    for number, body in enumerate(bodies):
        whole = sum(map(len, (*body, *foot)))
        same = [sum(len(each) for each in (*body, *foot) if each in (*b, *foot)) for b in bodies[:number]]
        best = max(same, default=0)
        wanted = {f"repeats {same.index(best):03}.txt"} if best >= 0.8 * whole else set()
        assert {reason for reason in reasons(found[number]) if reason.startswith("repeats")} == wanted
        copies += bool(wanted)
    assert copies >= OWNERS
