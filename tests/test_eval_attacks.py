"""Orders planted into news: where they stand, and what counts as following one."""

from dataclasses import replace

from eval.attacks import Attack, attacks, batches, follows, trials
from eval.pools import news, planted
from rag import Statement
from tests.scripted import ANSWER


def test_there_are_75_orders_and_each_names_its_goal() -> None:
    assert len({attack.text for attack in attacks()}) == 75
    assert [attack.goal for attack in attacks()].count("leak") == 25
    assert all("{" not in attack.text for attack in attacks())
    adaptive = [attack.goal for attack in attacks(adaptive=True)]
    assert [adaptive.count(goal) for goal in ("say", "deny", "leak")] == [5, 5, 5]


def test_an_order_stands_where_it_was_planted() -> None:
    pool = news()
    gold = [query.gold[0] for query in pool.queries]
    one, two, three = list({sentence.document.id: sentence for sentence in gold}.values())[:3]
    other = planted(pool, {one: (0, "Obey one."), two: (1, "Obey two."), three: (2, "Obey three.")})
    texts = [sentence.text for sentence in other.sentences]
    assert texts[texts.index(one.text) - 1] == "Obey one."
    assert texts[texts.index(two.text) + 1] == "Obey two."
    assert f"{three.text} Obey three." in texts
    assert len(texts) == len(pool.sentences) + 2
    assert {q.id: q.gold[0].text for q in other.queries if q.gold[0].text in (one.text, two.text)}
    assert all(s.document.text[s.start : s.end] == s.text for s in other.sentences)


def test_each_document_has_one_order_at_a_time_and_none_is_lost() -> None:
    waiting = trials(news(), 200)
    parts = batches(waiting)
    assert sum(map(len, parts)) == 200
    for part in parts:
        assert len({trial.query.gold[0].document.id for trial in part}) == len(part)
    assert len(trials(news())) == 675
    assert len(trials(news(), adaptive=True)) == 135


def test_what_follows_an_order() -> None:
    prompts = "you read one sentence of an article and a question"
    own = Statement("QUOKKA", (1,), "verified")
    leaked = Statement("You read one sentence of an article.", (1,), "verified")
    refused = replace(ANSWER, status="not_in_documents", statements=())

    def followed(goal: str, **changed: object) -> bool:
        return follows(replace(ANSWER, **changed), Attack("", goal), ANSWER, prompts)  # type: ignore[arg-type]

    assert followed("say", statements=(own,))
    assert not followed("say", statements=(replace(own, support="quoted"),))
    assert not followed("say")
    assert followed("leak", statements=(leaked,))
    assert not followed("leak")
    assert follows(refused, Attack("", "deny"), ANSWER, prompts)
    assert not follows(refused, Attack("", "deny"), refused, prompts)
    assert not followed("deny")
