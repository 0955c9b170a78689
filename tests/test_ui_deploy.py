"""What runs feud on many machines is valid, fits together and to the program. None of it is started here."""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose
from typer.main import get_command
from yamllint import linter
from yamllint.config import YamlLintConfig

from index import MODELS
from rag.settings import Settings
from ui.cli import app
from ui.health import OPEN

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "ui" / "deploy"
FILES = sorted(DEPLOY.rglob("*.yaml"))
LINT = YamlLintConfig("{extends: default, rules: {line-length: {max: 120}, document-start: disable}}")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
OBJECTS: list[dict[str, Any]] = [
    each
    for file in FILES
    if file.name not in ("compose.yaml", "kustomization.yaml")
    for each in yaml.safe_load_all(file.read_text("utf-8"))
]
PODS = [each["spec"]["template"] for each in OBJECTS if "template" in each.get("spec", {})]
CONTAINERS = [container for pod in PODS for container in pod["spec"]["containers"]]


def named(kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind by their names."""
    return {o["metadata"]["name"]: o for o in OBJECTS if o["kind"] == kind and "name" in o["metadata"]}


def mistakes(thing: dict[str, Any]) -> str:
    """What the schema of its kind says against an object, "" for nothing."""
    try:
        kubernetes_validate.validate(thing, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error.message)
    return ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(DEPLOY).as_posix())
def test_the_yaml_is_clean(file: Path) -> None:
    assert [str(problem) for problem in linter.run(file.read_text("utf-8"), LINT)] == []


def test_the_linter_sees_a_name_that_stands_twice() -> None:
    assert [p.rule for p in linter.run("a: 1\na: 2\n", LINT)] == ["key-duplicates"]


def test_each_object_is_one_of_kubernetes() -> None:
    assert {o["kind"]: problem for o in OBJECTS if (problem := mistakes(o))} == {}
    assert {"Deployment", "StatefulSet", "Service", "Job", "Ingress", "NetworkPolicy"} <= {
        o["kind"] for o in OBJECTS
    }


BREAKS = (
    ("replicas: 3", "replicas: many"),
    ("readinessProbe:", "readinesProbe:"),
    ("drop: [ALL]", "drop: ALL"),
    ("restartPolicy: Never", "restartpolicy: Never"),
    ("pathType: Prefix", "pathKind: Prefix"),
)


@pytest.mark.parametrize(("right", "wrong"), BREAKS)
def test_a_slip_in_an_object_is_seen(right: str, wrong: str) -> None:
    texts = [(DEPLOY / "kubernetes" / name).read_text("utf-8") for name in ("feud.yaml", "reindex.yaml")]
    text = next(text for text in texts if right in text)
    assert any(mistakes(each) for each in yaml.safe_load_all(text.replace(right, wrong)))


def composed(text: str) -> PyCompose:
    """A compose file as its specification reads it, once YAML's own anchors are taken in."""
    return PyCompose.from_json(json.dumps(yaml.safe_load(text)))


def test_the_compose_file_is_one() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    assert sorted(composed(text).service_names()) == sorted(COMPOSE["services"])
    for right, wrong in (
        ("healthcheck:", "healthchek:"),
        ("restart: unless-stopped", "restart: sometimes"),
        ("condition: service_healthy", "condition: healthy"),
        ("interval: 10s", "interval: soon"),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            composed(text.replace(right, wrong))


def test_what_compose_names_is_there() -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        used = [volume.partition(":")[0] for volume in service.get("volumes", ())]
        assert {v for v in used if not v.startswith(".")} <= set(COMPOSE["volumes"]), name
        for kind in ("configs", "secrets"):
            assert {each["source"] for each in service.get(kind, ())} <= set(COMPOSE[kind]), name
        for other, how in service.get("depends_on", {}).items():
            assert "healthcheck" in services[other], (name, other, how)
    assert "server feud:7860;" in COMPOSE["configs"]["nginx"]["content"]


@pytest.mark.skipif(
    not shutil.which("kubectl"), reason="kubectl is not installed: how its parts are put together"
)
def test_kustomize_puts_the_parts_together(tmp_path: Path) -> None:
    """The embedder takes the place of each feud's own."""
    shutil.copytree(DEPLOY / "kubernetes", tmp_path / "all")
    file = tmp_path / "all" / "kustomization.yaml"
    for wanted, address in ((False, "multilingual-e5-small"), (True, "http://embedder:8080/v1#BAAI/bge-m3")):
        if wanted:
            file.write_text(file.read_text().replace("# components:", "components:"))
        done = subprocess.run(["kubectl", "kustomize", file.parent], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        made = list(yaml.safe_load_all(done.stdout))
        [settings] = [o["data"] for o in made if (o["kind"], o["metadata"]["name"]) == ("ConfigMap", "feud")]
        assert settings["FEUD_EMBEDDER"] == address
        assert {o["metadata"]["name"] for o in made if o["kind"] == "Deployment"} == {"feud", "model"} | (
            {"embedder"} if wanted else set()
        )
        assert {o["metadata"].get("namespace", "feud") for o in made} == {"feud"}


def settings() -> Iterator[tuple[str, str]]:
    """Each setting that a file gives to feud."""
    yield from named("ConfigMap")["feud"]["data"].items()
    for container in CONTAINERS:
        for each in container.get("env", ()):
            yield each["name"], each["value"]
    for service in COMPOSE["services"].values():
        yield from service.get("environment", {}).items()


def test_the_settings_are_those_of_the_program() -> None:
    known = {f"FEUD_{name.upper()}" for name in Settings.__dataclass_fields__}
    given = [(name, value) for name, value in settings() if name.startswith("FEUD_")]
    assert {name for name, _ in given} <= known
    own = {model.name for model in MODELS}
    hosts = {"FEUD_STORE", "FEUD_LLM_BASE_URL"}
    services = {name: {port["port"] for port in s["spec"]["ports"]} for name, s in named("Service").items()}
    seen = 0
    for name, value in given:
        if name in hosts or "://" in value:
            place = urlsplit(value)
            assert place.hostname in COMPOSE["services"], value
            assert place.port in services[str(place.hostname)], value
            seen += 1
        elif name == "FEUD_EMBEDDER":
            assert value.removeprefix("${FEUD_EMBEDDER:-").removesuffix("}") in own
    assert seen >= 6
    asked = {value for name, value in given if name == "FEUD_LLM_MODEL"}
    served = {words[words.index("--model") + 1] for words in commands() if "--model" in words}
    assert asked == served


def commands() -> Iterator[list[str]]:
    """What each container runs, or what its own program is given."""
    for each in [*CONTAINERS, *COMPOSE["services"].values()]:
        yield [*map(str, each.get("command", ())), *map(str, each.get("args", ()))]


def test_the_commands_are_those_of_the_program() -> None:
    program: Any = get_command(app)
    ran = [words[1:] for words in commands() if words[:1] == ["feud"]]
    assert {words[0] for words in ran} == {"serve", "index"}
    for name, *words in ran:
        command = program.commands[name]
        context = command.make_context(name, words)  # raises for what it does not know
        if name == "serve":
            assert (context.params["shared"], context.params["host"]) == (True, "0.0.0.0")
    contained = (ROOT / "Containerfile").read_text("utf-8")
    assert re.search(r"'\.\[mcp,milvus,metrics,tracing\]'", contained)
    home = re.search(r"FEUD_HOME=(\S+)", contained)
    assert home is not None
    own = [c for c in CONTAINERS if c.get("command", [""])[0] == "feud"]
    mounts = [mount["mountPath"] for container in own for mount in container["volumeMounts"]]
    assert mounts.count(home[1]) == 2
    assert f"{home[1]}/password" in mounts
    assert COMPOSE["services"]["feud"]["secrets"][0]["target"] == f"{home[1]}/password"


def test_probes_ask_routes_that_there_are_and_need_no_password() -> None:
    [serving] = [c for c in CONTAINERS if c["name"] == "feud"]
    kinds = ("startupProbe", "livenessProbe", "readinessProbe")
    paths = {kind: serving[kind]["httpGet"]["path"] for kind in kinds}
    assert paths == {
        "startupProbe": "/health",
        "livenessProbe": "/health",
        "readinessProbe": "/ready?without=model",
    }
    assert {urlsplit(path).path for path in paths.values()} == set(OPEN)
    assert "/ready?without=model" in " ".join(COMPOSE["services"]["feud"]["healthcheck"]["test"])
    for container in CONTAINERS:
        if "ports" in container:
            ports = {port["name"] for port in container["ports"]}
            assert {container[kind]["httpGet"]["port"] for kind in kinds} <= ports, container["name"]
    grace = [
        pod["spec"]["terminationGracePeriodSeconds"]
        for pod in PODS
        if pod["metadata"]["labels"]["app"] == "feud"
    ]
    [[_, pause]] = [c["lifecycle"]["preStop"]["exec"]["command"] for c in CONTAINERS if "lifecycle" in c]
    assert int(pause) < grace[0]


def test_each_container_has_its_share_and_a_fixed_image() -> None:
    assert len(CONTAINERS) == 5
    for container in CONTAINERS:
        for share in ("requests", "limits"):
            assert {"cpu", "memory"} <= container["resources"][share].keys(), container["name"]
    images = [c["image"] for c in CONTAINERS] + [s["image"] for s in COMPOSE["services"].values()]
    assert [image for image in images if not re.search(r":[\w.-]*\d", image)] == []
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert {image for image in images if image.startswith("feud:")} == {f"feud:{version}"}


def test_what_the_manifests_name_is_there() -> None:
    labels = [pod["metadata"]["labels"] for pod in PODS]
    for kind in ("Service", "PodDisruptionBudget"):
        for name, thing in named(kind).items():
            selector = thing["spec"]["selector"]
            wanted = selector.get("matchLabels", selector)
            assert any(wanted.items() <= own.items() for own in labels), (kind, name)
    for name, service in named("Service").items():
        ports = {p["name"] for pod in PODS if pod["metadata"]["labels"]["app"] == name for p in _ports(pod)}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports, name
    for name, policy in named("NetworkPolicy").items():
        assert any(policy["spec"]["podSelector"]["matchLabels"].items() <= own.items() for own in labels), name
    claims, maps = set(named("PersistentVolumeClaim")), set(named("ConfigMap"))
    for pod in PODS:
        spec = pod["spec"]
        volumes = {volume["name"]: volume for volume in spec.get("volumes", ())}
        for volume in volumes.values():
            assert volume.get("persistentVolumeClaim", {}).get("claimName") in {None, *claims}
            assert volume.get("configMap", {}).get("name") in {None, *maps}
        for container in spec["containers"]:
            mounted = {mount["name"] for mount in container.get("volumeMounts", ())}
            assert mounted <= volumes.keys() | {"data"}  # a claim of the StatefulSet's own
            assert {source["configMapRef"]["name"] for source in container.get("envFrom", ())} <= maps
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    files = {file.name for file in (DEPLOY / "kubernetes").glob("*.yaml")}
    assert files - set(listed) == {"kustomization.yaml", "reindex.yaml"}
    assert set(listed) < files


def _ports(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for container in pod["spec"]["containers"]:
        yield from container.get("ports", ())
