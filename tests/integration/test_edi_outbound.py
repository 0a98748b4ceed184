"""Orders go out by EDI through the shipped commands, once, although the connector is killed again and again."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.process import COMMAND, ROOT, START_SECONDS, Stockline, environment, event, stockline
from tests.integration.test_folder import access_to
from tests.real.edi_readers import read_by_others
from tests.real.kafka import Missing
from tests.real.sftp import SftpServer
from tests.unit import edi_documents as edi
from tests.unit.edi_partner import Desk, events_of

pytestmark = pytest.mark.slow
AT, LATER = "2026-03-02T10:00:00+01:00", "2026-03-03T10:00:00+01:00"
LINE: dict[str, Any] = {"sku": "LAMP-7", "location": "LDS"}


def placed(number: int) -> dict[str, Any]:
    return event("order.placed", f"o-{number}", AT, order=f"PO-{number}", line=10, **LINE, supplier="NORDLICHT",
                 qty=10 + number, due="2026-03-10")  # fmt: skip


@pytest.fixture
def partner(tmp_path: Path) -> Path:
    """The partner's folder, with a profile beside it."""
    (tmp_path / "partner" / "in" / "archive").mkdir(parents=True)
    (tmp_path / "nordlicht.toml").write_text(
        'format = "edi"\nsource = "edi/nordlicht"\npartner = "nordlicht"\nwe_are = "buyer"\nlocation = "LDS"\n'
    )
    return tmp_path / "partner"


def profile(partner: Path, engine: Stockline) -> Path:
    folder = partner.parent
    path = folder / "out.toml"
    path.write_text(
        f'kind = "edi"\nname = "nordlicht-out"\npartner = "nordlicht"\nstandard = "x12"\nsuppliers = ["NORDLICHT"]\n'
        f'journal = "{folder}/journal"\npath = "{partner}"\nengine = "{engine.url}"\ninterval_seconds = 0.1\n'
        f'gather_seconds = 0\nforecasts = true\nnames_are_ours = ["item", "location"]\noverdue_hours = 1e-9\n'
        f'ours = {{ id = "HOUSE" }}\ntheirs = {{ id = "NORDLICHT" }}\n'
        f'receipts = {{ folder = "in/archive", profile = "{folder}/nordlicht.toml" }}\n'
    )
    return path


def run_once(path: Path) -> subprocess.CompletedProcess[bytes]:
    return stockline("connectors", "run", str(path), "--once", "--state", str(path.parent / "state"))


def kill_after(path: Path, seconds: float) -> None:
    process = subprocess.Popen(
        [*COMMAND, "connectors", "run", str(path), "--state", str(path.parent / "state")],
        cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(seconds)
    process.kill()
    process.wait(START_SECONDS)


def sent(partner: Path) -> list[tuple[str, str]]:
    """The reservation and the quantity that the partner reads in each order and change, by the number of its file."""
    files = sorted((partner / "out").glob("*.x12"))
    rows = [edi.row(json.loads(each)) for path in files for each in events_of(path.read_bytes())]
    return [(row[1], row[4]) for row in rows if row[0].startswith(("stock.", "reservation."))]


def test_each_change_of_an_order_is_sent_once_and_its_receipt_is_matched(partner: Path, tmp_path: Path) -> None:
    with Stockline(tmp_path / "data", "--clock", "log") as engine:
        path = profile(partner, engine)
        engine.send(event("item.defined", "i-1", AT, sku="LAMP-7", base_unit="piece"), *map(placed, range(30)))
        tried = stockline("connectors", "check", str(path))
        assert (tried.returncode, (tmp_path / "journal").exists()) == (0, False), tried.stdout
        for seconds in (0.6, 0.8, 1.0):
            kill_after(path, seconds)
        ran = run_once(path)
        assert ran.returncode == 0, ran.stderr
        assert sorted(sent(partner)) == sorted((f"PO-{number}/10", str(10 + number)) for number in range(30))
        numbers = [int(file.name.split("-")[2]) for file in sorted((partner / "out").glob("*.x12"))]
        assert numbers == list(range(1, 31))
        engine.send(*changes())
        assert run_once(path).returncode == 0
        assert sent(partner)[30:] == [("PO-3/10", "99"), ("PO-4/10", "all")]
        assert len(list((partner / "out").glob("*-000000033-forecast.x12"))) == 1

        (partner / "in" / "archive" / "answers.x12").write_text(receipts(33))
        (partner / "in" / "archive" / "notice.x12").write_bytes((edi.OWN / "ship-notice.x12").read_bytes())
        assert run_once(path).returncode == 0
        (receipt,) = (partner / "out").glob("*-receipt.x12")
        assert b"AK1*SH*71~" in receipt.read_bytes()
        assert b"none lacks" in (checked := stockline("connectors", "check", str(path)).stdout), checked


def changes() -> list[dict[str, Any]]:
    """A change, a cancellation, and a forecast of the supplier's item."""
    line = {"line": 10, **LINE}
    return [
        event("order.changed", "c-1", LATER, order="PO-3", **line, qty=99, revision=1),
        event("order.cancelled", "c-2", LATER, order="PO-4", **line),
        event("policy.set", "p-1", AT, **LINE, supplier="NORDLICHT", policy={"kind": "none"}),
        event("forecast.revised", "f-1", AT, **LINE, version="v1", mode="replace",
              buckets=[{"start": "2026-03-02", "days": 7, "qty": 70}]),
    ]  # fmt: skip


@pytest.mark.real
@pytest.mark.parametrize("standard", ["x12", "edifact"])
async def test_readers_of_other_authors_find_nothing_wrong(standard: str, tmp_path: Path) -> None:
    sender = {"x12": "NORDLICHT", "edifact": "WESTSTORE"}[standard]
    desk = Desk(tmp_path, standard=standard, forecasts=True, theirs={"id": sender})
    desk.engine.order(1, 10, 48)
    desk.engine.order(2, 20, 5, location="NORTH")
    desk.engine.say("policy.set", 3, supplier="NORDLICHT")
    desk.engine.say("forecast.revised", 4, version="v1")
    bucket = {"start": "2026-03-02", "days": 7, "qty": 70}
    desk.engine.forecasts["LAMP-7", "LDS"] = {"version": "v1", "deltas": [], "buckets": [bucket]}
    came_in = {"x12": "ship-notice.x12", "edifact": "customer-order.edi"}[standard]
    (tmp_path / "partner" / "in" / came_in).write_bytes((edi.OWN / came_in).read_bytes())
    await desk.round()
    desk.engine.say("order.changed", 5, LATER, order="PO-1", line=10, qty=40, revision=1)
    await desk.round()
    desk.engine.say("order.cancelled", 6, LATER, order="PO-1", line=10)
    desk.engine.say("order.cancelled", 7, LATER, order="PO-1", line=20, location="NORTH")
    await desk.round()
    files = sorted((tmp_path / "partner" / "out").iterdir())
    assert len(files) == 5
    try:
        found = read_by_others(files)
    except Missing as missing:
        pytest.skip(f"no readers of other authors: {missing}")
    for path, (tags, errors) in zip(files, found, strict=True):
        assert errors == [], path.name
        # pydifact keeps the envelopes of a message and an interchange to itself.
        around = {"x12": 0, "edifact": 5}[standard]
        assert len(tags) + around == len(path.read_text().splitlines()), (path.name, tags)


@pytest.mark.real
def test_documents_are_laid_down_on_an_sftp_server(tmp_path: Path) -> None:
    try:
        server = SftpServer()
    except Missing as missing:
        pytest.skip(f"no SFTP server: {missing}")
    with server, Stockline(tmp_path / "data", "--clock", "log") as engine:
        path = tmp_path / "out.toml"
        path.write_text(
            f'kind = "edi"\nname = "nordlicht-out"\npartner = "nordlicht"\nstandard = "edifact"\n'
            f'suppliers = ["NORDLICHT"]\njournal = "{tmp_path}/journal"\npath = "{server.files}"\n'
            f'engine = "{engine.url}"\ngather_seconds = 0\nnames_are_ours = ["item", "location"]\n'
            f'ours = {{ id = "HOUSE" }}\ntheirs = {{ id = "NORDLICHT" }}\n' + access_to(server, server.known_hosts)
        )
        engine.send(event("item.defined", "i-1", AT, sku="LAMP-7", base_unit="piece"), placed(1))
        for _ in range(2):
            ran = run_once(path)
            assert ran.returncode == 0, ran.stderr
        (laid,) = (server.files / "out").iterdir()
        assert laid.name == "nordlicht-out-000000001-order.edi"
        assert len(events_of(laid.read_bytes())) == 1


def receipts(count: int) -> str:
    """The partner's 997 for each control number up to `count`."""
    groups = "".join(
        f"ST*997*{number:04}~AK1*PO*{number}~AK2*850*0001~AK5*A~AK9*A*1*1*1~SE*6*{number:04}~"
        for number in range(1, count + 1)
    )
    header = (
        "ISA*00*          *00*          *ZZ*NORDLICHT      *ZZ*HOUSE          *260303*1000*U*00401*000000007*0*P*>~"
    )
    return f"{header}GS*FA*NORDLICHT*HOUSE*20260303*1000*7*X*004010~{groups}GE*{count}*7~IEA*1*000000007~"
