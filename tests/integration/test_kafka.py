"""The engine on a real Kafka, through its commands: the whole job, the outside's rights, and set-ups that are wrong."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from tests.chaos.topics import read_all
from tests.integration.process import ROOT, Stockline, Workers, environment, event, stockline
from tests.integration.test_answers import ask
from tests.integration.test_readme import README
from tests.real.kafka_for_tests import wipe

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROW = {"sku": "85123A", "location": "LDS"}
NOW = datetime.now(UTC).isoformat()
BEFORE = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
STORY = [
    event("item.defined", "i1", NOW, sku="85123A", base_unit="each", units={"case": 12}),
    event("stock.counted", "c1", BEFORE, **ROW, qty=5, uom="case"),
    event("policy.set", "p1", NOW, **ROW, policy={"kind": "min_max", "min": 50, "max": 120}, multiple=12,
          supplier="ACME", lead_time_days=6, auto={"max_qty": 200}),
    event("stock.issued", "s1", NOW, **ROW, qty=20),
    event("stock.issued", "s1", NOW, **ROW, qty=20),
    event("location.defined", "l1", NOW, location="LDS", time_zone="Europe/London"),
    event("feed.declared", "f1", NOW, feed="wms", interval_seconds=3600),
    event("supplier.defined", "v1", NOW, supplier="ACME", minimum_value="100", truck_units=10, truck_uom="case"),
]  # fmt: skip


def web(kafka: str, data: Path) -> Stockline:
    return Stockline(data, "--kafka", kafka, verb="web")


def test_the_log_has_one_id_at_every_address_until_its_topics_are_made_anew(fresh: str, tmp_path: Path) -> None:
    with web(fresh, tmp_path / "one") as one, web(fresh, tmp_path / "two") as two:
        log = one.get("/v1/sync")["log"]
        assert (bool(log), two.get("/v1/sync")["log"]) == (True, log)
    asyncio.run(wipe(fresh))
    with web(fresh, tmp_path / "one") as again:
        assert again.get("/v1/sync")["log"] != log


def test_the_whole_job(fresh: str, tmp_path: Path) -> None:
    with Workers(fresh, tmp_path / "rows", 2) as workers, web(fresh, tmp_path / "view") as engine:
        workers.wait_owned()
        engine.send(*STORY)
        assert engine.get("/v1/sync?wait=100")["lag"] == 0
        row = engine.get("/v1/positions/85123A/LDS")
        assert (row["available"], row["policy"]["policy"]["max"], len(row["projection"])) == (40, 120, 90)
        (signal,) = engine.get("/v1/signals")["items"]
        assert (signal["qty"], signal["status"], signal["disposition"]) == (84, "open", "auto")
        the_chain_is_known(engine, signal)
        the_answers_are_right(engine, signal)
        the_rejections_are_right(engine)
        assert engine.stop() == 0
        audited = stockline("audit", "--kafka", fresh, "--json")
        assert (audited.returncode, json.loads(audited.stdout)["differences"]) == (0, []), audited
        assert workers.stop() == 0
    # A view from nothing says the same as the one that followed, whatever somebody else writes beside it.
    junk = [(0, b"junk", b"junk"), (0, b"", b"{}"), (1, b"x", json.dumps({"data": {"id": 5}}).encode())]
    for topic in ("signals", "alerts", "positions", "dead-letters"):
        asyncio.run(produce(fresh, f"stockline.{topic}", junk))
    with web(fresh, tmp_path / "another") as engine:
        deadline = time.monotonic() + 120  # It may read at first that the signal was opened, and nothing else.
        while not engine.get("/v1/signals?status=accepted")["total"] and time.monotonic() < deadline:
            time.sleep(0.1)
        assert engine.get(f"/v1/signals/{signal['id']}")["status"] == "accepted"


def the_chain_is_known(engine: Stockline, signal: dict[str, Any]) -> None:
    """What is open is one list, and an order is found by its number alone, before and after it is written."""
    (order,) = engine.get("/v1/work?kind=automatic")["groups"]
    assert (order["total"], order["uncosted"]) == (1, 1)
    assert (order["minimum"]["missing"], order["truck"]["load"]) == ("100", "7")
    (opened,) = [edge for edge in engine.get(f"/v1/trace?signal={signal['id']}")["edges"] if edge["why"] == "it opened"]
    assert opened["to"] == f"signal:85123A@LDS:{signal['id']}"
    assert engine.call("GET", "/v1/trace?order=PO-7").status == 404
    line = {"sku": "OTHER", "location": "LDS", "order": "PO-7", "line": 1}
    engine.send(event("order.placed", "o7", NOW, **line, supplier="ACME", qty=5, due="2027-01-01"))
    assert engine.get("/v1/sync?wait=100")["lag"] == 0
    assert engine.get("/v1/trace?order=PO-7")["start"] == ["order:OTHER@LDS:PO-7/1"]


def the_answers_are_right(engine: Stockline, signal: dict[str, Any]) -> None:
    events = engine.get("/v1/positions/85123A/LDS/events")["items"]
    assert [each["id"] for each in events] == ["s1", "p1", "c1"]

    accept = ("POST", f"/v1/signals/{signal['id']}/accept", {"by": "ann"})
    accepted = ask(engine, *accept)
    assert (accepted.status, accepted.json["status"]) == (200, "accepted")
    assert ask(engine, *accept) == accepted
    again = engine.post(f"/v1/signals/{signal['id']}/accept", {"by": "bob"})
    assert (again.status, again.json["reason"], again.json["current"]) == (409, "signal_closed", accepted.json)
    snooze = ("POST", f"/v1/signals/{signal['id']}/snooze", {"by": "ann", "until": "2100-01-01T00:00:00Z"})
    snoozed = ask(engine, *snooze, **{"Idempotency-Key": "k"})
    assert (snoozed.json["snoozed_by"], ask(engine, *snooze, **{"Idempotency-Key": "k"})) == ("ann", snoozed)
    decisions = engine.get(f"/v1/decisions?signal={signal['id']}")["items"]
    assert [(each["kind"], each["by"], each["before"]["status"]) for each in decisions] == [
        ("snooze", "ann", "accepted"),
        ("accept", "ann", "open"),
    ]
    (decision, *_) = engine.get(f"/v1/trace?event={decisions[1]['event']}")["start"]
    assert decision.startswith("decision:85123A@LDS:")
    # Of two days, in case the one on which it was accepted has just ended.
    figures = engine.get("/v1/kpis?days=2")["business"]
    told = {each["location"]: each["acceptance"]["accepted"] for each in figures["by_location"]}
    assert (told["LDS"], figures["all"]["acceptance"]["rate"]) == (1, 1.0)


REFUSED_RECORD = {
    "connector": "edi", "reason": "untranslatable", "detail": "no date", "place": "a.edi", "record": "DTM*002~",
}  # fmt: skip


def the_rejections_are_right(engine: Stockline) -> None:
    refused = engine.call("POST", "/v1/events", b"nonsense\n" + json.dumps(STORY[0]).encode(), "application/x-ndjson")
    assert (refused.json["accepted"], refused.json["refused"][0]["reason"]) == (1, "not_json")
    # Only the fold, which comes later, can tell a repeat.
    assert "duplicates" not in refused.json
    conflict = event("stock.issued", "s1", NOW, **ROW, qty=21)
    engine.send(conflict)
    refused_record = event("record.refused", "a.edi/4", NOW, **REFUSED_RECORD)
    engine.send(refused_record, refused_record)
    engine.get("/v1/sync?wait=100")
    letters = {letter["reason"]: letter for letter in engine.get("/v1/dead-letters")["items"]}
    assert letters.keys() == {"signal_closed", "not_json", "conflict", "untranslatable"}
    assert json.loads(letters["untranslatable"]["raw"]) == refused_record
    again = engine.post(f"/v1/dead-letters/{letters['untranslatable']['id']}/replay", {})
    assert (again.status, again.json["reason"]) == (409, "replayed_by_its_connector")
    assert json.loads(letters["conflict"]["raw"]) == conflict
    kpis = engine.get("/v1/kpis")
    assert (kpis["duplicates"], kpis["events"]["stock.issued"], kpis["rows"]) == (3, 1, 2)
    sources = engine.get("/v1/sources")["items"]
    counted = [sum(each[name] for each in sources) for name in ("accepted", "duplicates", "refused")]
    # A record that a connector refused is an event that was taken, and a dead letter.
    events = sum(kpis["events"].values()) - kpis["events"]["record.refused"]
    assert counted == [events, kpis["duplicates"], sum(kpis["dead_letters"].values())]
    flow = engine.get("/v1/flow")["outputs"]
    assert sum(each["records"] for each in flow if each["topic"] == "stockline.dead-letters") == counted[2]
    assert "clock.ticked" not in kpis["events"]
    assert {kpis["events"][kind] for kind in ("location.defined", "feed.declared", "supplier.defined")} == {1}


def test_events_that_concern_all_partitions_may_be_sent_to_one(fresh: str, tmp_path: Path) -> None:
    with Workers(fresh, tmp_path / "rows") as workers:
        workers.wait_owned()
        asyncio.run(produce(fresh, "stockline.events", [(3, b"erp", json.dumps(STORY[5]).encode())]))
        deadline = time.monotonic() + 120
        places: dict[int, int] = {}
        while time.monotonic() < deadline and len(places) < 8:
            log = asyncio.run(read_all(fresh, "stockline.events"))
            places = {record.partition: record.offset for record in log if b"location.defined" in record.value}
            time.sleep(0.2)
        assert len(places) == 8
        time.sleep(1)
        log = asyncio.run(read_all(fresh, "stockline.events"))
        assert sum(b"location.defined" in record.value for record in log) == 8
        assert workers.stop() == 0


Change = Callable[[AIOKafkaAdminClient], Awaitable[object]]


def changed(kafka: str, *changes: Change) -> None:
    async def change() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        for each in changes:
            await each(admin)
            await asyncio.sleep(1)
        await admin.close()

    asyncio.run(change())


def folded(kafka: str, data: Path) -> None:
    """Let a worker fold a story, then end."""
    with Workers(kafka, data) as workers, web(kafka, data.parent / f"{data.name}-view") as engine:
        workers.wait_owned()
        engine.send(*STORY)
        assert engine.get("/v1/sync?wait=100")["lag"] == 0
        assert workers.stop() == 0


async def produce(kafka: str, topic: str, records: list[tuple[int, bytes, bytes]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for partition, key, value in records:
        await producer.send_and_wait(topic, value, key, partition)
    await producer.stop()


def test_an_audit_begins_with_the_rows_of_the_one_before(fresh: str, tmp_path: Path) -> None:
    folded(fresh, tmp_path / "rows")
    rows = tmp_path / "kept.rows"
    audited = stockline("audit", "--kafka", fresh, "--save", str(rows))
    assert audited.returncode == 0, audited
    with rows.open("rb") as file:
        file.readline()
        log = json.loads(file.readline())["log"]
    with Workers(fresh, tmp_path / "rows") as workers, web(fresh, tmp_path / "view") as engine:
        workers.wait_owned()
        more = [event("stock.issued", f"later-{n}", NOW, **ROW, qty=1) for n in range(9)]
        # The name of an event from before is known to the fold that goes on.
        engine.send(STORY[3], *more)
        assert engine.get("/v1/sync?wait=100")["lag"] == 0
        assert workers.stop() == 0

    async def trim(admin: AIOKafkaAdminClient) -> None:
        ends = {TopicPartition("stockline.events", p): RecordsToDelete(offset) for p, offset in enumerate(log)}
        await admin.delete_records(ends)

    changed(fresh, trim)
    assert stockline("audit", "--kafka", fresh).returncode == 2
    audited = stockline("audit", "--kafka", fresh, "--from", str(rows), "--save", str(tmp_path / "next.rows"), "--json")
    report = json.loads(audited.stdout)
    assert (audited.returncode, report["differences"], report["since"]) == (0, [], "kept.rows")
    assert report["records"] >= 10
    assert report["positions"] == 1
    again = stockline("audit", "--kafka", fresh, "--from", str(tmp_path / "next.rows"))
    assert again.returncode == 0, again


def test_a_cluster_that_is_not_there_is_an_environment_failure(tmp_path: Path) -> None:
    for verb in ("worker", "web"):
        done = stockline(verb, "--kafka", "127.0.0.1:1", "--data", str(tmp_path), "--port", "0")
        assert done.returncode == 3
        assert b"Kafka at 127.0.0.1:1: cannot be reached: no broker answers. Start it" in done.stderr
    assert stockline("worker").returncode == 2


def test_an_audit_finds_what_the_log_does_not_explain(fresh: str, tmp_path: Path) -> None:
    folded(fresh, tmp_path / "rows")
    asyncio.run(forge(fresh, asyncio.run(read_all(fresh, "stockline.signals"))[0]))
    audited = stockline("audit", "--kafka", fresh, "--json")
    assert audited.returncode == 1
    assert "signals" in json.loads(audited.stdout)["differences"][0]


async def forge(kafka: str, record: Any) -> None:
    """Write a signal a second time, as a broken engine would."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    await producer.send_and_wait(record.topic, record.value, record.key, record.partition, headers=list(record.headers))
    await producer.stop()


def test_a_plain_faust_app_follows_a_public_topic(fresh: str, tmp_path: Path) -> None:
    source = next(block for block in README.split("```python\n")[1:] if "import faust" in block).split("```")[0]
    (tmp_path / "orders.py").write_text(source.replace("127.0.0.1:9092", fresh))
    folded(fresh, tmp_path / "rows")
    said = tmp_path / "said"
    with said.open("wb") as written:
        orders = subprocess.Popen(
            [sys.executable, "-m", "faust", "-A", "orders", "worker", "--without-web", "-l", "info"],
            cwd=tmp_path, env=environment(), stdout=written, stderr=written,
        )  # fmt: skip
    deadline = time.monotonic() + 120
    while "signal.opened: order 84 of 85123A for LDS" not in said.read_text() and time.monotonic() < deadline:
        time.sleep(0.2)
    orders.kill()
    orders.wait()
    assert "signal.opened: order 84 of 85123A for LDS" in said.read_text()


def test_the_settings_of_a_secured_cluster_are_passed_on(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret\n")
    wanted = {
        "STOCKLINE_KAFKA": "127.0.0.1:1", "STOCKLINE_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "STOCKLINE_USERNAME": "ann",
    }  # fmt: skip

    def worker(**settings: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "engine", "worker", "--data", str(tmp_path / "rows"), "--port", "0"],
            cwd=ROOT, env={**environment(), **wanted, **settings}, capture_output=True, timeout=240,
        )  # fmt: skip

    without = worker()
    assert without.returncode == 2
    assert b"STOCKLINE_PASSWORD_FILE" in without.stderr
    missing = worker(STOCKLINE_PASSWORD_FILE=str(tmp_path / "nowhere"))
    assert (missing.returncode, b"nowhere" in missing.stderr) == (2, True)
    assert worker(STOCKLINE_PASSWORD_FILE=str(password)).returncode == 3
    half = worker(STOCKLINE_PASSWORD="x", STOCKLINE_CERT_FILE=str(password))
    assert (half.returncode, b"STOCKLINE_KEY_FILE" in half.stderr) == (2, True)
    broken = worker(STOCKLINE_PASSWORD="x", STOCKLINE_SECURITY_PROTOCOL="SASL_SSL", STOCKLINE_CA_FILE=str(password))
    assert (broken.returncode, b"certificates" in broken.stderr) == (2, True)
    assert b"secret" not in missing.stderr + broken.stderr
