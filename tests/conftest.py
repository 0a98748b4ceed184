"""What holds for every test: hypothesis profiles, and honesty about real parts that were not there.

A test marked `real` needs a part from outside. Where the part is missing the test skips with a reason that names it: on
a developer's machine the summary then has one line for it, in CI (CI=true) the test fails.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Generator, Iterator

import hypothesis
import pytest

from tests.examples import forget_loaded_modules
from tests.order import longest_first
from tests.real.kafka import Missing, jars
from tests.real.kafka_for_tests import kafka_for_tests

# The auditor's own checks explain themselves as tests' do.
pytest.register_assert_rewrite(
    "tests.auditor.adapter",
    "tests.simulation.world",
    "tests.simulation.cluster_audit",
    "tests.simulation.cluster_world",
)

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# Shared machines stall: a deadline for an example, or for the drawing of some, would measure the neighbours.
hypothesis.settings.register_profile(
    "dev", deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("dev"), derandomize=True, database=None)
REAL_PART = "misses its real part"
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev")
hypothesis.settings.load_profile(PROFILE)
if PROFILE == "ci":
    forget_loaded_modules(pytest.MonkeyPatch())


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a real Kafka that is this module's alone."""
    try:
        with kafka_for_tests(tmp_path_factory.mktemp("kafka")) as address:
            yield address
    except Missing as missing:
        pytest.skip(f"no Kafka: {missing}")


@pytest.fixture
def broker_parts() -> None:
    """What a broker is made of, for tests that break or measure one of their own."""
    try:
        jars()
    except Missing as missing:
        pytest.skip(f"no Kafka: {missing}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Test modules stay: looking for garbage among them would be a third of what collecting them costs."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        longest_first(items)


def pytest_report_header(config: pytest.Config) -> list[str]:
    seed = config.getoption("--hypothesis-seed", default=None)
    source = "fixed examples" if PROFILE == "ci" else f"random examples, seed {seed or 'drawn, printed on failure'}"
    return [f"hypothesis profile: {PROFILE} ({source})", f"CI: {'yes, a missing real part fails' if IN_CI else 'no'}"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("real"):
        report.user_properties.append((REAL_PART, True))
        if IN_CI:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: in CI a missing real part is a failure: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself hides which of its tests are `real`, so in CI it may not."""
    report = yield
    if report.skipped and IN_CI:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid}: in CI no module may skip itself: {_reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = Counter(_not_run(terminalreporter.stats.get("skipped", [])))
    if lines:
        terminalreporter.section("not run")
        for line, tests in sorted(lines.items()):
            terminalreporter.line(f"{line} ({tests} {'test' if tests == 1 else 'tests'})")


def _not_run(reports: list[pytest.TestReport]) -> Iterator[str]:
    for report in reports:
        kind = "real part missing" if (REAL_PART, True) in report.user_properties else "skipped"
        yield f"{kind}: {_reason(report)}"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")
