"""Fuzz a target, led by the code that its inputs reach: python -m tests.fuzz TARGET SECONDS [CORPUS].

What breaks it is written to crash-… or timeout-… in the working directory. Once mended, it becomes a file of
`tests/fuzz/found/TARGET`, and a test. Needs atheris, which `make fuzz` installs.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["corpus", "rag", "ui", "pypdf", "docx", "trafilatura"]):
    from tests.fuzz.targets import FOUND, TARGETS

SECONDS, MEGABYTES = 30, 3000  # that one input may take


def main() -> None:
    """Run the target until its time is over or something breaks it."""
    name, seconds, *corpus = sys.argv[1:]
    kept = Path(*corpus) if corpus else Path("/tmp/feud-fuzz", name)
    kept.mkdir(parents=True, exist_ok=True)
    seeds = [str(folder) for folder in (kept, FOUND / name) if folder.is_dir()]
    limits = [
        f"-max_total_time={seconds}",
        f"-timeout={SECONDS}",
        f"-rss_limit_mb={MEGABYTES}",
        "-max_len=4096",
    ]
    atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", *seeds], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
