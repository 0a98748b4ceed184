"""docker-compose.yml and what it mounts, as far as they can be checked where no container runs.

Every command in it is parsed by the real application, every path is looked up, every metric is one that is exposed.
What needs containers is in tests/integration/test_containers.py.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from ruamel.yaml import YAML

from engine.cli import app
from engine.settings import KafkaSettings, Settings

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / ".monitoring"
PROCESSES = ("worker-1", "worker-2", "web", "stockline")
PUBLISHED = re.compile(r"127\.0\.0\.1:\$\{(?P<variable>[A-Z]+_PORT):-(?P<port>\d+)\}:\d+")
PROBE = re.compile(r"http://127\.0\.0\.1:(?P<port>\d+)(?P<path>/[\w/]+)")


def load_yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


COMPOSE = load_yaml(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def mounts(service: str) -> Iterator[tuple[str, str, str]]:
    """Source, target and mode of every mount."""
    for mount in SERVICES[service].get("volumes", []):
        source, target, *mode = mount.split(":")
        yield source, target, *(mode or ["rw"])


def parsed(service: str) -> tuple[str, dict[str, Any]]:
    """The subcommand of a service and its parameters, parsed as the application does."""
    program, name, *arguments = SERVICES[service]["command"]
    assert program == "stockline"
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    return name, command.make_context(name, arguments).params


def listening(service: str) -> set[int]:
    """The ports that the processes of a service listen on."""
    name, params = parsed(service)
    return {params["port"] + index for index in range(params["workers"] if name == "worker" else 1)}


# services -------------------------------------------------------------------------------------------------------------


def test_the_services_are_those_of_a_cluster_and_the_embedded_engine_asks_for_its_profile() -> None:
    assert set(SERVICES) == {"kafka", "worker-1", "worker-2", "web", "prometheus", "grafana", "stockline"}
    assert {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service} == {
        "stockline": ["embedded"]
    }


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_a_source_a_probe_and_limits(name: str) -> None:
    service = SERVICES[name]
    if "build" not in service:
        assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+\.\d+", service["image"]), "an image is pinned to a release"
    kind, *probe = service["healthcheck"]["test"]
    assert kind in {"CMD", "CMD-SHELL"}
    assert probe
    assert {"interval", "timeout", "start_period", "retries"} <= set(service["healthcheck"])
    assert service["restart"] == "unless-stopped"
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "kafka")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_only_for_what_tells_that_it_is_healthy(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        assert wait == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[other]
        assert "profiles" not in SERVICES[other], "it would not be started"


def test_every_process_on_kafka_waits_for_it() -> None:
    waiting = {name for name, service in SERVICES.items() if "kafka" in service.get("depends_on", {})}
    assert waiting == {"worker-1", "worker-2", "web"}


def test_every_published_port_is_on_the_loopback_and_published_once() -> None:
    published = [PUBLISHED.fullmatch(port) for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert all(published)
    assert len({(port["variable"], port["port"]) for port in published if port}) == len(published)


@pytest.mark.parametrize("name", SERVICES)
def test_every_mount_is_a_volume_that_is_declared_or_a_path_that_exists_and_is_only_read(name: str) -> None:
    for source, target, mode in mounts(name):
        assert target.startswith("/")
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert mode == "ro"
        else:
            assert source in COMPOSE["volumes"], source


def test_every_volume_has_one_owner() -> None:
    named = [source for name in SERVICES for source, _, _ in mounts(name) if not source.startswith(".")]
    assert sorted(named) == sorted(COMPOSE["volumes"])


# stockline's own processes --------------------------------------------------------------------------------------------


def test_every_service_that_is_built_runs_stockline() -> None:
    assert {name for name, service in SERVICES.items() if "build" in service} == set(PROCESSES)
    assert {name: parsed(name)[0] for name in PROCESSES} == {
        "worker-1": "worker", "worker-2": "worker", "web": "web", "stockline": "run"
    }  # fmt: skip


@pytest.mark.parametrize("name", PROCESSES)
def test_the_settings_of_a_process_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, value)
    command, params = parsed(name)
    kinds: list[type[Settings | KafkaSettings]] = [Settings] if command == "run" else [Settings, KafkaSettings]
    for kind in kinds:
        given = {key: value for key, value in params.items() if key in kind.model_fields and value is not None}
        kind(**given)


@pytest.mark.parametrize("name", PROCESSES)
def test_every_variable_of_a_process_is_a_setting_and_a_string(name: str) -> None:
    known = {f"STOCKLINE_{field.upper()}" for kind in (Settings, KafkaSettings) for field in kind.model_fields}
    environment = SERVICES[name]["environment"]
    assert set(environment) <= known
    assert all(isinstance(value, str) for value in environment.values())


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_listens_where_it_is_published_and_asked_for_its_readiness(name: str) -> None:
    assert parsed(name)[1]["host"] == "0.0.0.0"
    program, flag, probe = SERVICES[name]["healthcheck"]["test"][1:]
    assert (program, flag) == ("python", "-c")
    compile(probe, "healthcheck", "exec")
    asked = PROBE.search(probe)
    assert asked is not None
    assert int(asked["port"]) in listening(name)
    assert asked["path"] == "/readyz"
    assert {int(port.rpartition(":")[2]) for port in SERVICES[name].get("ports", [])} <= listening(name)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_keeps_its_data_in_its_volume(name: str) -> None:
    (mount,) = mounts(name)
    assert mount[1:] == (str(parsed(name)[1]["data"]), "rw")


def test_both_readiness_routes_exist() -> None:
    assert '"/readyz"' in (ROOT / "engine" / "web" / "routes.py").read_text()
    assert '"/readyz"' in (ROOT / "engine" / "web" / "probes.py").read_text()


# Kafka ----------------------------------------------------------------------------------------------------------------


def test_kafka_is_where_the_others_look_for_it() -> None:
    environment = SERVICES["kafka"]["environment"]
    assert all(isinstance(value, str) for value in environment.values()), "YAML would make it something else"
    advertised = environment["KAFKA_ADVERTISED_LISTENERS"].removeprefix("PLAINTEXT://")
    assert {parsed(name)[1]["kafka"] for name in ("worker-1", "worker-2", "web")} == {advertised}
    host, _, port = advertised.partition(":")
    assert host in SERVICES
    listeners = dict(listener.split("://") for listener in environment["KAFKA_LISTENERS"].split(","))
    assert listeners["PLAINTEXT"] == f"0.0.0.0:{port}"
    assert environment["KAFKA_CONTROLLER_QUORUM_VOTERS"] == f"{environment['KAFKA_NODE_ID']}@{listeners['CONTROLLER']}"
    protocols = dict(pair.split(":") for pair in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert set(protocols) == set(listeners)
    assert environment["KAFKA_LOG_DIRS"] in {target for _, target, _ in mounts("kafka")}


def test_one_kafka_keeps_one_copy_of_everything() -> None:
    environment = SERVICES["kafka"]["environment"]
    copies = {name: value for name, value in environment.items() if name.endswith(("REPLICATION_FACTOR", "MIN_ISR"))}
    assert set(copies.values()) == {"1"}
    assert {name.removeprefix("KAFKA_").partition("_")[0] for name in copies} == {"OFFSETS", "TRANSACTION", "SHARE"}


def test_kafka_is_asked_by_its_own_script_and_is_the_version_of_the_tests() -> None:
    kind, script = SERVICES["kafka"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    heap, command, flag, address = shlex.split(script)
    assert heap.startswith("KAFKA_HEAP_OPTS=")
    assert (command, flag) == ("/opt/kafka/bin/kafka-broker-api-versions.sh", "--bootstrap-server")
    assert f"0.0.0.0:{address.rpartition(':')[2]}" in SERVICES["kafka"]["environment"]["KAFKA_LISTENERS"]
    version = SERVICES["kafka"]["image"].removeprefix("apache/kafka:")
    assert f"<version>{version}</version>" in (ROOT / "tests" / "real" / "pom.xml").read_text()
