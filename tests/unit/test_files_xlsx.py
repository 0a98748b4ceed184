"""Spreadsheets: every kind of cell as a person sees it, workbooks that are none, and bombs."""

import contextlib
import io
import json
import tomllib
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.files import load_profile, send_files, xlsx_reader
from connectors.files.lines import Mark
from connectors.files.readers import BadFile, Item, choose_reader
from connectors.files.xlsx_reader import SheetProfile, XlsxReader
from engine.core.errors import UsageError
from tests.unit.test_files_connector_send import SMALL, server

PROFILE = """
source = "wms"
id = "{row}"
decimal = ","
delimiter = ";"
skip_lines = 1
time_zone = "Europe/Berlin"
time = { columns = ["Datum", "Uhr"], formats = ["%d.%m.%Y %H:%M"] }
skip_matching = ["^Summe"]
[units]
KG = 1000
[[rules]]
type = "stock.issued"
[rules.data]
sku = { column = "Artikel" }
location = "LDS"
qty = { column = "Menge", as = "integer", unit_column = "ME" }
"""
HEAD = ["Datum", "Uhr", "Artikel", "Menge", "ME"]


def profile() -> SheetProfile:
    return SheetProfile.model_validate(tomllib.loads(PROFILE))


def workbook(*rows: list[Any], forms: dict[str, str] | None = None, head: list[Any] | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Bestand"
    sheet.append(["Export vom 2. März"])
    sheet.append(head or HEAD)
    for row in rows:
        sheet.append(row)
    for cell, form in (forms or {}).items():
        sheet[cell].number_format = form
    book.create_sheet("Anderes").append(["leer"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(content: bytes, start: Mark = Mark(), **change: object) -> list[Item]:  # noqa: B008
    reader = XlsxReader(profile().model_copy(update=change))
    return list(reader.read(io.BytesIO(content), start))


def only(content: bytes) -> dict[str, Any]:
    (item,) = read(content)
    assert item.problem is None, item.problem
    event: dict[str, Any] = json.loads(item.events[0])
    return event


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (datetime(2026, 7, 2), time(9, 14), "2026-07-02T09:14:00+02:00"),  # noqa: DTZ001 - a cell has no zone
        (date(2026, 1, 2), timedelta(hours=24), "2026-01-03T00:00:00+01:00"),
        ("02.07.2026", "09:14", "2026-07-02T09:14:00+02:00"),
        (datetime(2026, 7, 2, 9, 14), None, "2026-07-02T09:14:00+02:00"),  # noqa: DTZ001
    ],
)
def test_dates_and_times_are_read_as_cells_and_as_text(day: object, clock: object, expected: str) -> None:
    assert only(workbook([day, clock, "A", 1, None]))["time"] == expected


@pytest.mark.parametrize(
    ("cell", "unit", "expected"),
    [(5.5, "KG", 5500), (0.1 + 0.2, "KG", 300), (12, None, 12), ("5,5", "KG", 5500), (1e6, "", 10**6), ("3-", "", -3)],
)
def test_numbers_have_the_digits_that_a_person_sees(cell: object, unit: str | None, expected: int) -> None:
    assert only(workbook(["02.07.2026", "09:14", "A", cell, unit]))["data"]["qty"] == expected


@pytest.mark.parametrize(
    ("cell", "form", "expected"),
    [
        (123, "00000", "00123"),
        (4006381333931, "General", "4006381333931"),
        (4006381333931.0, "0", "4006381333931"),
        ("00123", "@", "00123"),
        (True, "General", "true"),
    ],
)
def test_numbers_of_articles_keep_their_form(cell: object, form: str, expected: str) -> None:
    content = workbook(["02.07.2026", "09:14", cell, 1, ""], forms={"C3": form})
    assert only(content)["data"]["sku"] == expected


def test_empty_rows_totals_and_errors_cost_only_themselves() -> None:
    rows: list[list[Any]] = [
        ["02.07.2026", "09:14", "A", 1, ""],
        [],
        ["02.07.2026", "09:14", "A", "#N/A", ""],
        ["02.07.2026", "09:14", "A", 2, "", "beyond"],
        ["02.07.2026", "09:14", "B", 2, "KG"],
        ["Summe", None, None, 99],
    ]
    items = read(workbook(*rows))
    assert [(item.line, len(item.events), item.problem or item.skipped) for item in items] == [
        (3, 1, None),
        (5, 0, "the cell 4 of the row holds the error #N/A"),
        (6, 0, "6 cells where the heading has 5"),
        (7, 1, None),
        (8, 0, "a line that `skip_matching` names"),
    ]


def test_a_sheet_is_named_and_a_missing_one_said() -> None:
    content = workbook(["02.07.2026", "09:14", "A", 1, ""])
    assert len(read(content, sheet="Bestand")) == 1
    with pytest.raises(BadFile, match="no sheet Lager; the workbook has Bestand, Anderes"):
        read(content, sheet="Lager")
    with pytest.raises(UsageError, match="the file has no column"):
        read(content, sheet="Anderes", skip_lines=0)


def test_reading_goes_on_after_a_row() -> None:
    content = workbook(*(["02.07.2026", "09:14", f"A{n}", n, ""] for n in range(1, 6)))
    items = read(content)
    assert all(read(content, item.mark) == items[place:] for place, item in enumerate(items, 1))


def test_a_workbook_is_sent_resumed_and_its_rejects_sent_after_mending(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(PROFILE)
    path = tmp_path / "stock.xlsx"
    path.write_bytes(workbook(*(["02.07.2026", "09:14", f"Ł;{n}", n or "?", ""] for n in range(25))))
    with server() as engine:
        first = send_files([str(path)], engine.url, tmp_path / "p.toml", options=SMALL).files[0]
        assert (first.accepted, first.broken, first.lines) == (24, 1, 27)
        assert send_files([str(path)], engine.url, tmp_path / "p.toml", options=SMALL).files[0].sent_before
        rejects = tmp_path / "stock.rejects.csv"
        text = rejects.read_text()
        assert text.splitlines()[1:3] == [";".join(HEAD), "#stockline line 3: qty: '?' is not a number"]
        rejects.write_text(text.replace(";?", ";7"))
        sheet_profile = tmp_path / "sheet.toml"
        sheet_profile.write_text('format = "xlsx"\n' + PROFILE)
        again = send_files([str(rejects)], engine.url, sheet_profile, options=SMALL).files[0]
        assert (again.accepted, again.broken) == (1, 0)
        found = [json.loads(line) for line in engine.events.values()]
    assert sorted(int(each["id"]) for each in found) == list(range(3, 28))
    assert {each["data"]["sku"] for each in found} == {f"Ł;{n}" for n in range(25)}


def test_the_suffix_says_the_format_of_a_profile_that_does_not(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(PROFILE)
    assert type(load_profile(path)) is not SheetProfile
    assert isinstance(choose_reader("a.xlsx", path), XlsxReader)
    with pytest.raises(UsageError, match="read by a profile"):
        choose_reader("-", "xlsx")


def repacked(content: bytes, part: str, change: bytes) -> bytes:
    """A workbook with another content of a part."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) if name != part else change)
    return out.getvalue()


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lollollollol">%s]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"
t="inlineStr"><is><t>&i;</t></is></c></row></sheetData></worksheet>""" % b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)
FAR_ROW = b"""<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2" t="str"><v>Datum</v></c><c r="B2" t="str"><v>Uhr</v></c>
<c r="C2" t="str"><v>Artikel</v></c><c r="D2" t="str"><v>Menge</v></c><c r="E2" t="str"><v>ME</v></c></row>
<row r="9000000000"><c><v>1</v></c></row></sheetData></worksheet>"""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0" + b"0" * 600, "with a password"),
        (b"PK\x03\x04 and no more", "damaged"),
        (workbook()[:-400], "damaged"),
        (repacked(workbook(), "xl/worksheets/sheet1.xml", LAUGHS), "damaged"),
        (repacked(workbook(), "xl/worksheets/sheet1.xml", b"<x>"), "damaged"),
        (repacked(workbook(), "xl/worksheets/sheet1.xml", FAR_ROW), "more than 10,000 rows"),
        (repacked(workbook(), "xl/worksheets/sheet1.xml", b" " * (70 << 20)), "unpacks to more than"),
    ],
    ids=["locked", "no zip", "cut off", "entities", "no sheet", "far row", "bomb"],
)
def test_what_is_no_workbook_is_said_in_words(content: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_reader, "MAX_ROWS", 10_000)
    with pytest.raises(BadFile, match=said):
        read(content)


@settings(max_examples=60, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_workbook_that_was_changed_anywhere_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    content = bytearray(workbook(*(["02.07.2026", "09:14", "A", n, ""] for n in range(3))))
    for place, byte in changes:
        content[place % len(content)] = byte
    with contextlib.suppress(UsageError):
        read(bytes(content))
