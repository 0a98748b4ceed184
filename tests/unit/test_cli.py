"""The commands that look, send and document: what they print, and their exit codes."""

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.cli import main
from engine.core.outcomes import Rejection
from tests.unit.test_web_events import BAD, GOOD, OTHER
from tests.unit.web_client import Site, site


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch)


def runner(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command as a person runs it, in this process."""
    for name in ("STOCKLINE_URL", "STOCKLINE_DATA", "STOCKLINE_HOST", "STOCKLINE_PORT"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["stockline", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return Ran(int(end.value.code or 0), printed.out, printed.err)

    return command


@pytest.fixture
def web() -> Iterator[Site]:
    """A server in a thread of its own."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    holder: list[Site] = []
    asked = asyncio.Event()

    async def serve() -> None:
        async with site() as running:
            holder.append(running)
            started.set()
            await asked.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(120)
    yield holder[0]
    loop.call_soon_threadsafe(asked.set)
    thread.join(120)
    loop.close()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens, and nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_positions_are_tab_separated_in_a_pipe(web: Site, run: Run) -> None:
    web.service.receive("A", "LDS", 4)
    web.service.receive("B", "LDS", 7)
    ran = run("positions", "--url", web.url)
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert ran.code == 0
    assert lines[0][:3] == ["sku", "location", "available"]
    assert [line[:3] for line in lines[1:]] == [["A", "LDS", "4"], ["B", "LDS", "7"]]


def test_json_is_one_whole_object_a_line(web: Site, run: Run) -> None:
    web.service.receive("A", "LDS", 4)
    ran = run("positions", "--url", web.url, "--json")
    [line] = ran.out.splitlines()
    assert json.loads(line)["version"] == 1


def test_filters_reach_the_engine(web: Site, run: Run) -> None:
    for number in range(30):
        web.service.receive(f"S{number:02}", "LDS", number)
    arguments = ("--where", "available.min=10", "--sort=-available", "--limit", "3", "--json", "--url", web.url)
    ran = run("positions", "--search", "s", *arguments)
    assert [json.loads(line)["available"] for line in ran.out.splitlines()] == [29, 28, 27]
    assert "3 of 20" in ran.err


def test_a_limit_beyond_a_page_takes_several(web: Site, run: Run) -> None:
    for number in range(1203):
        web.service.receive(f"S{number:04}", "LDS", 1)
    ran = run("positions", "--limit", "1202", "--url", web.url, "--json")
    names = [json.loads(line)["sku"] for line in ran.out.splitlines()]
    assert names == [f"S{number:04}" for number in range(1202)]


def test_signals_and_alerts_are_shown_by_status(web: Site, run: Run) -> None:
    web.service.open_signal("sig-1")
    web.service.open_signal("sig-2", status="ordered")
    web.service.open_alert("al-1")
    assert "sig-2" in run("signals", "--status", "ordered", "--url", web.url).out
    assert "sig-1" not in run("signals", "--status", "ordered", "--url", web.url).out
    assert "al-1" in run("alerts", "--kind", "negative_stock", "--url", web.url).out
    assert run("alerts", "--kind", "late_supply", "--url", web.url, "--json").out == ""


def test_what_comes_from_outside_stays_on_its_line(web: Site, run: Run) -> None:
    web.service.open_alert("al-1\x1b[2J\n\t", sku="A")
    ran = run("alerts", "--url", web.url)
    assert len(ran.out.splitlines()) == 2
    assert "\x1b" not in ran.out


def test_a_signal_is_explained_by_its_sentence_terms_and_events(web: Site, run: Run) -> None:
    web.service.open_signal("sig-1")
    ran = run("explain", "sig-1", "--url", web.url)
    assert ran.code == 0
    assert "Order 120 of A: position 40 is at or below 50." in ran.out
    assert "position\t40\teach\trow" in ran.out
    assert "min\t50\t\t" in ran.out
    assert "wms/leeds/7" in ran.out
    assert "for review: no limits" in ran.out
    assert json.loads(run("explain", "sig-1", "--json", "--url", web.url).out)["id"] == "sig-1"


def test_what_is_not_there_is_exit_1(web: Site, run: Run) -> None:
    ran = run("explain", "sig-9", "--url", web.url)
    assert (ran.code, ran.out) == (1, "")
    assert "there is no signal sig-9" in ran.err
    assert run("dead-letters", "replay", "none", "--url", web.url).code == 1


def test_a_dead_letter_is_listed_and_replayed(web: Site, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.ndjson"
    file.write_bytes(BAD + b"\n")
    assert run("send", str(file), "--url", web.url).code == 1
    [letter] = [json.loads(line) for line in run("dead-letters", "--json", "--url", web.url).out.splitlines()]
    assert "invalid_event" in run("dead-letters", "--reason", "invalid_event", "--url", web.url).out
    ran = run("dead-letters", "replay", letter["id"], "--url", web.url)
    assert ran.code == 1
    assert "refused again: invalid_event" in ran.err


def test_the_list_of_dead_letters_says_where_a_connector_read_a_record(web: Site, run: Run) -> None:
    data = {"connector": "acme", "reason": "untranslatable", "detail": "no date", "place": "orders.csv, line 7"}
    event = {"specversion": "1.0", "id": "r1", "source": "folder/acme", "type": "record.refused",
             "time": "2026-03-02T09:00:00Z", "data": data}  # fmt: skip
    for content in (json.dumps(event).encode(), BAD):
        web.service.bury(content, Rejection("untranslatable", "no date"))
    lines = run("dead-letters", "--url", web.url).out.splitlines()
    column = lines[0].split("\t").index("read_at")
    assert sorted(line.split("\t")[column] for line in lines[1:]) == ["", "orders.csv, line 7"]


def test_files_are_sent_and_counted(web: Site, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(GOOD + b"\n" + OTHER + b"\n")
    ran = run("send", str(file), "--url", web.url)
    assert (ran.code, ran.out) == (0, f"{file}: 2 accepted, 0 refused, 0 broken\n")
    again = run("send", str(file), "--url", web.url)
    assert (again.code, again.out) == (0, f"{file}: all 2 lines were sent before, --restart sends them again\n")
    assert again.err == ""
    again = run("send", str(file), "--restart", "--json", "--url", web.url)
    assert json.loads(again.out)["accepted"] == 2


def test_a_last_line_without_its_end_is_held_back_in_words(web: Site, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(GOOD + b"\n" + OTHER)
    ran = run("send", str(file), "--url", web.url)
    assert (ran.code, ran.out) == (1, f"{file}: 1 accepted, 0 refused, 0 broken, 1 unfinished\n")
    assert "line 2: not sent: it has no line end yet" in ran.err
    assert "--complete" in ran.err
    ran = run("send", str(file), "--complete", "--url", web.url)
    assert (ran.code, ran.out) == (0, f"{file}: 1 accepted, 0 refused, 0 broken, from line 2\n")


def test_a_file_that_differs_from_what_was_sent_says_so(web: Site, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(GOOD + b"\n")
    run("send", str(file), "--url", web.url)
    file.write_bytes(OTHER + b"\n" + GOOD + b"\n")
    ran = run("send", str(file), "--url", web.url)
    assert (ran.code, ran.out) == (0, f"{file}: 2 accepted, 0 refused, 0 broken\n")
    assert "is sent from its first line: it differs from what was sent before" in ran.err


def test_a_refused_line_is_named_by_its_number(web: Site, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(GOOD + b"\n" + BAD + b"\n")
    ran = run("send", str(file), "--url", web.url)
    assert (ran.code, ran.out) == (1, f"{file}: 1 accepted, 1 refused, 0 broken\n")
    assert "line 2: refused: invalid_event" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("positions",),
        ("signals",),
        ("alerts",),
        ("dead-letters",),
        ("dead-letters", "replay", "x"),
        ("explain", "x"),
        ("send", "-", "--patience", "0"),
    ],
)
def test_an_engine_that_does_not_answer_is_exit_3(run: Run, nobody: str, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments, "--url", nobody)
    assert (ran.code, ran.out) == (3, "")
    assert nobody in ran.err
    assert "Traceback" not in ran.err


def test_a_bug_is_a_line_and_not_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.cli.documents._document", lambda _kind: dict[str, str]()["x"])
    ran = run("schema")
    assert ran.code == 70
    assert ran.err.startswith("stockline: a bug: KeyError")


def test_the_schema_of_a_type_of_all_types_and_the_documents_are_printed(run: Run) -> None:
    assert json.loads(run("schema", "goods.received").out)["title"] == "goods.received"
    assert len(json.loads(run("schema").out)["oneOf"]) > 30
    assert json.loads(run("schema", "asyncapi").out)["asyncapi"] == "3.0.0"
    assert json.loads(run("schema", "openapi").out)["openapi"] == "3.1.0"


def test_the_version_is_said(run: Run) -> None:
    assert run("--version").out.startswith("stockline ")


def test_an_operator_accepts_a_clock(web: Site, run: Run) -> None:
    ran = run("clock", "accept", "--by", "ann", "--url", web.url)
    assert ran.code == 1
    assert "has not jumped" in ran.err
    web.service.waits_for = "the clock shows 2031"
    ran = run("clock", "accept", "--by", "ann", "--url", web.url)
    assert (ran.code, ran.err) == (0, "")
    assert "7200 seconds ahead" in ran.out


def test_a_bad_filter_is_wrong_usage(web: Site, run: Run) -> None:
    ran = run("positions", "--where", "colour=red", "--url", web.url)
    assert ran.code == 2
    assert "`colour` is no filter" in ran.err
