"""Files of any bytes: reading one ends, with items or with an error in words; looking at one does too."""

import contextlib
import tempfile
from io import BytesIO
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.files.csv_reader import CsvReader
from connectors.files.draft import draft_profile
from connectors.files.lines import Mark
from connectors.files.profile import Profile
from engine.core.errors import UsageError

PIECES = st.sampled_from(
    [b";", b",", b"\t", b"\n", b"\r\n", b"\r", b'"', b"=", b'="', b"#stockline line 3: x", b"at", b"qty", b"KG", b"5,5",
     b"-", b"(5)", b"1.200", b"24:00", b"02.03.2026", b"0001-01-01", b"9999-12-31T24:00", b"\xff", b"\xc3\xa4", b"\0",
     b"\xef\xbb\xbf", b"Summe", b"item", b"date", b"quantity", b"7", b"A"]
)  # fmt: skip
CONTENT = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=60).map(b"".join))
PROFILE = Profile.model_validate(
    {
        "source": "s",
        "id": "{row}",
        "delimiter": ";",
        "decimal": ",",
        "thousands": ".",
        "parentheses": True,
        "record_lines": 3,
        "short_rows": True,
        "time_zone": "Europe/Berlin",
        "units": {"KG": 1000},
        "time": {"columns": ["at"]},
        "rules": [
            {
                "type": "stock.issued",
                "data": {"sku": "A", "qty": {"column": "qty", "as": "integer", "unit_column": "unit"}},
            }
        ],
    }
)


@given(content=CONTENT)
@example(content=b"0001-01-01;5;\n9999-12-31T24:00;1;\n")
@example(content=b'"\xef\xbb\xbf;\n' * 4)
def test_every_record_of_a_file_is_an_event_or_a_problem_with_its_bytes(content: bytes) -> None:
    whole = b"at;qty;unit\n" + content
    items = list(CsvReader(PROFILE).read(BytesIO(whole), Mark()))
    for item in items:
        assert item.problem is None or item.record in whole.replace(b"\r\n", b"\n")
        assert not (item.events and item.problem)
    marks = [item.mark.offset for item in items]
    assert marks == sorted(marks)
    for item in items:
        rest = list(CsvReader(PROFILE).read(BytesIO(whole), item.mark))
        assert [each.mark for each in rest] == [each for each in (other.mark for other in items) if each > item.mark]


@given(content=CONTENT)
def test_a_draft_is_a_profile_or_says_why_there_is_none(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_bytes(content)
        with contextlib.suppress(UsageError):
            assert "[[rules]]" in draft_profile(str(path), "s")
