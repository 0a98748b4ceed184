"""`stockline profile new`: the drafts load, and a dry run with them translates what people export."""

import gzip
import io
import json
import os
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from connectors.files import Profile, load_profile
from connectors.files.dry_run import FilePreview, preview_files
from connectors.files.sender import plan_files
from engine.core.errors import UsageError
from tests.unit.test_cli import Run, runner

GERMAN = (
    "Lagerbewegungen Werk Köln\r\n\r\n"
    "Beleg;Pos;Datum;Uhrzeit;Bewegungsart;Artikel;Menge;ME;Lager\r\n"
    "4711;1;02.03.2026;09:14;WA;00123;-5,5;KG;LDS\r\n"
    "4711;2;02.03.2026;09:15;WA;00124;12-;ST;LDS\r\n"
    '4712;1;13.03.2026;24:00;WE;="00125";1.200,0;ST;LDS\r\n'
    "4713;1;14.03.2026;08:00;WE;00126;3;ST;LDS\r\n"
    "Summe;;;;;;1209,5;;\r\n"
)
AMERICAN = (
    "sku,warehouse,on hand,as of\n"
    'A-1,DAL,"1,204",03/31/2026 17:00\n'
    'A-2,DAL,"12",03/31/2026 17:00\n'
    'A-3,DAL,"(3)",04/01/2026 08:00\n'
    "Total,,1213,\n"
)
TITLED = (
    "Movements of March 2026;;;;\n"
    "doc;date;article;location;qty\n"
    "D1;03/01/2026;A-1;DAL;1\nD2;03/02/2026;A-1;DAL;2\nD3;03/25/2026;A-2;DAL;3\nD4;03/26/2026;A-2;DAL;4\n"
    "D5;02/30/2026;A-2;DAL;5\n"
    ";;;Total:;15\n"
)
OLD = "ID\tLine\tDelivered\tItem\tQuantity\r" + "".join(f"{n}\t1\t{n}-Jun-06\tI{n}\t{n}\r" for n in range(1, 9))
PLAIN = "item\tquantity\tdate\r\n" + "".join(f"I{n}\t{n + 1}\t2026-03-{n + 1:02}\r\n" for n in range(9))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch)


def draft(run: Run, tmp_path: Path, content: bytes, name: str = "export.csv") -> tuple[Profile, FilePreview]:
    """The profile that is drafted for a file, and what a dry run with it says."""
    path, out = tmp_path / name, tmp_path / "draft.toml"
    path.write_bytes(content)
    assert run("profile", "new", str(path), "--out", str(out)).code == 0
    loaded = load_profile(out)
    assert isinstance(loaded, Profile)
    assert run("profile", "check", str(out)).code == 0
    (preview,) = preview_files(plan_files([str(path)], out)).files
    return loaded, preview


def test_an_export_of_movements_from_germany(run: Run, tmp_path: Path) -> None:
    profile, preview = draft(run, tmp_path, GERMAN.encode("cp1252"))
    assert (profile.delimiter, profile.encoding, profile.decimal, profile.thousands) == (";", "cp1252", ",", ".")
    assert (profile.skip_lines, profile.skip_matching, profile.id) == (2, ("^Summe",), "{Beleg}-{Pos}")
    assert (profile.time.columns, profile.time.formats) == (("Datum", "Uhrzeit"), ("%d.%m.%Y %H:%M",))
    assert (preview.events, preview.broken, preview.refused) == (4, 0, 0), preview.problems
    assert [(event["id"], event["time"], event["data"]["sku"], event["data"]["qty"]) for event in preview.first] == [
        ("4711-1", "2026-03-02T09:14:00+00:00", "00123", -5500),
        ("4711-2", "2026-03-02T09:15:00+00:00", "00124", -12),
        ("4712-1", "2026-03-14T00:00:00+00:00", "00125", 1200),
        ("4713-1", "2026-03-14T08:00:00+00:00", "00126", 3),
    ]
    assert preview.first[0]["data"]["location"] == "LDS"


def test_a_stock_list_from_america(run: Run, tmp_path: Path) -> None:
    profile, preview = draft(run, tmp_path, AMERICAN.encode("utf-8-sig"))
    assert (profile.delimiter, profile.thousands, profile.parentheses) == (",", ",", True)
    assert profile.time.formats == ("%m/%d/%Y %H:%M",)
    assert (preview.events, preview.refused, preview.broken) == (2, 1, 0), preview.problems
    assert preview.problems[0].reason == "invalid_event: data.qty must be a whole number of at least 0"
    assert [(event["type"], event["data"]) for event in preview.first] == [
        ("stock.counted", {"sku": "A-1", "location": "DAL", "qty": 1204}),
        ("stock.counted", {"sku": "A-2", "location": "DAL", "qty": 12}),
    ]


def test_a_title_as_wide_as_the_rows_a_slip_and_a_total_in_the_middle(run: Run, tmp_path: Path) -> None:
    profile, preview = draft(run, tmp_path, TITLED.encode())
    assert (profile.skip_lines, profile.skip_matching) == (1, (";Total:(;|$)",))
    assert profile.time.formats == ("%m/%d/%Y",)
    assert (preview.events, preview.broken, preview.refused) == (4, 1, 0), preview.problems


def test_a_packed_file_with_tabs_and_without_much_else(run: Run, tmp_path: Path) -> None:
    profile, preview = draft(run, tmp_path, gzip.compress(PLAIN.encode()), "plain.txt.gz")
    assert (profile.delimiter, profile.id, profile.encoding) == ("\t", "{row}", "utf-8-sig")
    assert (preview.events, preview.broken, preview.refused) == (9, 0, 0), preview.problems


def test_a_file_of_old_with_carriage_returns_and_names_of_months(run: Run, tmp_path: Path) -> None:
    profile, preview = draft(run, tmp_path, OLD.encode())
    assert (profile.line_end, profile.id, profile.time.formats) == ("\r", "{ID}", ("%d-%b-%y",))
    assert (preview.events, preview.first[0]["time"]) == (8, "2006-06-01T00:00:00+00:00")


def test_days_that_can_be_read_in_two_ways_are_said(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("item,quantity,date\nA,1,02/03/2026\nB,2,04/05/2026\n")
    ran = run("profile", "new", str(path))
    assert ran.code == 0
    assert "would also be read by %m/%d/%Y" in ran.out


def test_a_cell_that_holds_line_ends(run: Run, tmp_path: Path) -> None:
    content = b'doc,date,item,text,qty\nD1,2026-03-01,A,"two\nlines",5\nD2,2026-03-02,B,"5"" pipe",6\n'
    profile, preview = draft(run, tmp_path, content)
    assert (profile.record_lines, profile.skip_lines) == (10, 0)
    assert (preview.events, preview.broken, preview.refused) == (2, 0, 0), preview.problems


def test_a_heading_that_is_there_twice_is_named_as_the_reader_names_it(run: Run, tmp_path: Path) -> None:
    _, preview = draft(run, tmp_path, b"doc,date,item,qty,qty\nD1,2026-03-01,A,5,6\nD2,2026-03-02,B,7,8\n")
    assert [event["data"]["qty"] for event in preview.first] == [5, 7]
    assert "(?) the heading is there twice" in (tmp_path / "draft.toml").read_text()


def test_the_days_of_a_spreadsheet_are_read_where_the_heading_says_that_they_are_days(run: Run, tmp_path: Path) -> None:
    profile, preview = draft(run, tmp_path, b"doc;date;item;qty\nD1;46082;A;40001\nD2;46083,5;B;40002\n")
    assert profile.time.formats == ("serial",)
    assert [(event["time"], event["data"]["qty"]) for event in preview.first] == [
        ("2026-03-01T00:00:00+00:00", 40001),
        ("2026-03-02T12:00:00+00:00", 40002),
    ]


def test_times_with_an_offset_are_those_of_iso_8601(run: Run, tmp_path: Path) -> None:
    profile, preview = draft(run, tmp_path, b"doc,at,item,qty\nD1,2026-03-01T09:00:00Z,A,1\nD2,2026-03-01,B,2\n")
    assert (profile.time.formats, preview.first[0]["time"]) == (("iso",), "2026-03-01T09:00:00+00:00")


def workbook(*sheets: tuple[str, list[list[object]]], merged: str | None = None) -> bytes:
    """A workbook of sheets by their titles."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if merged:
            sheet.merge_cells(merged)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def test_a_workbook_with_a_merged_title_empty_rows_and_a_total(run: Run, tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["Lagerbewegungen"], [], ["Beleg", "Datum", "Artikel", "Menge", "Lager"],
        ["B1", date(2026, 3, 1), "00123", 12, "LDS"], ["B2", datetime(2026, 3, 2, 14, 30), "INK", -5, "LDS"],  # noqa: DTZ001
        ["Summe", None, None, 7, None],
    ]  # fmt: skip
    profile, preview = draft(run, tmp_path, workbook(("Info", [["SAP"]]), ("März", rows), merged="A1:E1"), "e.xlsx")
    assert (profile.format, profile.model_dump()["sheet"], profile.skip_lines) == ("xlsx", "März", 2)
    assert (preview.events, preview.skipped.total(), preview.broken, preview.refused) == (2, 1, 0, 0), preview.problems
    assert [(event["id"], event["time"], event["data"]) for event in preview.first] == [
        ("B1", "2026-03-01T00:00:00+00:00", {"sku": "00123", "location": "LDS", "qty": 12, "reason": "correction"}),
        ("B2", "2026-03-02T14:30:00+00:00", {"sku": "INK", "location": "LDS", "qty": -5, "reason": "correction"}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", workbook(("Sheet", [])), "it is empty"),
        ("a.xlsx", b"no workbook", "it is no workbook"),
        ("a.xlsx", b"PK\x03\x04 cut off", "the workbook is damaged"),
        ("a.ndjson", b"{}", "read as CloudEvents, without a profile"),
        ("a.x12", b"ISA*", "docs/connectors/edi.md"),
        ("a.jsonld", b"{}", "docs/connectors/epcis.md"),
    ],
)
def test_what_gets_no_draft_is_told_what_to_do(run: Run, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    ran = run("profile", "new", str(path))
    assert (ran.code, said in ran.err) == (2, True), ran


LEVELS = "Artikel;Lager;Bestand\n85123A;LDS;5\n85123A;YRK;7\n"


def test_levels_without_a_date_are_as_of_a_constant_time_that_a_person_says_anew(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "levels.csv", tmp_path / "draft.toml"
    path.write_text(LEVELS)
    os.utime(path, (1_772_000_000, 1_772_000_000))
    assert run("profile", "new", str(path), "--out", str(out)).code == 0
    assert run("profile", "check", str(out)).code == 0
    # What the profile says stays, whatever becomes of the file that it was drafted from.
    os.utime(path, (1, 1))
    send = ("send", str(path), "--profile", str(out), "--dry-run", "--json")
    drafted = json.loads(run(*send).out)["files"][0]["first"]
    assert [(each["type"], each["id"], each["time"], each["data"]["qty"]) for each in drafted] == [
        ("stock.counted", "85123A-LDS-2026-02-25T06:13:20+00:00", "2026-02-25T06:13:20+00:00", 5),
        ("stock.counted", "85123A-YRK-2026-02-25T06:13:20+00:00", "2026-02-25T06:13:20+00:00", 7),
    ]
    anew = json.loads(run(*send, "--time", "2026-03-31T18:00+02:00").out)["files"][0]["first"]
    assert [(each["id"], each["time"]) for each in anew] == [
        ("85123A-LDS-2026-03-31T18:00:00+02:00", "2026-03-31T18:00:00+02:00"),
        ("85123A-YRK-2026-03-31T18:00:00+02:00", "2026-03-31T18:00:00+02:00"),
    ]
    local = json.loads(run(*send, "--time", "2026-03-31").out)["files"][0]["first"]
    assert local[0]["time"] == "2026-03-31T00:00:00+00:00"
    wrong = run(*send, "--time", "yesterday")
    assert (wrong.code, "the time 'yesterday' is not a time in ISO 8601" in wrong.err) == (2, True), wrong


def test_an_article_that_has_several_rows_and_no_location_is_told_apart_by_its_row(run: Run, tmp_path: Path) -> None:
    profile, _ = draft(run, tmp_path, b"item;quantity\nA;1\nA;2\n")
    assert (profile.id, profile.rules[0].type) == ("{item}-{row}-{time}", "stock.counted")


def test_a_time_is_only_for_a_profile_whose_time_is_constant(run: Run, tmp_path: Path) -> None:
    draft(run, tmp_path, PLAIN.encode())
    file, profile = str(tmp_path / "export.csv"), str(tmp_path / "draft.toml")
    for arguments in ((file, "--profile", profile), (file, "--profile", "ndjson")):
        told = run("send", *arguments, "--dry-run", "--time", "2026-03-31T18:00:00Z")
        assert (told.code, "time = { constant = ... }" in told.err) == (2, True), told


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ('time = { constant = "2026-03-29T02:30:00" }', "does not exist in Europe/Berlin"),
        ('time = { constant = "tomorrow" }', "not a time in ISO 8601"),
        ('time = { constant = "2026-03-29", columns = ["day"] }', "either `columns` or a `constant`"),
        ("time = {}", "either `columns` or a `constant`"),
    ],
)
def test_a_constant_that_is_no_time_is_said(run: Run, tmp_path: Path, time: str, said: str) -> None:
    path, profile = tmp_path / "a.csv", tmp_path / "a.toml"
    path.write_text("sku,qty\nA,1\n")
    rule = '[[rules]]\ntype = "stock.counted"\ndata = { sku = { column = "sku" }, location = "L", qty = 1 }\n'
    profile.write_text(f'source = "s"\nid = "{{sku}}"\ntime_zone = "Europe/Berlin"\n{time}\n{rule}')
    told = run("send", str(path), "--profile", str(profile), "--dry-run")
    assert (told.code, said in told.err) == (2, True), told


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name;note\nA;x\n", "no columns of an article and a quantity"),
        ("nothing\nof the kind\n", "no heading with several columns"),
        ("", "it is empty"),
        ("item;quantity;date\n", "there are no rows below the heading"),
        ("date;name\n2026-03-02;a\n", "no columns of an article and a quantity"),
    ],
)
def test_a_file_that_says_too_little_is_refused_in_words(run: Run, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    ran = run("profile", "new", str(path))
    assert (ran.code, said in ran.err) == (2, True), ran


def test_utf_16_and_a_profile_that_is_there_are_refused(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "a.csv", tmp_path / "p.toml"
    path.write_bytes(PLAIN.encode("utf-16"))
    assert "UTF-16" in run("profile", "new", str(path)).err
    path.write_text(PLAIN)
    out.write_text("mine")
    assert "there already" in run("profile", "new", str(path), "--out", str(out)).err
    assert out.read_text() == "mine"


def test_a_profile_with_an_event_that_does_not_exist_is_refused(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "a.csv", tmp_path / "p.toml"
    path.write_text(PLAIN)
    run("profile", "new", str(path), "--out", str(out))
    out.write_text(out.read_text().replace("stock.adjusted", "stock.ajusted"))
    ran = run("profile", "check", str(out))
    assert (ran.code, "no event has the type stock.ajusted" in ran.err) == (2, True)
    with pytest.raises(UsageError):
        load_profile(tmp_path / "none.toml")


def test_a_profile_whose_rule_sets_a_field_that_its_event_does_not_have_is_refused(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "a.csv", tmp_path / "p.toml"
    path.write_text(PLAIN)
    run("profile", "new", str(path), "--out", str(out))
    out.write_text(out.read_text().replace("qty = {", "qyt = {"))
    ran = run("profile", "check", str(out))
    assert (ran.code, "the rule 1 for stock.adjusted: qyt is no field of it, qty is missing" in ran.err) == (2, True), (
        ran
    )
