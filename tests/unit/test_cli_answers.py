"""The commands by which a person answers signals and alerts and replays dead letters, and tables on a narrow screen."""

import json
import sys

import pytest
from rich.cells import cell_len
from rich.text import Text

from engine.cli import show
from engine.core.outcomes import Reason, Rejection
from tests.unit import test_cli
from tests.unit.test_cli import Run
from tests.unit.test_web_events import BAD, GOOD
from tests.unit.web_client import Site

run, web, nobody = test_cli.run, test_cli.web, test_cli.nobody


def sent(web: Site) -> list[dict[str, object]]:
    """The data of the answers that the engine was given, with their types."""
    events = [json.loads(raw) for [raw] in web.service.submitted]
    return [{"type": event["type"], **event["data"]} for event in events]


def test_signals_are_accepted_one_after_the_other(web: Site, run: Run) -> None:
    for name in ("sig-1", "sig-2"):
        web.service.open_signal(name)
    ran = run("signals", "accept", "sig-1", "sig-2", "--by", "ann", "--reason", "a promotion", "--url", web.url)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [f"sig-{n} is accepted, 120 of A at L" for n in (1, 2)]
    common = {"type": "signal.accepted", "sku": "A", "location": "L", "by": "ann", "reason": "a promotion"}
    assert sent(web) == [common | {"signal": f"sig-{n}"} for n in (1, 2)]


def test_a_signal_is_accepted_with_another_quantity_and_shown_as_json(web: Site, run: Run) -> None:
    web.service.open_signal("sig-1")
    ran = run("signals", "accept", "sig-1", "--qty", "96", "--by", "ann", "--json", "--url", web.url)
    [line] = ran.out.splitlines()
    assert (ran.code, json.loads(line)["qty"], json.loads(line)["status"]) == (0, 96, "accepted")


def test_who_answers_is_the_login_where_nobody_is_named(web: Site, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "dora")
    web.service.open_signal("sig-1")
    assert run("signals", "reject", "sig-1", "--url", web.url).code == 0
    assert sent(web)[0]["by"] == "dora"


@pytest.mark.parametrize(
    ("arguments", "kind", "data"),
    [
        (("signals", "reopen", "sig-1", "--reason", "a mistake"), "signal.reopened", {"reason": "a mistake"}),
        (
            ("signals", "snooze", "sig-1", "--until", "2026-03-03T08:00:00Z", "--note", "later"),
            "signal.snoozed",
            {"until": "2026-03-03T08:00:00Z", "note": "later"},
        ),
        (("signals", "assign", "sig-1", "--to", "bob"), "signal.assigned", {"to": "bob"}),
        (("alerts", "reopen", "al-1", "--note", "too early"), "alert.reopened", {"note": "too early"}),
        (("alerts", "acknowledge", "al-1", "--note", "seen"), "alert.acknowledged", {"note": "seen"}),
        (("alerts", "resolve", "al-1"), "alert.resolved", {}),
        (
            ("alerts", "snooze", "al-1", "--until", "2026-03-03T08:00:00Z"),
            "alert.snoozed",
            {"until": "2026-03-03T08:00:00Z"},
        ),
        (("alerts", "assign", "al-1", "--to", "bob"), "alert.assigned", {"to": "bob"}),
    ],
)
def test_every_answer_of_the_calls_has_a_command(
    web: Site, run: Run, arguments: tuple[str, ...], kind: str, data: dict[str, str]
) -> None:
    web.service.open_signal("sig-1")
    web.service.open_alert("al-1")
    ran = run(*arguments, "--by", "ann", "--url", web.url)
    assert (ran.code, ran.err) == (0, "")
    [event] = sent(web)
    assert event["type"] == kind
    assert {name: event[name] for name in data} == data
    assert event["by"] == "ann"


def test_an_answer_that_is_refused_costs_only_itself(web: Site, run: Run) -> None:
    web.service.open_signal("sig-1", status="ordered")
    web.service.open_signal("sig-2")
    ran = run("signals", "accept", "sig-1", "none", "sig-2", "--by", "ann", "--url", web.url)
    assert ran.code == 1
    assert ran.out.startswith("sig-2 is accepted")
    assert "sig-1: the engine answered 409: the signal is ordered" in ran.err
    assert "there is no signal none" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("signals", "accept"),
        ("signals", "accept", "sig-1", "sig-2", "--qty", "5"),
        ("signals", "accept", "sig-1", "--qty", "0"),
        ("signals", "snooze", "sig-1"),
        ("signals", "snooze", "sig-1", "--until", "tomorrow"),
        ("signals", "assign", "sig-1"),
        ("alerts", "assign", "al-1"),
        ("dead-letters", "replay"),
        ("dead-letters", "replay", "1-1", "--reason", "conflict"),
    ],
)
def test_an_answer_that_makes_no_sense_is_wrong_usage(web: Site, run: Run, arguments: tuple[str, ...]) -> None:
    web.service.open_signal("sig-1")
    assert run(*arguments, "--url", web.url).code == 2
    assert web.service.submitted == []


def test_nobody_to_answer_is_exit_3(run: Run, nobody: str) -> None:
    assert run("signals", "accept", "sig-1", "--url", nobody).code == 3


def bury(web: Site, *letters: tuple[bytes, Reason, str]) -> list[str]:
    """Dead letters (bytes, reason, source); their ids."""
    for raw, reason, source in letters:
        web.service.bury(raw, Rejection(reason, "told so"), source)
    return list(web.service.bus.published.tables["dead-letters"])


def test_dead_letters_are_replayed_by_reason_and_source(web: Site, run: Run) -> None:
    names = bury(web, (GOOD, "unknown_unit", "wms"), (BAD, "unknown_unit", "erp"), (GOOD, "conflict", "wms"))
    ran = run("dead-letters", "replay", "--reason", "unknown_unit", "--dry-run", "--url", web.url)
    assert [line.split("\t")[0] for line in ran.out.splitlines()[1:]] == names[:2]
    assert web.service.submitted == []
    ran = run("dead-letters", "replay", "--reason", "unknown_unit", "--source", "wms", "--url", web.url)
    assert (ran.code, ran.out) == (0, "1 were taken, 0 refused again\n")
    assert web.service.submitted.count([GOOD]) == 1
    ran = run("dead-letters", "replay", "--reason", "unknown_unit", "--url", web.url)
    assert (ran.code, ran.out) == (1, "1 were taken, 1 refused again\n")
    assert f"{names[1]} was refused again: invalid_event" in ran.err


def test_so_many_dead_letters_are_replayed_and_no_more(web: Site, run: Run) -> None:
    letter: tuple[bytes, Reason, str] = (GOOD, "unknown_unit", "wms")
    names = bury(web, letter, letter, letter)
    ran = run("dead-letters", "replay", "--source", "wms", "--limit", "2", "--json", "--url", web.url)
    assert [(json.loads(line)["id"], json.loads(line)["accepted"]) for line in ran.out.splitlines()] == [
        (names[0], 1),
        (names[1], 1),
    ]
    assert "2 of 3" in ran.err


WIDE = {
    "id": "sig-0123456789abcdef0123456789abcdef",
    "sku": "85123A",
    "location": "LEEDS-CENTRAL",
    "qty": 1200,
    "status": "open",
    "supplier": "ACME INDUSTRIAL SUPPLIES",
    "updated": "2026-03-02T09:14:05Z",
    "detail": "the signal says at length why it is there, " * 4,
}


def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    show.rows([WIDE, WIDE | {"sku": "日本", "qty": 5, "supplier": None}], list(WIDE), as_json=False)
    return [Text.from_ansi(line).plain for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("width", [40, 80, 100])
def test_a_table_has_room_on_a_narrow_screen_and_cuts_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    lines = shown(capsys, monkeypatch, width)
    text = "\n".join(lines)
    assert all(cell_len(line) <= width for line in lines)
    for name in ("id", "sku", "location", "supplier", "updated"):
        assert str(WIDE[name]) in text
    assert text.count(str(WIDE["id"])) == 2
    assert " ".join(text.split()).count("the signal says at length why it is there,") == 8


def test_a_table_that_fits_is_one_line_a_thing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    header, first, second = shown(capsys, monkeypatch, 400)
    assert header.split() == list(WIDE)
    assert first[: first.index("LEEDS")].endswith("85123A  ")
    assert second[: second.index("LEEDS")].endswith("日本    ")
    assert second[second.index("CENTRAL") :].startswith("CENTRAL     5  open")
