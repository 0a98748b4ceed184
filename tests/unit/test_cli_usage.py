"""What commands say to wrong usage and wrong settings: exit code 2, a line that says what to do, no traceback."""

from pathlib import Path

import pytest

from tests.unit.test_cli import Run, runner


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("positions", "--nothing"),
        ("positions", "--limit", "0"),
        ("positions", "--where", "sku"),
        ("positions", "--url", "127.0.0.1:8080"),
        ("positions", "--url", "http://127.0.0.1:99999"),
        ("positions", "--url", "http://[::1"),
        ("positions", "--url", "http://"),
        ("signals", "snooze", "sig-1", "--until", "tomorrow"),
        ("alerts", "snooze", "alert-1", "--until", "2026-03-03T08:00:00"),
        ("connectors", "list", "no-such-folder"),
        ("schema", "goods.eaten"),
        ("explain",),
        ("run", "--host", "0.0.0.0"),
        ("run", "--port", "65536"),
        ("run", "--clock", "sun"),
        ("audit", "--data", "no-such-directory"),
    ],
)
def test_wrong_usage_is_exit_2(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err
    assert "Traceback" not in ran.err


PROFILE = str(Path(__file__).parents[2] / "connectors" / "kafka_source" / "data" / "example.toml")


@pytest.mark.parametrize(
    "arguments", [("worker",), ("worker", "--workers", "2"), ("web",), ("source", "--profile", PROFILE)]
)
def test_a_command_without_a_broker_says_how_to_name_one(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.delenv("STOCKLINE_KAFKA", raising=False)
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "--kafka is missing and STOCKLINE_KAFKA is not set: give HOST:PORT of one or more brokers" in ran.err


@pytest.mark.parametrize("brokers", ["", "broker:port", "one:9092,,two:9092", "one:9092, two:9092", ":9092"])
@pytest.mark.parametrize("arguments", [("worker",), ("web",), ("source", "--profile", PROFILE), ("audit",)])
def test_what_is_no_address_of_a_broker_is_wrong_usage(run: Run, arguments: tuple[str, ...], brokers: str) -> None:
    ran = run(*arguments, "--kafka", brokers)
    assert (ran.code, ran.out) == (2, "")
    assert "is not HOST:PORT of a broker" in ran.err


def test_an_audit_without_a_directory_says_what_to_give(run: Run) -> None:
    ran = run("audit", "--data", "no-such-directory")
    assert "no-such-directory is not a data directory: name one with --data, or a cluster with --kafka" in ran.err


def test_settings_come_from_the_environment_and_are_checked_together(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKLINE_HOST", "0.0.0.0")
    ran = run("run")
    assert ran.code == 2
    assert "--insecure" in ran.err


def test_a_wrong_setting_is_named_with_its_variable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKLINE_MEMORY_MIB", "1")
    code, _, said = run("run", "--port", "99999")
    assert code == 2
    assert "port (STOCKLINE_PORT): 99999 is not taken: at most 65535 is possible" in said
    assert "memory_mib (STOCKLINE_MEMORY_MIB): '1' is not taken: at least 16 is needed" in said
