"""The name of an event that is refused is read wherever it stands, and nothing makes the reader fail or slow."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.events import MAX_EVENT_BYTES, decode
from engine.core.identify import MAX_NAME, identify
from engine.core.outcomes import Rejection

NAMED = b'"id":"grn-1","source":"wms/leeds"'
WHOLE = (
    b'{"specversion":"1.0",' + NAMED + b',"type":"stock.counted","time":"2026-03-02T09:14:05Z",'
    b'"data":{"sku":"A","location":"L","qty":1}}'
)


@pytest.mark.parametrize(
    "raw",
    [
        WHOLE.replace(b"stock.counted", b"stock.teleported"),
        WHOLE.replace(b'"qty":1', b'"qty":1.5'),
        WHOLE.replace(b'"qty":1', b'"qty":1,"colour":"blue"'),
        WHOLE.replace(b"05Z", b"05"),
        WHOLE.replace(b'"A"', b'"' + b"A" * MAX_EVENT_BYTES + b'"'),
        WHOLE.replace(b'"qty":1', b'"qty":NaN'),
        WHOLE.replace(b'"A"', b'"\xff"'),
        WHOLE.replace(b'"qty":1', b'"qty":' + b"[" * 5000 + b"]" * 5000),
        WHOLE[:-1],
        WHOLE[:80],
        b"\xef\xbb\xbf" + WHOLE,
        WHOLE + b" and more",
        b'{"data":{"id":"inner","source":"inner","x":NaN},' + NAMED + b"}",
        b'{"type":"id","subject":"\\"id\\":\\"no\\"",' + NAMED + b',"time":',
        b'{"id" : "grn-1",\n\t"source" :\n"wms/leeds", oops',
    ],
)
def test_a_name_is_read_although_the_event_is_refused(raw: bytes) -> None:
    assert isinstance(decode(raw), Rejection)
    assert identify(raw) == ("wms/leeds", "grn-1")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"", (None, None)),
        (b"\xff\xfe", (None, None)),
        (b'[{"id":"a"}]', (None, None)),
        (b'"id":"a"', (None, None)),
        (b'{"id":"cut of', (None, None)),
        (b'{"id":"","source":null}', (None, None)),
        (b'{"id":["a"],"source":{"id":"b"}}', (None, None)),
        (b'{"id":17,"source":"s"}', ("s", "17")),
        (b'{"id":17,"source":"s"', ("s", "17")),
        (b'{"id":"\\ud800","source":"s"}', ("s", None)),
        (b'{"data":{"id":"inner"', (None, None)),
        (b'{"a":1}{"id":"of the next"', (None, None)),
        (b'{"id":"first","source":1.5,', (None, "first")),
        (b'{"id":"' + b"x" * 999 + b'"}', (None, "x" * MAX_NAME)),
        (b'{"id":' + b"1" * 99_999 + b"}", (None, "1" * MAX_NAME)),
    ],
)
def test_what_cannot_be_read_is_none(raw: bytes, name: tuple[str | None, str | None]) -> None:
    assert identify(raw) == name


@given(st.binary() | st.text().map(str.encode) | st.integers(0, len(WHOLE)).map(lambda end: WHOLE[:end]))
def test_any_bytes_have_a_name_or_none(raw: bytes) -> None:
    for part in identify(raw):
        assert part is None or 0 < len(part.encode()) <= 4 * MAX_NAME


@pytest.mark.parametrize(
    "piece", [b'\\"', b'"id"', b'"id" ', b"{", b"[]", b'"id":"', b'"', b"\\", b'{"id":"\\', b'"id":1 "', b" ", b"1"]
)
def test_the_time_does_not_grow_faster_than_the_text(piece: bytes) -> None:
    raw = b'{"' + piece * (8 * MAX_EVENT_BYTES // len(piece)) + b"\\"
    started = time.process_time()
    identify(raw)
    assert time.process_time() - started < 1
