"""Too many readers of the page at once, and readers who leave: who waits is served, whoever left is gone."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from tests.reader import ANSWERING, Reader, texts
from tests.scripted import Fixed, Scripted
from tests.torture.conftest import Rounds

Served = Callable[..., str]
WAITING = 16


def test_a_flood_is_told_so_at_once_and_who_waits_is_answered(served: Served, rounds: Rounds) -> None:
    gate = threading.Event()
    address = served(Scripted(gates={"words": gate}), Fixed(), waiting=WAITING)
    readers = [Reader(address) for _ in rounds(300, 40)]

    def join(reader: Reader) -> tuple[int, float]:
        reader.begin("When did the quay open?")
        began = time.monotonic()
        status, _ = reader.post("queue/join", {"data": [None], "fn_index": ANSWERING})
        return status, time.monotonic() - began

    with ThreadPoolExecutor(20) as threads:
        joined = list(threads.map(join, readers))
    taken = [reader for reader, (status, _) in zip(readers, joined, strict=True) if status == 200]
    slowest = max(seconds for status, seconds in joined if status != 200)
    rounds.told = f"{len(taken)} waited, the others were refused within {slowest:.2f} s"
    assert {status for status, _ in joined} == {200, 503}
    assert WAITING <= len(taken) <= WAITING + 2
    gate.set()
    for reader in taken:
        done = next(message for message in reader.told() if message["msg"] == "process_completed")
        assert done["success"]
    assert "3 May 2021" in Reader(address).ask("And again?")


def test_who_leaves_frees_the_place(served: Served, rounds: Rounds) -> None:
    scripted = Scripted(pause=0.2)  # whoever stays is answered for some five seconds
    address = served(scripted, Fixed())
    waits = []
    for _ in rounds(200, 5):
        with closing(Reader(address).snapshots("When did the quay open?")) as leaving:
            began = time.monotonic()
            while "The quay" not in (shown := texts(next(leaving))):
                assert "searching" in shown or "reading" in shown or "writing" in shown, shown
            waits.append(time.monotonic() - began)
    waits.sort()
    usual = waits[int(0.95 * len(waits))]
    rounds.told = f"the next one's words came after {usual:.2f} s (p95), {waits[-1]:.2f} s at most"
    deadline = time.monotonic() + 20
    while scripted.closed < rounds.done:
        assert time.monotonic() < deadline, f"{scripted.closed} of {rounds.done} runs were ended"
        time.sleep(0.05)
    assert not rounds.all or usual < 1.2  # the first word alone takes .2 s
