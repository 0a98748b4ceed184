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

from engine.core import errors
from engine.settings import AccessSettings, KafkaSettings, Settings
from engine.telemetry import Figures, Telemetry, WorkerFigures, worker_metrics
from tests.unit.documents import DOCS, ROOT, rows, section, text_of

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


def test_every_metric_is_named_where_it_is_exposed() -> None:
    telemetry = Telemetry(lambda: Figures(0, 0, {"applied": 1}, 0.0, 0.0, 1))
    telemetry.answered("/v1/sync", 200, 0.1)
    served = exposed(telemetry.expose())
    worked = exposed(worker_metrics(lambda: WorkerFigures(1, 0, {"applied": 1}, 0, 0, 0.0, 0.0)))
    named = {name.strip("`"): set(where.split(", ")) for name, where, _ in rows(section(TEXT, "Metrics"))}
    assert {name for name, where in named.items() if "worker" in where} == worked.keys()
    assert {name for name, where in named.items() if "run" in where} == served.keys()


def test_every_alert_has_what_to_do() -> None:
    rules: Any = YAML(typ="safe").load((ROOT / ".monitoring" / "prometheus" / "alerts.yml").read_text())
    wanted = [
        [f"`{rule['alert']}`", rule["labels"]["severity"], rule.get("for", "")]
        for group in rules["groups"]
        for rule in group["rules"]
    ]
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
