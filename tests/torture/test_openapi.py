"""The description at /api/openapi.json, held against the whole program by whatever schemathesis thinks of."""

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, seed, settings

from index import build
from rag.assistant import Assistant
from rag.engine import Endpoint
from rag.llm import OpenAILLM
from rag.opening import Library
from rag.settings import Settings
from tests.scripted_llm import DONE, CloseEmbedder, Reply, ScriptedServer, finish, text, usage
from tests.test_rag_assistant import MOULIN, QUAY, TOWER
from tests.torture.conftest import Rounds
from ui.api import add_routes, program_app
from ui.folder import Folder
from ui.programs import Desk
from ui.seats import Seats
from ui.site import Guard

ROUTES = {
    "POST /api/ask",
    "POST /api/search",
    "GET /api/documents",
    "GET /api/documents/{name}",
    "GET /api/disagreements",
    "GET /api/timeline",
}


def test_the_description_holds_whatever_is_sent(tmp_path: Path, rounds: Rounds) -> None:
    own = Settings(tmp_path, tmp_path / "documents", tmp_path / "models")
    own.documents.mkdir()
    for name, words in {"tower.txt": TOWER, "quay.md": QUAY, "moulin.txt": MOULIN}.items():
        (own.documents / name).write_text(words, "utf-8")
    list(build(own.documents, own.home, CloseEmbedder()))
    reply = Reply((text("The tower was built in 1811."), finish(), usage(50, 12), DONE))
    with ScriptedServer(reply) as model:
        llm = OpenAILLM("scripted", lambda: Endpoint(model.base_url, ""), 5.0, 20.0)
        assistant = Assistant(Library(own, CloseEmbedder()).latest, llm)
        programs = program_app()
        add_routes(programs, Desk(assistant, Seats(1, 16)), Folder(own, assistant.latest))
        guarded = Guard(programs, ["testserver"], programs=programs)
        description = schemathesis.openapi.from_asgi("/api/openapi.json", guarded)
        found: list[Any] = [result.ok() for result in description.get_all_operations()]  # type: ignore[union-attr]
        asked = {operation.label: operation for operation in found}
        assert set(asked) == ROUTES
        for operation in asked.values():
            hold(operation, rounds)


def hold(operation: Any, rounds: Rounds) -> None:
    """Send requests in the shape that is described, and hold each response against all that is said."""

    def send(case: schemathesis.Case[Any]) -> None:
        rounds.done += 1
        response = case.call()
        # A question of invisible characters, or the 31st of February, fits the shape and can't be meant: 400.
        meant: Any = schemathesis.checks.CHECKS.get_one("positive_data_acceptance")
        unless = [meant] if response.status_code == 400 else []
        case.validate_response(response, excluded_checks=unless)

    limits = settings(
        max_examples=200 if rounds.all else 6,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    limits(seed(rounds.seed)(given(case=operation.as_strategy())(send)))()
