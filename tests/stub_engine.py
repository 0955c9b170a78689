"""An engine without a model: what `rag.engine` runs as its child, for tests. It speaks as that does.

It writes the sentence that its prompt shows, a word each `PAUSE` seconds, and says Yes to any but the one that
answers nothing. Its model's file says how it is: "breaks" ends it while it loads, "loads" never ends loading,
"deaf" does not say that it is well once it was asked something. A GET tells for how many seconds it wrote.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, __file__)
PAUSE = 0.03
CONTROL = "The lake behind the old mill"  # the sentence of `rag/prompt.toml` that answers nothing


class _Handler(BaseHTTPRequestHandler):
    deaf = asked = False
    pause, spent = PAUSE, 0.0

    def do_GET(self) -> None:
        if self.deaf and _Handler.asked:
            time.sleep(600)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.spent).encode())

    def do_POST(self) -> None:
        began, _Handler.asked = time.monotonic(), True
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with suppress(ConnectionError):  # whoever asked may have left
            for event in _events(body, self.pause):
                self.wfile.write(b"data: " + json.dumps({"id": "1", **event}).encode() + b"\n\n")
            _Handler.spent += time.monotonic() - began
            self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _events(body: Any, pause: float) -> Iterator[dict[str, Any]]:
    asked = body["messages"][-1]["content"]
    if body.get("logprobs"):
        time.sleep(pause)
        word = "No" if CONTROL in asked else "Yes"
        likely = {"token": word, "logprob": -0.1, "top_logprobs": [{"token": word, "logprob": -0.1}]}
        yield {"choices": [{"index": 0, "delta": {"content": word}, "logprobs": {"content": [likely]}}]}
    else:
        shown = next((line.partition("] ")[2] for line in asked.splitlines() if "] " in line), "Nothing.")
        for word in shown.split(" ")[: body["max_tokens"]]:
            time.sleep(pause)
            yield {"choices": [{"index": 0, "delta": {"content": word + " "}}]}
    yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def main() -> None:
    """Serve until standard input closes."""
    settings = json.loads(sys.stdin.readline())
    _Handler.pause, how = settings.get("pause", PAUSE), Path(settings["model"]).read_text()
    if how == "breaks":
        sys.exit(11)
    if how == "loads":
        time.sleep(600)
    _Handler.deaf = how == "deaf"
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening", f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
