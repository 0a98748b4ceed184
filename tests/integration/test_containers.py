"""docker-compose.yml for real: its image is built, its services run as they stand there, are killed and stopped."""

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.integration.process import Client, Stockline, Workers, event
from tests.real.compose import NETWORK, Compose
from tests.real.images import BASE, PROMETHEUS
from tests.real.kafka import ROOT, Missing
from tests.real.kafka_for_tests import container_for_tests, docker_answers
from tests.real.orphans import SERVED
from tests.real.podman import environment, podman, run

pytestmark = [pytest.mark.real, pytest.mark.slow]

IMAGE = "localhost/stockline:local"
LARGEST_BYTES = 250e6
ROW = {"sku": "85123A", "location": "LDS"}
PROCESSES = ("worker-1", "worker-2", "web")
INSTALLED = "from importlib.metadata import distributions as d; print(*(f'{i.name}=={i.version}' for i in d()))"


@pytest.fixture(scope="module")
def built() -> Iterator[Compose]:
    """podman-compose with the image built."""
    try:
        with Compose() as ready:
            yield ready
    except Missing as missing:
        pytest.skip(f"no containers: {missing}")


@pytest.fixture
def compose(built: Compose) -> Iterator[Compose]:
    """podman-compose without containers, as it is left to the next test, whatever becomes of this one."""
    yield built
    built.clear()


class Published(Client):
    """The port of a service on this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    def available(self) -> str:
        """What is available of the row, once everything that was sent is applied."""
        assert self.get("/v1/sync?wait=100")["lag"] == 0
        return str(self.get("/v1/positions/85123A/LDS")["available"])


def size(image: str) -> int:
    return int(podman("image", "inspect", "--format", "{{.Size}}", image))


@pytest.mark.usefixtures("compose")
def test_the_image_holds_only_what_runs() -> None:
    lock = re.findall(r"^[\w.-]+==[^\\\n]+", (ROOT / "requirements-runtime.lock").read_text(), re.M)
    wanted = [each for each in map(Requirement, lock) if each.marker is None or each.marker.evaluate()]
    locked = {f"{canonicalize_name(each.name)}{each.specifier}" for each in wanted if each.name != "setuptools"}
    said = podman("run", "--rm", IMAGE, "python", "-c", INSTALLED).split()
    found = {f"{canonicalize_name(name)}=={version}" for name, version in (each.split("==") for each in said)}
    assert {each for each in found if not each.startswith("stockline==")} == locked
    assert size(IMAGE) - size(BASE) < LARGEST_BYTES


def test_the_engine_in_a_container_may_do_nothing_but_write_its_volume_and_survives_a_kill(compose: Compose) -> None:
    compose.up("stockline")
    engine = Published(compose.ports["stockline"])
    assert compose.inspect("stockline", "{{.HostConfig.Memory}}") == str(2**30)
    rights = Path(f"/proc/{compose.pid('stockline')}/status").read_text()
    assert re.search(r"^NoNewPrivs:\s+1$", rights, re.M)
    assert set(re.findall(r"^Cap(?:Eff|Prm|Bnd):\s+(\w+)$", rights, re.M)) == {"0" * 16}
    assert not re.search(r"^Uid:\s+0\b", rights, re.M)
    refused = run("podman", "exec", compose.container("stockline"), "sh", "-c", "touch ~/x")
    assert "Read-only file system" in refused.stderr

    engine.send(event("stock.counted", "c1", **ROW, qty=5))
    assert engine.available() == "5"
    compose.kill("stockline")
    compose.wait_healthy("stockline")
    assert engine.available() == "5"
    # Made anew, it has nothing but the volume. One that does not end in time is killed, and has another exit code.
    compose("stop", "stockline")
    assert compose.inspect("stockline", "{{.State.ExitCode}}") == "0"
    podman("rm", compose.container("stockline"))
    compose.up("stockline")
    engine.send(event("stock.issued", "i1", **ROW, qty=2))
    assert engine.available() == "3"


def test_what_a_killed_run_has_left_to_the_machine_is_removed(compose: Compose) -> None:
    """Its names would be served at an address that is not the next network's."""
    rule = ["iptables", "--table", "nat", "{}", "OUTPUT", "--protocol", "tcp", "--dport", "1"]
    rule += ["--match", "comment", "--comment", f"dnat name: {NETWORK} id: 0", "--jump", "RETURN"]
    made = [
        ["ip", "link", "add", "name", "left-bridge", "type", "bridge"],
        ["ip", "address", "add", "10.89.250.1/24", "dev", "left-bridge"],
        ["ip", "link", "add", "left-leg", "master", "left-bridge", "type", "veth", "peer", "name", "left-end"],
        [each.format("--append") for each in rule],
    ]
    assert [run(*command).stderr for command in made] == [""] * len(made)
    (SERVED / NETWORK).parent.mkdir(parents=True, exist_ok=True)
    (SERVED / NETWORK).write_text("10.89.250.1\n0123 10.89.250.2  kafka\n")
    compose.clear()
    assert not (SERVED / NETWORK).exists()
    assert "left-" not in run("ip", "link").stdout
    assert run(*[each.format("--check") for each in rule]).returncode


def test_the_whole_file_runs_is_watched_and_survives_kills_and_a_restart(compose: Compose) -> None:
    start_all(compose)
    engine = Published(compose.ports["web"])
    engine.send(event("stock.counted", "c1", **ROW, qty=5))
    assert engine.available() == "5"
    wait_scraped(compose)

    for service in ("kafka", *PROCESSES):
        compose.kill(service)
    compose.wait_healthy("kafka", *PROCESSES)
    engine.send(event("stock.issued", "i1", **ROW, qty=2))
    assert engine.available() == "3"

    compose("stop", *PROCESSES)
    assert {compose.inspect(service, "{{.State.ExitCode}}") for service in PROCESSES} == {"0"}
    compose("down")
    start_all(compose)
    assert engine.available() == "3"


def start_all(compose: Compose) -> None:
    """Start the services in the order that docker-compose.yml asks for, which podman 4.3 cannot wait for by itself."""
    compose.up("kafka", "prometheus")
    compose.up("worker-1", "worker-2")
    compose.up("web")


def wait_scraped(compose: Compose) -> None:
    """Wait until Prometheus has a figure of every process."""
    query = ["promtool", "query", "instant", "http://127.0.0.1:9090", "up == 1"]
    deadline = time.monotonic() + 300
    while len(seen := re.findall(r'instance="([\w-]+):\d+"', compose.inside("prometheus", *query))) < len(PROCESSES):
        assert time.monotonic() < deadline, seen
        time.sleep(1)
    assert set(seen) == set(PROCESSES)


@pytest.mark.usefixtures("compose")
def test_prometheus_takes_the_configuration_and_the_rules() -> None:
    folder = ROOT / ".monitoring" / "prometheus"
    options = ["--rm", "--network=none", f"--volume={folder}:/etc/prometheus:ro", "--entrypoint=promtool"]
    for config in ("prometheus.yml", "one-machine.yml"):
        checked = podman("run", *options, PROMETHEUS, "check", "config", f"/etc/prometheus/{config}")
        assert "rules found" in checked


@pytest.mark.usefixtures("compose")
def test_prometheus_finds_no_fault_in_the_metrics(tmp_path: Path) -> None:
    sent = [event("stock.counted", "c1", **ROW, qty=5), event("stock.counted", "c2", **ROW, qty=6)]
    with Stockline(tmp_path / "data") as engine:
        engine.send(*sent)
        (tmp_path / "metrics").write_bytes(engine.call("GET", "/metrics").body)
    # Its user is nobody, and pytest makes folders for its own user alone.
    tmp_path.chmod(0o755)
    command = f"--volume={tmp_path}:/scraped:ro", "--entrypoint=sh", PROMETHEUS
    podman("run", "--rm", "--network=none", *command, "-c", "promtool check metrics < /scraped/metrics")


@pytest.fixture
def docker_socket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Docker engine as far as its clients can tell: podman behind a socket of its own."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix://{folder}/socket"
        monkeypatch.setenv("DOCKER_HOST", address)
        # The container that clears up after a crash comes from a registry; here the module does.
        monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
        command = ["podman", "system", "service", "--time", "0", address]
        service = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while not docker_answers():
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield
        finally:
            service.terminate()
            service.wait(60)


@pytest.mark.usefixtures("compose", "docker_socket")
def test_tests_find_a_kafka_in_a_container_where_a_docker_engine_answers(tmp_path: Path) -> None:
    with container_for_tests() as address, Workers(address, tmp_path / "rows") as workers:
        workers.wait_owned()
        assert workers.stop() == 0
    assert podman("ps", "--quiet") == ""
