"""A reader of the page without a browser: it asks and listens as `ui/page.js` and Gradio's own script do."""

import http.client
import json
import re
import secrets
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

ANSWERING = 2
"""Which of the page's events answers a question that was sent; 0 takes it in."""


class Reader:
    """One browser session at that address."""

    def __init__(self, address: str) -> None:
        self.place, self.name = urlsplit(address).netloc, secrets.token_hex(8)
        self.seconds, self.words = 0.0, 0.0
        """How long the last answer took, and how long until the first snapshot of it."""

    def ask(self, question: str) -> str:
        """The finished answer to a question, as HTML."""
        *_, last = self.snapshots(question)
        return last

    def snapshots(self, question: str) -> Generator[str]:
        """Send a question, as its reader does, and give each state of the answer, as HTML."""
        began, self.words = time.monotonic(), 0.0
        self.begin(question)
        event = self.join()
        shown = ""
        for message in self.told():
            if message.get("event_id") != event:
                continue
            if message["msg"] in ("process_generating", "process_completed"):
                for value in message["output"].get("data", [])[:1]:
                    shown = _changed(shown, value)
                    self.words = self.words or time.monotonic() - began
                    yield shown
            if message["msg"] == "process_completed":
                assert message["success"], message
                self.seconds = time.monotonic() - began
                return

    def begin(self, question: str) -> None:
        """Write the question and send it."""
        status, body = self.post("run/predict", {"data": [question, None, [], [], "", ""], "fn_index": 0})
        assert status == 200, body

    def join(self) -> str:
        """Wait in the queue for an answer; the name of the place there."""
        status, body = self.post("queue/join", {"data": [None], "fn_index": ANSWERING})
        assert status == 200, body
        return str(body["event_id"])

    def post(self, path: str, value: dict[str, Any]) -> tuple[int, Any]:
        with closing(http.client.HTTPConnection(self.place, timeout=60)) as connection:
            body = json.dumps({**value, "session_hash": self.name, "event_data": None, "trigger_id": 11})
            connection.request("POST", f"/gradio_api/{path}", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            read = answer.read()
            return answer.status, json.loads(read) if read.startswith(b"{") else read

    def told(self) -> Iterator[dict[str, Any]]:
        """What the server tells of the places of this session in the queue."""
        with urlopen(
            f"http://{self.place}/gradio_api/queue/data?session_hash={self.name}", timeout=120
        ) as stream:
            for line in stream:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])


def _changed(shown: str, value: Any) -> str:
    """The next state: whole, or as Gradio tells what has changed."""
    if isinstance(value, str):
        return value
    for action, path, new in value:
        assert (action, path) == ("replace", []), value
        shown = new
    return shown


def texts(html: str) -> str:
    """What a reader reads of it."""
    return re.sub(r"<[^>]+>", " ", html)
