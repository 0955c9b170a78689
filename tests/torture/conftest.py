"""Faults and attacks, round after round: a share of the rounds in `make test`, all in `make torture`."""

import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pytest


@dataclass
class Rounds:
    """Call it with the number of all rounds and of the share: it gives each round its random numbers."""

    seed: int
    all: bool
    done: int = 0
    told: str = ""
    """What was measured on the way."""

    def __call__(self, rounds: int, share: int) -> Iterator[random.Random]:
        for n in range(rounds if self.all else share):
            yield random.Random(f"{self.seed} {n}")
            self.done += 1


_ROUNDS = pytest.StashKey[Rounds]()
_TABLE = pytest.StashKey[list[tuple[str, str]]]()


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Rounds:
    """The rounds of one case."""
    options = request.config.option
    own = request.node.stash[_ROUNDS] = Rounds(options.seed, options.torture)
    return own


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and (rounds := item.stash.get(_ROUNDS, None)):
        row = f"{rounds.done:6} rounds, seed {rounds.seed}: {report.outcome}, {report.duration:.1f} s"
        name = item.name.removeprefix("test_").replace("_", " ")
        item.config.stash.setdefault(_TABLE, []).append((name, f"{row}{rounds.told and '; '}{rounds.told}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if table := config.stash.get(_TABLE, None):
        terminalreporter.section("faults and attacks")
        for name, row in table:
            terminalreporter.line(f"{name}: {row}")
