"""Prometheus and Grafana as docker-compose.yml mounts them: every process is scraped, every metric named is exposed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.test_compose import MONITORING, ROOT, SERVICES, listening, load_yaml, mounts
from tests.unit.test_operations_document import served, worked

DASHBOARD = MONITORING / "grafana" / "dashboards" / "stockline.json"
DASHBOARDS = sorted(DASHBOARD.parent.glob("*.json"))
CONFIGS = ("prometheus.yml", "one-machine.yml")
"""What Prometheus reads: on Kafka, and beside one machine."""


PROVIDER = MONITORING / "grafana" / "dashboards" / "provider.yml"


OF_PROMETHEUS = {"up", "ALERTS"}


def scraped(name: str) -> dict[str, list[str]]:
    config = load_yaml(MONITORING / "prometheus" / name)
    return {
        job["job_name"]: [target for part in job["static_configs"] for target in part["targets"]]
        for job in config["scrape_configs"]
    }


JOBS = {job for name in CONFIGS for job in scraped(name)}


def rules(name: str) -> list[dict[str, Any]]:
    return [
        rule
        for file in load_yaml(MONITORING / "prometheus" / name)["rule_files"]
        for group in load_yaml(MONITORING / "prometheus" / file)["groups"]
        for rule in group["rules"]
    ]


def dashboard(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found


def queries() -> dict[str, str]:
    """Every PromQL expression that is kept in the repository, by where it stands."""
    found = {f"{name} alert {rule['alert']}": rule["expr"] for name in CONFIGS for rule in rules(name)}
    for path in DASHBOARDS:
        for panel in dashboard(path)["panels"]:
            found |= {
                f"{path.stem} panel {panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]
            }
    return found


QUERIES = queries()


def exposed() -> set[str]:
    """Every series that a process exposes, by the name that Prometheus sees."""
    families = [*text_string_to_metric_families((served() + worked()).decode())]
    return {sample.name for family in families for sample in family.samples} | {family.name for family in families}


def test_every_process_of_the_cluster_is_scraped_on_each_of_its_ports() -> None:
    assert scraped("prometheus.yml") == {
        f"stockline-{kind}": [f"{name}:{port}" for name in names for port in sorted(listening(name))]
        for kind, names in {"worker": ["worker-1", "worker-2"], "web": ["web"]}.items()
    }


def test_prometheus_reads_the_files_that_are_mounted() -> None:
    options = dict(option.split("=") for option in SERVICES["prometheus"]["command"])
    places = {target: source for source, target, _ in mounts("prometheus")}
    config = Path(options["--config.file"])
    assert (ROOT / places[str(config.parent)] / config.name).is_file()
    assert options["--storage.tsdb.path"] in places


def test_the_alerts_are_complete() -> None:
    found = {rule["alert"]: rule for rule in rules("prometheus.yml")}
    wanted = {"StocklineLagGrows", "StocklineNoWorker", "StocklineWebNotReady", "StocklineEventsRefused"}
    assert wanted <= set(found)
    alone = {rule["alert"]: rule for rule in rules("one-machine.yml")}
    assert {"StocklineDown", "StocklineEventsRefused", "StocklineDiskFull", "StocklineClockAhead"} <= set(alone)
    assert len(found) + len(alone) == len(rules("prometheus.yml")) + len(rules("one-machine.yml"))
    for rule in (*found.values(), *alone.values()):
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "description"} == set(rule["annotations"])
    assert found["StocklineLagGrows"]["for"] == "5m"


@pytest.mark.parametrize("place", QUERIES)
def test_every_metric_that_a_query_names_is_exposed(place: str) -> None:
    words = re.sub(r'"[^"]*"|\{\{.*?\}\}', "", QUERIES[place])
    named = set(re.findall(r"\b(?:stockline_\w+|up|ALERTS)\b", words))
    assert named, "a query about nothing"
    assert named <= exposed() | OF_PROMETHEUS


@pytest.mark.parametrize("place", QUERIES)
def test_every_query_says_whose_figures_it_means(place: str) -> None:
    # The web process tells lag and outcomes as well: without a job they would be counted twice.
    for matchers in re.findall(r"\b(?:stockline_\w+|up)\b(?:\{([^}]*)\})?", QUERIES[place]):
        meant = [job for job in JOBS for told in re.findall(r'\bjob=~?"([^"]+)"', matchers) if re.fullmatch(told, job)]
        assert meant, QUERIES[place]


@pytest.mark.parametrize("place", QUERIES)
def test_every_outcome_that_a_query_names_is_counted(place: str) -> None:
    outcomes = set(re.findall(r'outcome="(\w+)"', QUERIES[place]))
    assert outcomes <= {"applied", "duplicate", "refused"}


def test_the_dashboard_shows_what_an_operator_asks_for() -> None:
    shown = " ".join(expression for place, expression in QUERIES.items() if place.startswith("stockline panel"))
    for metric in (
        "stockline_events_total", "stockline_lag_events", "stockline_commit_seconds_bucket", "stockline_partitions",
        "stockline_rows", "stockline_http_requests_total", "ALERTS",
    ):  # fmt: skip
        assert metric in shown


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_the_panels_do_not_overlap(path: Path) -> None:
    cells: set[tuple[int, int]] = set()
    panels = dashboard(path)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        x, y, width, height = (panel["gridPos"][name] for name in "xywh")
        covered = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        assert x + width <= 24
        assert not covered & cells, panel["title"]
        cells |= covered


def test_the_business_dashboard_shows_every_figure_that_docs_define() -> None:
    shown = " ".join(expression for place, expression in QUERIES.items() if place.startswith("business panel"))
    for metric in (
        "acknowledged_seconds", "receipt_seconds", "forecast_seconds", "ordered_seconds", "signals_automated",
        "forecast_deviating_units", "signals_accepted", "filled_units", "lines_noticed", "notices_in_time",
        "short_units", "over_units", "damaged_units", "counts_exact", "drift_units", "open_alerts", "open_signals",
    ):  # fmt: skip
        assert f"stockline_{metric}{{" in shown, metric
    assert len({dashboard(path)["uid"] for path in DASHBOARDS}) == len(DASHBOARDS)


def test_grafana_asks_the_prometheus_of_the_compose_file() -> None:
    (source,) = load_yaml(MONITORING / "grafana" / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in SERVICES
    panels = [panel for path in DASHBOARDS for panel in dashboard(path)["panels"]]
    asked = [part["datasource"] for panel in panels for part in (panel, *panel["targets"])]
    assert all(one == {"type": source["type"], "uid": source["uid"]} for one in asked)


def test_grafana_finds_the_dashboard_and_nobody_can_change_it() -> None:
    places = {target: ROOT / source for source, target, _ in mounts("grafana")}
    (provider,) = load_yaml(PROVIDER)["providers"]
    assert places[provider["options"]["path"]].resolve() == DASHBOARD.parent
    assert provider["allowUiUpdates"] is False
    environment = SERVICES["grafana"]["environment"]
    home = Path(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (places[str(home.parent)] / home.name).is_file()
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_AUTH_BASIC_ENABLED"] == "false", "the first password of `admin` is known to all"
    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
