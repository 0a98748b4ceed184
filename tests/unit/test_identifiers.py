"""The identifiers of partners: a mapping of rows, a file that changes, and what dead letters miss."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.client import EngineClient
from connectors.host.refused import event_of
from connectors.identifiers import Mapping, Names, Row, names, read_rows, written
from connectors.identifiers.missing import missing_of
from connectors.mapping.values import Unreadable
from connectors.ports import Unmapped, UntranslatedRecord, unmapped_in
from connectors.profiles import IdentifierKind
from engine.core.errors import UsageError
from tests.connectors.engine import log_of_events

HEADING = "partner,kind,theirs,ours\n"
ROWS = "ACME,item,4006,PEN\nACME,item,4007,PEN\n*,item,4006,INK\n*,unit,EA,each\n"
TEXTS = st.text(min_size=1, max_size=40)
KINDS = st.sampled_from(["item", "location", "supplier", "unit"])


def mapping_file(folder: Path, rows: str = ROWS) -> Path:
    path = folder / "identifiers.csv"
    path.write_text(HEADING + rows)
    return path


@pytest.mark.parametrize(
    ("kind", "partner", "theirs", "ours"),
    [
        ("item", "ACME", "4006", "PEN"),
        ("item", "ACME", "4007", "PEN"),
        ("item", "Other", "4006", "INK"),
        ("unit", "ACME", "EA", "each"),
        ("unit", "Other", "EA", "each"),
    ],
)
def test_a_row_of_the_partner_comes_before_one_of_all(
    tmp_path: Path, kind: IdentifierKind, partner: str, theirs: str, ours: str
) -> None:
    assert Names.of(mapping_file(tmp_path)).ours(kind, partner, theirs) == ours


def test_the_other_direction_takes_the_first_row(tmp_path: Path) -> None:
    found = Names.of(mapping_file(tmp_path))
    assert found.theirs("item", "ACME", "PEN") == "4006"
    assert found.theirs("item", "Other", "INK") == "4006"
    with pytest.raises(Unmapped, match="the item 'PEN' of the partner 'Other' is not in the identifiers"):
        found.theirs("item", "Other", "PEN")


def test_names_are_ours_only_where_a_profile_says_so_and_nothing_is_mapped(tmp_path: Path) -> None:
    said = Names.of(mapping_file(tmp_path), frozenset({"location", "item"}))
    assert said.ours("location", "ACME", "LEEDS") == "LEEDS"
    with pytest.raises(Unmapped):
        said.ours("item", "ACME", "unknown")
    with pytest.raises(Unmapped):
        said.ours("supplier", "ACME", "S1")
    with pytest.raises(Unmapped):
        Names.of(None).ours("location", "ACME", "LEEDS")
    assert Names.of(None, frozenset({"location"})).theirs("location", "ACME", "LEEDS") == "LEEDS"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("A,item,1,X\nA,item,1,Y\n", "line 3: the item '1' of the partner 'A' is 'Y' here and 'X' before"),
        ("A,item,1,X\nA,item,1,X\n", "line 3: the item '1' of the partner 'A' is in a row before"),
        ("A,thing,1,X\n", "line 2: there is no kind 'thing', only item, location, supplier, unit"),
        ("A,item,1\n", "line 2: it has 3 columns, not 4"),
        ("A,item,1,\n,item,1,X\n", "line 2: ours must not be empty; line 3: partner must not be empty"),
        ('A,item,"1,X\n', "line 2: unexpected end of data"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tmp_path: Path, rows: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_rows(mapping_file(tmp_path, rows))
    assert words in str(caught.value)


def test_a_long_list_of_faults_is_cut(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"line 21: [^;]*; and 80 more$"):
        read_rows(mapping_file(tmp_path, "A,item,1\n" * 100))


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"\xff\xfe\n"])
def test_a_file_that_is_no_mapping_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(UsageError, match=r"x\.csv"):
        read_rows(tmp_path / "x.csv")
    with pytest.raises(UsageError, match="cannot read"):
        read_rows(tmp_path / "y.csv")


def test_comments_and_empty_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xef\xbb\xbf" + HEADING.encode() + b"\r\n# a comment\n A , item , 1 , X \n")
    assert (len(found := read_rows(path)), found.ours("item", "A", "1")) == (1, "X")


def test_a_file_that_changes_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(names, "LOOK_SECONDS", 0.0)
    path = mapping_file(tmp_path)
    found = Names.of(path)
    with pytest.raises(Unmapped):
        found.ours("item", "ACME", "4008")
    path.write_text(path.read_text() + "ACME,item,4008,CUP\n")
    assert found.ours("item", "ACME", "4008") == "CUP"
    path.write_text("broken")
    assert found.ours("item", "ACME", "4008") == "CUP"
    assert caplog.text.count("the identifiers from before stay in force") == 1
    path.unlink()
    assert found.ours("item", "ACME", "4008") == "CUP"
    mapping_file(tmp_path)
    os.utime(path, (1, 1))
    with pytest.raises(Unmapped):
        found.ours("item", "ACME", "4008")


@given(KINDS, TEXTS, TEXTS, TEXTS)
def test_what_is_missing_is_read_out_of_any_sentence(kind: IdentifierKind, partner: str, name: str, other: str) -> None:
    error = Unmapped(kind, partner, name)
    more = Unmapped("unit", partner, other)
    found = [(each.kind, each.partner, each.name) for each in unmapped_in(f"line 3: {error}; and {more}.")]
    assert found == [(kind, partner, name), ("unit", partner, other)]


async def test_what_dead_letters_miss_becomes_rows(tmp_path: Path) -> None:
    def letter(name: str, error: Unreadable) -> bytes:
        return event_of(UntranslatedRecord.of(error, name, b"x", "p"), "erp", "erp/1", "items")

    async with log_of_events() as log, EngineClient(log.url) as engine:
        missing = [Unmapped("item", "ACME", "9,9"), Unmapped("item", "ACME", "8"), Unmapped("item", "ACME", "9,9")]
        await engine.post_events([letter(str(number), error) for number, error in enumerate(missing)])
        await engine.post_events(
            [letter("other", Unreadable("nonsense")), letter("known", Unmapped("item", "*", "4006"))]
        )
        found = await missing_of(engine, read_rows(mapping_file(tmp_path)), 10)
        assert found == {Row("ACME", "item", "9,9", ""): 2, Row("ACME", "item", "8", ""): 1}
        assert len(await missing_of(engine, Mapping(), 1)) == 1
    rows = written(row._replace(ours="X") for row in found)
    assert len(read_rows(mapping_file(tmp_path, rows))) == 2
