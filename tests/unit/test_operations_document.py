"""docs/operations.md is complete: every setting, metric and alert, exit codes, and a unit that systemd takes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from ruamel.yaml import YAML

from engine.bus.memory.bus import MemoryBus
from engine.core import errors
from engine.core.rules import Rules
from engine.runtime.business_metrics import MEANINGS, business_metrics
from engine.runtime.commits import CommitCounts
from engine.runtime.single.engine import Engine
from engine.settings import AccessSettings, KafkaSettings, Settings
from engine.telemetry import Figures, Telemetry, WorkerFigures, worker_metrics
from engine.telemetry.fold import Commits
from tests.auditor.events import counted
from tests.auditor.workload import encoded
from tests.unit.documents import DOCS, ROOT, rows, section, text_of
from tests.unit.work import ARRIVED

TEXT = text_of("operations.md")
UNIT = DOCS / "stockline.service"


def shown(field: FieldInfo) -> str:
    """A default as the document shows it."""
    if field.is_required():
        return "required"
    if field.default is None:
        return ""
    return "false" if field.default is False else f"`{field.default}`"


@pytest.mark.parametrize(
    ("document", "heading", "kind"),
    [
        ("operations.md", "Every process", Settings),
        ("operations.md", "On Kafka", KafkaSettings),
        ("security.md", "Settings", AccessSettings),
    ],
)
def test_every_setting_has_its_line(document: str, heading: str, kind: type[BaseSettings]) -> None:
    wanted = [
        [f"`STOCKLINE_{name.upper()}`", shown(field), field.description] for name, field in kind.model_fields.items()
    ]
    lines = "\n".join(f"| {name} | {default} | {meaning} |".replace("|  |", "| |") for name, default, meaning in wanted)
    assert rows(section(text_of(document), heading)) == wanted, f"the table should be:\n{lines}"


def exposed(text: bytes) -> dict[str, str]:
    """Metric -> what it says, as Prometheus reads it."""
    families = text_string_to_metric_families(text.decode())
    named = {f"{family.name}_total" if family.type == "counter" else family.name: family for family in families}
    return {name: family.documentation for name, family in named.items() if not name.endswith("_created")}


COUNTERS = {"events:stock.issued": 2, "repeats:stock.issued": 1, "dead_letters:conflict": 1, "rejected:stock.issued": 1}


def one_commit() -> Commits:
    counts = CommitCounts()
    counts.succeeded(0.1)
    return counts.figures()


def served() -> bytes:
    """What `run` exposes when it has counted something of everything."""
    engine = Engine(MemoryBus(1), Rules(clock="log"))
    engine.submit([encoded(counted(1, 5)), encoded(counted(2, 6))], ARRIVED)
    business = business_metrics(engine.bus)
    commits = one_commit()
    telemetry = Telemetry(
        lambda: Figures(0, 0, {"applied": 1}, COUNTERS, business, commits, 0.0, disk_bytes=1, data=Path("/"))
    )
    telemetry.answered("/v1/sync", 200, 0.1)
    return telemetry.expose()


def worked() -> bytes:
    """What a worker exposes."""
    commits = one_commit()
    return worker_metrics(lambda: WorkerFigures(1, 0, {"applied": 1}, COUNTERS, commits, 0, (1, 0.5), 0.0, Path("/")))


def test_every_metric_is_named_where_it_is_exposed() -> None:
    of_run, of_worker = exposed(served()), exposed(worked())
    named = {name.strip("`"): set(where.split(", ")) for name, where, _ in rows(section(TEXT, "Metrics"))}
    figures = {f"stockline_{name}" for name in MEANINGS}
    assert {name for name, where in named.items() if "worker" in where} == of_worker.keys()
    assert {name for name, where in named.items() if "run" in where} == of_run.keys() - figures
    assert {name.strip("`") for name, _ in rows(section(text_of("kpis.md"), "Metrics"))} == figures <= of_run.keys()


UNITS = ("seconds", "bytes", "units")
ABBREVIATED = re.compile(r"_(?:ms|us|ns|sec|secs|min|mins|kb|mb|gb|mib|pct|percent|milliseconds|kilobytes)(?:_|$)")
RESERVED = ("_count", "_sum", "_bucket", "_total")
SKUS = {"sku", "signal", "order", "receipt", "supplier", "id"}


@pytest.mark.parametrize("text", [served(), worked()], ids=["run", "worker"])
def test_metrics_keep_the_rules_of_prometheus(text: bytes) -> None:
    """The rules of `promtool check metrics`, and none that has a label whose values grow with the stock."""
    families = text_string_to_metric_families(text.decode())
    for family in (family for family in families if not family.name.endswith("_created")):
        assert re.fullmatch(r"stockline_[a-z][a-z0-9_]*", family.name), "base units, snake case"
        assert family.documentation, f"{family.name} says nothing"
        assert not ABBREVIATED.search(family.name), family.name
        assert not re.search(r"_(?:counter|gauge|histogram|summary)(?:_|$)", family.name), "a type is no part of a name"
        if family.type != "histogram":
            assert not family.name.endswith(RESERVED), family.name
        misplaced = [word for word in UNITS if word in family.name.split("_")[:-1]]
        assert not misplaced, f"the unit of {family.name} is last"
        assert not {label for sample in family.samples for label in sample.labels} & SKUS, family.name


def test_every_alert_has_what_to_do() -> None:
    wanted: list[list[str]] = []
    for file in ("alerts.yml", "one-machine-alerts.yml"):
        rules: Any = YAML(typ="safe").load((ROOT / ".monitoring" / "prometheus" / file).read_text())
        for rule in (rule for group in rules["groups"] for rule in group["rules"]):
            line = [f"`{rule['alert']}`", rule["labels"]["severity"], rule.get("for", "")]
            wanted += [] if line in wanted else [line]
    told = rows(section(TEXT, "Alerts of the monitoring"))
    assert [row[:3] for row in told] == wanted
    assert all(len(what) > 40 for *_, what in told)


def test_every_exit_code_is_told() -> None:
    told = {int(code) for code, *_ in rows(section(TEXT, "As a service")) if code.isdigit()}
    made = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds = [kind for kind in made if issubclass(kind, errors.StocklineError)]
    assert told == {0, *(kind.exit_code for kind in kinds if kind.exit_code != 1)}


# the unit -------------------------------------------------------------------------------------------------------------


def test_the_unit_runs_the_command_and_does_not_repeat_a_mistake() -> None:
    unit = UNIT.read_text()
    assert re.search(r"^ExecStart=\S+/stockline run --data /var/lib/stockline$", unit, re.MULTILINE)
    assert f"RestartPreventExitStatus={errors.UsageError.exit_code}" in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not there")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    command = tmp_path / "stockline"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    unit = tmp_path / "stockline.service"
    unit.write_text(UNIT.read_text().replace("/opt/stockline/bin/stockline", str(command)))
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    complaints = [line for line in ran.stderr.splitlines() if "stockline.service" in line]
    assert (ran.returncode, complaints) == (0, []), ran.stderr
