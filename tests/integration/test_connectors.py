"""`stockline connectors` and `stockline identifiers` as processes beside a real engine, with the example connector."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.process import ROOT, Stockline, environment

COMMAND = [sys.executable, "-m", "tests.connectors.command"]
LINES = 40
PATIENCE_SECONDS = 180.0
SECRET = "n0body-sees-me"

pytestmark = pytest.mark.slow


class Lists:
    """Profiles of the example connector that report to one engine, their lists and one mapping."""

    def __init__(self, folder: Path, engine: Stockline) -> None:
        self.folder, self.engine = folder, engine
        rows = "".join(f"*,item,I{number},SKU-{number}\n" for number in range(LINES))
        self.mapping = folder / "identifiers.csv"
        self.mapping.write_text(f"partner,kind,theirs,ours\n{rows}")
        (folder / "secret").write_text(SECRET)

    def profile(self, name: str, lines: str) -> Path:
        (self.folder / f"{name}.txt").write_text(lines)
        path = self.folder / f"{name}.toml"
        path.write_text(
            f'kind = "listed"\nname = "{name}"\nengine = "{self.engine.url}"\ninterval_seconds = 0.1\n'
            f'path = "{self.folder / name}.txt"\nidentifiers = "identifiers.csv"\n'
            f'password = {{ file = "{self.folder / "secret"}" }}\n'
        )
        return path

    def command(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=240
        )

    def run_once(self, *profiles: Path) -> subprocess.CompletedProcess[str]:
        return self.command("connectors", "run", *profiles, "--once", "--json", "--state", self.folder / "state")

    @contextmanager
    def running(self, *profiles: Path) -> Iterator[subprocess.Popen[str]]:
        state = ["--state", str(self.folder / "state")]
        process = subprocess.Popen(
            [*COMMAND, "connectors", "run", *map(str, profiles), *state],
            cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def wait(self, name: str, status: str, **of_the_lines: Any) -> Any:
        """Wait until the engine shows the connector with this status, and its source of lines with these fields.

        A report may be made in the middle of a round; the next one may come ten seconds later.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self.engine.call("GET", f"/v1/connectors/{name}")
            lines = answer.json["parts"].get("source lines", {}) if answer.status == 200 else {}
            if lines and answer.json["status"] == status and lines.items() >= of_the_lines.items():
                return answer.json
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)


@pytest.fixture
def lists(tmp_path: Path) -> Iterator[Lists]:
    with Stockline(tmp_path / "data") as engine:
        yield Lists(tmp_path, engine)


def counts(first: int = 0, last: int = LINES) -> str:
    return "".join(f"count I{number} LEEDS {number}\n" for number in range(first, last))


def test_connectors_run_beside_each_other_and_end_cleanly(lists: Lists) -> None:
    good, bad = lists.profile("good", counts(0, 10)), lists.profile("bad", "bug\n")
    with lists.running(good, bad) as process:
        lists.wait("good", "running", events=10)
        assert "a bug of the connector" in lists.wait("bad", "failing")["parts"]["source lines"]["error"]
        told = lists.command("connectors", "status", "--url", lists.engine.url, "--json")
        assert [json.loads(line)["name"] for line in told.stdout.splitlines()] == ["bad", "good"]
        assert told.returncode == 1
        second = lists.run_once(good)
        assert second.returncode == 3
        assert "another process runs the connector 'good'" in second.stderr
        with (lists.folder / "good.txt").open("a") as out:
            out.write(counts(10, 20))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while lists.engine.get("/v1/positions")["total"] < 20:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
        lists.wait("good", "stopped")
        assert 'connector="good"' in lists.engine.call("GET", "/metrics").body.decode()


def test_a_connector_that_is_killed_again_and_again_counts_nothing_twice(lists: Lists) -> None:
    profile = lists.profile("erp", counts())
    for seconds in (0.35, 0.45, 0.55, 0.65, 0.75):
        with lists.running(profile) as process:
            time.sleep(seconds)
            process.kill()
    assert json.loads(lists.run_once(profile).stdout)["connectors"][0]["parts"]["source lines"]["rejected"] == 0
    rows = lists.engine.everything("/v1/positions")
    assert {row["sku"]: row["available"] for row in rows} == {f"SKU-{number}": number for number in range(LINES)}
    assert lists.engine.get("/v1/kpis")["events"]["stock.counted"] == LINES


def test_check_tells_what_would_come_and_writes_nothing(lists: Lists) -> None:
    profile = lists.profile("erp", "count I1 LEEDS 5\nnonsense\n")
    told = lists.command("connectors", "check", profile, "--json")
    trial = json.loads(told.stdout)
    assert told.returncode == 1
    assert all(finding["works"] for finding in trial["findings"])
    assert trial["sources"]["lines"]["events"] == {"stock.counted": 1}
    assert trial["sources"]["lines"]["untranslated"] == {"untranslatable": 1}
    assert lists.engine.get("/v1/sync")["accepted"] == 0
    words = lists.command("connectors", "check", profile)
    assert "source lines, first batch: 1 stock.counted, 1 untranslatable" in words.stdout
    assert "'nonsense' is not `count SKU LOCATION QTY`" in words.stderr
    wrong = lists.profile("wrong", "")
    (lists.folder / "wrong.txt").unlink()
    assert lists.command("connectors", "check", wrong).returncode == 2


def test_a_missing_identifier_waits_and_is_replayed_once_it_is_there(lists: Lists) -> None:
    profile = lists.profile("erp", "count I1 LEEDS 5\ncount NEW,1 LEEDS 6\n")
    for _ in range(2):
        assert lists.run_once(profile).returncode == 1
        (lists.folder / "state" / "erp" / "source-lines.json").unlink()
    letters = lists.engine.get("/v1/dead-letters?reason=unmapped_identifier")
    assert letters["total"] == 1, "read again, it is another dead letter"
    assert "the item 'NEW,1' of the partner 'list'" in letters["items"][0]["detail"]
    alone = lists.engine.call("POST", f"/v1/dead-letters/{letters['items'][0]['id']}/replay")
    assert (alone.status, "stockline connectors replay erp" in alone.json["detail"]) == (409, True)
    replay = ("connectors", "replay", profile, "--json")
    assert json.loads(lists.command(*replay).stdout)["untranslatable"] == 1
    missing = lists.command("identifiers", "missing", lists.mapping, "--url", lists.engine.url)
    assert (missing.returncode, missing.stdout) == (1, 'list,item,"NEW,1",\n')
    with lists.mapping.open("a") as out:
        out.write(missing.stdout.replace(",\n", ",SKU-NEW\n"))
    assert lists.command("identifiers", "check", lists.mapping).stdout.endswith(f"{LINES + 1} rows\n")
    assert lists.command("identifiers", "missing", lists.mapping, "--url", lists.engine.url).returncode == 0

    dry = json.loads(lists.command(*replay, "--dry-run").stdout)
    assert (dry["translated"], lists.engine.get("/v1/positions")["total"]) == (1, 1)
    for known in (0, 1):
        done = lists.command(*replay)
        assert done.returncode == 0, done
        assert json.loads(done.stdout).items() >= {"translated": 1, "accepted": 1, "duplicates": known}.items()
    assert lists.engine.get("/v1/positions/SKU-NEW/LEEDS")["available"] == 6


def test_no_secret_is_in_anything_that_is_said(lists: Lists) -> None:
    profile = lists.profile("erp", "count I1 LEEDS 5\naway\n")
    told = [lists.run_once(profile), lists.command("connectors", "check", profile)]
    assert [each.returncode for each in told] == [3, 3]
    assert all("the password [secret]" in each.stderr for each in told)
    with lists.running(profile) as process:
        shown = lists.wait("erp", "failing")
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=120)
    kept = [path.read_text() for path in (lists.folder / "state").rglob("*") if path.is_file()]
    said = [*(each.stdout + each.stderr for each in told), out, errors, json.dumps(shown), *kept, lists.engine.errors()]
    assert [text for text in said if SECRET in text] == []


def test_a_profile_that_is_wrong_ends_with_2_and_its_fault(lists: Lists) -> None:
    profile = lists.profile("erp", "")
    profile.write_text(profile.read_text() + "colour = 1\n")
    told = lists.run_once(profile)
    assert (told.returncode, "colour: there is no such key" in told.stderr) == (2, True)
    listed = lists.command("connectors", "list", lists.folder, "--json")
    assert (listed.returncode, "colour" in listed.stdout) == (2, True)
    kinds = lists.command("connectors", "list", "--json")
    assert any(json.loads(line)["kind"] == "listed" for line in kinds.stdout.splitlines())
