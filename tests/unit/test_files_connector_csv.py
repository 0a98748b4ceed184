"""CSV by a declared profile: what each setting does to a row, and what a broken row costs."""

import codecs
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.files.csv_reader import CsvReader
from connectors.files.lines import Mark, read_lines
from connectors.files.profile import Profile
from connectors.files.readers import Item, choose_reader, load_profile
from engine.core.errors import UsageError
from engine.core.events import StockIssued, decode

PROFILE = """
source = "wms/leeds"
id = "{doc}-{row}"
delimiter = ";"
encoding = "cp1252"
time_zone = "Europe/London"
decimal = ","
thousands = "."

[time]
columns = ["date", "clock"]
formats = ["%d/%m/%Y %H:%M", "%d.%m.%y %H:%M"]

[units]
KT = "case"
DZ = 12

[[rules]]
when = { kind = "OUT" }
type = "stock.issued"
[rules.data]
sku = { column = "article", upper = true }
location = "LDS"
qty = { column = "qty", as = "integer", sign = "absolute", unit_column = "unit" }

[[rules]]
when = { kind = ["IN", "BACK"], qty = { above = 0 } }
type = "stock.adjusted"
[rules.data]
sku = { column = "article" }
location = "LDS"
qty = { column = "qty", as = "integer" }
reason = { column = "kind", map = { IN = "found", BACK = "returned" } }

[[rules]]
when = { kind = { matches = "^INFO" } }
skip = "information"
"""
HEAD = "doc;date;clock;kind;article;qty;unit\n"


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "leeds.toml"
    path.write_text(PROFILE)
    loaded = load_profile(path)
    assert isinstance(loaded, Profile)
    return loaded


START = Mark()


def read(profile: Profile, text: str, start: Mark = START) -> list[Item]:
    return list(CsvReader(profile).read(io.BytesIO((HEAD + text).encode("cp1252")), start))


def only_event(profile: Profile, text: str) -> dict[str, Any]:
    (item,) = read(profile, text)
    assert item.problem is None
    event: dict[str, Any] = json.loads(item.events[0])
    return event


def test_a_row_becomes_an_event_that_the_engine_takes(profile: Profile) -> None:
    (item,) = read(profile, "D1;02/03/2026;09:14;OUT;85123a;-6;\n")
    event = decode(item.events[0])
    assert isinstance(event, StockIssued)
    assert (event.id, event.source, event.data.sku, event.data.qty) == ("D1-2", "wms/leeds", "85123A", 6)
    assert event.time.isoformat() == "2026-03-02T09:14:00+00:00"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("02/07/2026;09:14", "2026-07-02T09:14:00+01:00"),
        ("02.07.26;09:14", "2026-07-02T09:14:00+01:00"),
        ("25/10/2026;01:30", "2026-10-25T01:30:00+01:00"),
    ],
)
def test_local_times_take_the_offset_of_their_day(profile: Profile, moment: str, expected: object) -> None:
    assert only_event(profile, f"D1;{moment};OUT;A;1;\n")["time"] == expected


@pytest.mark.parametrize(
    ("qty", "unit", "expected"),
    [
        ("6", "", {"qty": 6}),
        ("2", "KT", {"qty": 2, "uom": "case"}),
        ("2", "DZ", {"qty": 24}),
        ("1.200", "", {"qty": 1200}),
        ("3,0", "", {"qty": 3}),
    ],
)
def test_quantities_and_units(profile: Profile, qty: str, unit: str, expected: dict[str, object]) -> None:
    data = only_event(profile, f"D1;02/03/2026;09:14;OUT;A;{qty};{unit}\n")["data"]
    assert data == {"sku": "A", "location": "LDS", **expected}


def test_the_first_rule_that_fits_applies_and_its_words_are_mapped(profile: Profile) -> None:
    event = only_event(profile, "D1;02/03/2026;09:14;BACK;A;4;\n")
    assert event["type"] == "stock.adjusted"
    assert event["data"]["reason"] == "returned"


def test_a_rule_may_skip_rows_by_a_reason(profile: Profile) -> None:
    (item,) = read(profile, "D1;02/03/2026;09:14;INFO9;A;4;\n")
    assert (item.events, item.problem, item.skipped) == ((), None, "information")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("D1;31/02/2026;09:14;OUT;A;1;", "has none of the forms"),
        ("D1;29/03/2026;01:30;OUT;A;1;", "does not exist in Europe/London"),
        ("D1;02/03/2026;09:14;OUT;A;1,5;", "not a whole number"),
        ("D1;02/03/2026;09:14;OUT;A;1e999999999;", "not a whole number"),
        ("D1;02/03/2026;09:14;OUT;A;NaN;", "not a number"),
        ("D1;02/03/2026;09:14;OUT;A;;", "column qty is empty"),
        ("D1;02/03/2026;09:14;OUT;A;1;PAL", "unit 'PAL' is not declared"),
        ("D1;02/03/2026;09:14;ELSE;A;1;", "no rule fits"),
        ("D1;02/03/2026;09:14;OUT;A;1", "6 cells where the heading has 7"),
        ('D1;02/03/2026;09:14;OUT;"A;1;', "a quote that is not closed"),
    ],
)
def test_a_broken_row_costs_only_itself(profile: Profile, row: str, reason: str) -> None:
    good = "D0;02/03/2026;09:14;OUT;A;1;\n"
    items = read(profile, f"{good}{row}\n{good}")
    assert [item.line for item in items] == [2, 3, 4]
    assert [bool(item.events) for item in items] == [True, False, True]
    assert reason in str(items[1].problem)


def test_bytes_that_are_not_of_the_encoding_cost_only_their_row(profile: Profile) -> None:
    text = HEAD.encode() + b"D0;02/03/2026;09:14;OUT;\x81;1;\nD1;02/03/2026;09:14;OUT;\xc9;1;\n"
    broken, good = CsvReader(profile).read(io.BytesIO(text), Mark())
    assert "cp1252" in str(broken.problem)
    assert json.loads(good.events[0])["data"]["sku"] == "É"


def test_a_record_may_span_lines_where_the_profile_allows_it(profile: Profile) -> None:
    wide = profile.model_copy(update={"record_lines": 3})
    text = 'D0;02/03/2026;09:14;OUT;"A\nB";1;\nD1;02/03/2026;09:14;OUT;C;1;\n'
    items = read(wide, text)
    assert [item.line for item in items] == [2, 4]
    assert [bool(item.events) for item in items] == [True, True]


def test_an_open_quote_gives_back_the_lines_that_it_took(profile: Profile) -> None:
    wide = profile.model_copy(update={"record_lines": 3})
    good = "D1;02/03/2026;09:14;OUT;C;1;\n"
    items = read(wide, f'D0;02/03/2026;09:14;OUT;"A;1;\n{good * 4}')
    assert [(item.line, item.problem is None) for item in items] == [(2, False), *((n, True) for n in range(3, 7))]


def test_a_last_row_without_its_line_end_is_unfinished_whatever_it_says(profile: Profile) -> None:
    good = "D0;02/03/2026;09:14;OUT;A;1;\n"
    items = read(profile, good + "D1;02/03/2026;09:14;OUT;A;12;")
    assert [item.unfinished for item in items] == [None, "it has no line end yet"]
    assert json.loads(items[1].events[0])["data"]["qty"] == 12
    assert read(profile, good + "D1;02/03")[1].unfinished == "it has no line end yet"


def test_a_record_whose_quote_the_next_lines_may_close_is_unfinished(profile: Profile) -> None:
    wide = profile.model_copy(update={"record_lines": 3})
    text = 'D0;02/03/2026;09:14;OUT;"A\n'
    (item,) = read(wide, text)
    assert item.unfinished == "its quote is not closed yet"
    (item,) = read(wide, text + 'B";1;\n')
    assert (item.unfinished, json.loads(item.events[0])["data"]["sku"]) == (None, "A\nB")
    assert read(profile, text)[0].unfinished is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("heading", [True, False])
def test_a_byte_order_mark_costs_no_row(profile: Profile, encoding: str, heading: bool) -> None:
    columns = None if heading else tuple(HEAD.strip().split(";"))
    plain = profile.model_copy(update={"encoding": encoding, "columns": columns})
    text = codecs.BOM_UTF8 + (HEAD if heading else "").encode() + b"D0;02/03/2026;09:14;OUT;A;1;\n"
    (item,) = CsvReader(plain).read(io.BytesIO(text), Mark())
    assert json.loads(item.events[0])["id"] == f"D0-{1 + heading}"


def test_reading_goes_on_from_any_mark(profile: Profile) -> None:
    text = "".join(f"D{n};02/03/2026;09:14;OUT;A;{n or 'x'};\n" for n in range(6))
    items = read(profile, text)
    for number, item in enumerate(items):
        assert read(profile, text, item.mark) == items[number + 1 :]


def test_nested_fields_and_lists(profile: Profile) -> None:
    rule = {
        "type": "order.acknowledged",
        "data": {"sku": "A", "schedule.0.status": "accepted", "schedule.0.qty": {"column": "qty", "as": "integer"}},
    }
    nested = Profile.model_validate({**profile.model_dump(by_alias=True), "rules": [rule]})
    data = only_event(nested, "D1;02/03/2026;09:14;OUT;A;4;\n")["data"]
    assert data == {"sku": "A", "schedule": [{"status": "accepted", "qty": 4}]}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("encoding = 'utf-16'", "encoding"),
        ("encoding = 'klingon'", "encoding"),
        ("time_zone = 'Mars/Base'", "time_zone"),
        ("colour = 'blue'", "colour"),
        ("units = { X = 0 }", "units"),
        ("rules = [ { type = 'stock.issued', skip = 'x', data = { sku = 'A' } } ]", "rules.0"),
        ("rules = [ { type = 'stock.issued', data = { sku = { column = 'a', as = 'colour' } } } ]", "rules.0"),
        ("rules = [ { when = { a = { matches = '(' } }, skip = 'x' } ]", "rules.0.when.a"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_place(tmp_path: Path, change: str, place: str) -> None:
    name = change.split(" ")[0]
    base = {
        "source": "source = 'x'",
        "id": "id = '{a}'",
        "time": "time = { columns = ['t'] }",
        "rules": "rules = [ { skip = 'all' } ]",
    }
    path = tmp_path / "wrong.toml"
    path.write_text("\n".join({**base, name: change}.values()))
    with pytest.raises(UsageError, match=place):
        load_profile(path)


def test_columns_that_the_file_lacks_are_named(profile: Profile) -> None:
    with pytest.raises(UsageError, match="no column article, qty"):
        list(CsvReader(profile).read(io.BytesIO(b"doc;date;clock;kind;unit\n"), Mark()))


@pytest.mark.parametrize(("path", "chosen"), [("a.ndjson", "ndjson"), ("a.jsonl.xz", "ndjson"), ("-", "ndjson")])
def test_the_suffix_chooses_the_reader(path: str, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.ndjson", "a.jsonl.xz"):
        (tmp_path / name).touch()
    assert choose_reader(path).name == chosen


def test_a_missing_file_is_said_before_its_suffix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        choose_reader(str(tmp_path / "missing.pdf"))


@pytest.mark.parametrize(("path", "profile"), [("a.csv", None), ("a.csv", "nothing-known"), ("a", None)])
def test_what_names_no_format_is_wrong_usage(path: str, profile: str | None) -> None:
    with pytest.raises(UsageError):
        choose_reader(path, profile)


@example(lines=[codecs.BOM_UTF8 + b"a", codecs.BOM_UTF8 + b"b"], ending=False)
@given(
    lines=st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line and not line.endswith(b"\r"))),
    ending=st.booleans(),
)
def test_lines_and_their_offsets_are_those_of_the_bytes(lines: list[bytes], ending: bool) -> None:
    whole = b"\n".join(lines) + (b"\n" if ending and lines else b"")
    found = list(read_lines(io.BytesIO(whole)))
    expected = whole.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    if expected:
        expected[0] = expected[0].removeprefix(codecs.BOM_UTF8)
    assert [line.text for line in found] == expected
    assert [line.ended for line in found] == [number < whole.count(b"\n") for number in range(len(expected))]
    for line in found:
        rest = list(read_lines(io.BytesIO(whole[line.end :]), line.mark))
        assert rest == found[line.number :]
