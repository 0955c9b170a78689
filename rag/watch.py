"""An engine that hangs is ended: a process can stop without ending, and its readers would wait a minute each.

llama.cpp answers `/health` in a thread of its own, also while it reads, writes, sleeps or loads again. What was
asked in vain counts, never the time that passed: a computer that was suspended, or a program that was stopped
and goes on, finds a good engine.
"""

import subprocess
import threading
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

EVERY = 0.8  # seconds between an answer and the next question
ANSWER = 0.9  # seconds that an answer may take; with all at work on two cores it took 0.2 at most
MISSED = 3  # answers in a row; with the pause before them 3.5 seconds at most


class Watch:
    """Looks after a child, in a thread, until it ends, and kills it once `MISSED` answers are missing.

    `address` is set when it is known. Until then the child loads, which only a stopped one does not do.
    """

    address = ""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self._child = child
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        missed = 0
        while self._child.poll() is None:
            asked = time.monotonic()
            if healthy(self.address) if self.address else not stopped(self._child.pid):
                missed = 0
                time.sleep(EVERY)
                continue
            missed += 1
            if missed == MISSED:
                self._child.kill()
                return
            time.sleep(max(0.0, asked + ANSWER - time.monotonic()))


def healthy(address: str) -> bool:
    """Whether the server at that address answers in time, whatever it says.

    One that takes no connection or breaks it off is ending, which is found without a watch.
    """
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=ANSWER)) as connection:
        try:
            connection.request("GET", "/health")
            connection.getresponse()
        except TimeoutError:
            return False
        except (OSError, HTTPException):
            return True
    return True


def stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal; False where the system does not tell."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False
