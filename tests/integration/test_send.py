"""`stockline send` through the shipped command: what it remembers of a file, and for which log."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.process import Stockline, event, stockline
from tests.real.kafka import free_port

LINES = [json.dumps(event("stock.counted", f"c-{n}", sku=f"S{n}", location="LDS", qty=n)) for n in range(5)]
CSV = """\
source = "wms"
id = "{doc}"
encoding = "utf-8"
time = { columns = ["at"] }
[[rules]]
type = "stock.counted"
data = { sku = { column = "sku" }, location = "LDS", qty = { column = "qty", as = "integer" } }
"""


def send(engine: Stockline, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Exit code, output and remarks of `stockline send`."""
    ran = stockline("send", *arguments, "--url", engine.url, stdin=stdin)
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


def rows(engine: Stockline) -> int:
    total: int = engine.get("/v1/positions")["total"]
    return total


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stockline]:
    """For tests that leave each other alone."""
    with Stockline(tmp_path_factory.mktemp("shared") / "data", "--clock", "log") as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join(LINES) + "\n")
    return path


def test_what_was_sent_is_remembered_by_the_log_and_not_by_its_address(tmp_path: Path, file: Path) -> None:
    port = str(free_port())
    with Stockline(tmp_path / "one", "--clock", "log", "--port", port) as first:
        assert send(first, str(file))[:2] == (0, f"{file}: 5 accepted, 0 refused, 0 broken\n")
        log = first.get("/v1/sync")["log"]
        assert first.stop() == 0
    with Stockline(tmp_path / "two", "--clock", "log", "--port", port) as another:
        assert send(another, str(file))[:2] == (0, f"{file}: 5 accepted, 0 refused, 0 broken\n")
        assert rows(another) == 5
        with Stockline(tmp_path / "one", "--clock", "log") as first:
            assert (first.port != int(port), first.get("/v1/sync")["log"]) == (True, log)
            said = f"{file}: all 5 lines were sent before, --restart sends them again\n"
            assert send(first, str(file))[:2] == (0, said)
            code, out, _ = send(first, str(file), "--restart")
            assert (code, out.startswith(f"{file}: 0 accepted, 5 duplicates")) == (0, True)


def test_a_line_that_is_changed_in_the_middle_is_not_taken_for_sent(shared: Stockline, tmp_path: Path) -> None:
    path = tmp_path / "middle.ndjson"
    lines = [json.dumps(event("stock.counted", f"m-{n}", sku=f"M{n}", location="LDS", qty=n)) for n in range(2_000)]
    path.write_text("\n".join(lines) + "\n")
    assert send(shared, str(path))[0] == 0
    lines[1_000] = lines[1_000].replace("m-1000", "m-9999").replace("M1000", "M9999")
    path.write_text("\n".join(lines) + "\n")
    code, out, remarks = send(shared, str(path))
    assert (code, out.startswith(f"{path}: 1 accepted, 1999 duplicates")) == (0, True)
    assert "is sent from its first line: it differs from what was sent before" in remarks
    assert shared.get("/v1/positions/M9999/LDS")["available"] == 1_000


@pytest.mark.parametrize("source", ["file", "standard input"])
def test_a_last_line_without_its_end_is_not_sent_and_said(shared: Stockline, tmp_path: Path, source: str) -> None:
    name = source.replace(" ", "-")
    path, whole = tmp_path / f"{name}.csv", f"doc,at,sku,qty\n{name}-1,2026-03-02T08:00:00Z,{name},7\n"
    profile = tmp_path / "counts.toml"
    profile.write_text(CSV)
    half = whole + f"{name}-2,2026-03-02T09:00:00Z,{name},12"
    path.write_text(half)
    given = (str(path), b"") if source == "file" else ("-", half.encode())
    code, out, remarks = send(shared, given[0], "--profile", str(profile), stdin=given[1])
    assert (code, out) == (1, f"{given[0]}: 1 accepted, 0 refused, 0 broken, 1 unfinished\n")
    assert "line 3: not sent: it has no line end yet" in remarks
    assert shared.get(f"/v1/positions/{name}/LDS")["available"] == 7
    path.write_text(half + "5\n")
    given = (str(path), b"") if source == "file" else ("-", path.read_bytes())
    code, out, _ = send(shared, given[0], "--profile", str(profile), stdin=given[1])
    assert (code, "0 refused, 0 broken" in out) == (0, True)
    assert shared.get(f"/v1/positions/{name}/LDS")["available"] == 125


def test_complete_takes_a_last_line_as_it_is(shared: Stockline, tmp_path: Path) -> None:
    path = tmp_path / "whole.ndjson"
    path.write_text(json.dumps(event("stock.counted", "w-1", sku="W", location="LDS", qty=9)))
    assert send(shared, str(path))[0] == 1
    assert send(shared, str(path), "--complete")[0] == 0
    assert shared.get("/v1/positions/W/LDS")["available"] == 9


def test_a_byte_order_mark_costs_no_event(shared: Stockline, tmp_path: Path) -> None:
    def counted(name: str) -> bytes:
        return json.dumps(event("stock.counted", name, sku=name, location="LDS", qty=3)).encode()

    path = tmp_path / "marked.ndjson"
    path.write_bytes(codecs.BOM_UTF8 + counted("b-file") + b"\n")
    assert send(shared, str(path))[0] == 0
    assert send(shared, "-", stdin=codecs.BOM_UTF8 + counted("b-input") + b"\n")[0] == 0
    (tmp_path / "counts.toml").write_text(CSV)
    path = tmp_path / "marked.csv"
    path.write_bytes(codecs.BOM_UTF8 + b"doc,at,sku,qty\nb-csv,2026-03-02T08:00:00Z,b-csv,3\n")
    assert send(shared, str(path), "--profile", str(tmp_path / "counts.toml"))[0] == 0
    for number, (form, kind) in enumerate(
        [("%s\n", "application/x-ndjson"), ("[%s]", "application/json"), ("%s", "application/cloudevents+json")]
    ):
        body = codecs.BOM_UTF8 + form.encode() % counted(f"b-{number}")
        answer = shared.call("POST", "/v1/events", body, kind)
        assert (answer.status, answer.json["accepted"], answer.json["refused"]) == (202, 1, [])
    for name in ("b-file", "b-input", "b-csv", "b-0", "b-1", "b-2"):
        assert shared.get(f"/v1/positions/{name}/LDS")["available"] == 3, name


def test_the_log_is_named_by_a_word_without_meaning(shared: Stockline) -> None:
    assert re.fullmatch("[0-9a-f]{32}", shared.get("/v1/sync")["log"])


def test_a_file_that_is_not_there_is_said_before_an_engine_is_waited_for(tmp_path: Path) -> None:
    for path in (tmp_path / "none.ndjson", tmp_path / "none", tmp_path):
        ran = stockline("send", str(path), "--url", "http://127.0.0.1:1")
        assert (ran.returncode, ran.stderr.decode()) == (2, f"stockline: {path}: there is no such file\n")
