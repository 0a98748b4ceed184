"""Mutated and random interchanges: each ends, in a time that what it holds bounds, and nothing is raised or grows."""

from __future__ import annotations

import io
import random
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.edi.envelopes import MAX_TRANSACTION_BYTES
from connectors.edi.reader import EdiReader, read
from connectors.files.lines import Mark
from tests.unit import edi_documents as edi

SECONDS = 2.0
"""For a document of some kilobytes; the usual time is a hundredth of it."""
OURS = [path.read_bytes() for path in sorted(edi.OWN.iterdir()) if path.suffix != ".toml"]
ROLES = ("buyer", "seller")
PIECES = [
    *(b"ISA*", b"UNA:+.? '", b"UNB+", b"STX=", b"~", b"'", b"?", b"\n", b"\r", b"//", b"#", b"\x1a", b"\xef\xbb\xbf"),
    *(b"ST*856*1~", b"SE*", b"HL*1*1*S~", b"QTY+", b"1" * 40, b"-", b".", b"\xc3", b"\x00", b"UNT+", b"GE*1*1~"),
]


def check(data: bytes) -> None:
    """Read as both sides; what comes out has places within the data, and comes out once."""
    for we_are in ROLES:
        began = time.process_time()
        items = read(data, edi.profile("buyer" if we_are == "buyer" else "seller"))
        assert time.process_time() - began < SECONDS * (1 + len(data) / 100_000 + len(items) / 5_000)
        offsets = [item.mark.offset for item in items]
        assert offsets == sorted(offsets)
        # Only what the end of the file leaves open may lie at the end of what is whole.
        assert len(set(offsets)) == len([item for item in items if item.mark.ended]) or not items[-1].mark.ended
        assert not offsets or offsets[-1] <= len(data)
        assert all(item.events or item.problem or item.skipped for item in items)
        edi.events(items)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The data with a few bytes removed, doubled, replaced or put elsewhere."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(found) + 1)
        size = chance.choice((0, 1, 1, 2, 8, 60))
        piece = chance.choice((b"", bytes([chance.randrange(256)]), chance.choice(PIECES), bytes(found[at : at + 90])))
        found[at : at + size] = piece
    return bytes(found)


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=60))
@settings(max_examples=150, deadline=None)
def test_random_pieces_are_read_to_their_end(pieces: list[bytes]) -> None:
    check(b"".join(pieces))


@given(st.sampled_from(OURS), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_our_documents_mutated_are_read_to_their_end(data: bytes, chance: random.Random) -> None:
    check(mutated(data, chance))


@given(st.sampled_from(OURS), st.integers(min_value=0, max_value=1_000))
@settings(max_examples=100, deadline=None)
def test_a_document_that_is_cut_gives_no_event_that_the_whole_does_not(data: bytes, at: int) -> None:
    for we_are in ROLES:
        profile = edi.profile("buyer" if we_are == "buyer" else "seller")
        whole = [event for item in read(data, profile) for event in item.events]
        cut = [event for item in read(data[:at], profile) for event in item.events]
        assert cut == whole[: len(cut)]


@pytest.mark.skipif(not edi.samples(), reason="the public samples of EDI are not beside the project")
def test_the_samples_mutated_are_read_to_their_end() -> None:
    chance = random.Random(20260302)
    small = [data for name in edi.samples() if len(data := edi.content(name)) < 20_000]
    for _ in range(250):
        check(mutated(chance.choice(small), chance))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"?" * 200_000, id="release characters alone"),
        pytest.param(b"UNB+UNOC:3+A+B+260101:0000+1'" + b"?'" * 100_000, id="a segment of released ends"),
        pytest.param(b"UNB+UNOC:3+A+B+260101:0000+1'UNH+1+ORDERS'" + b"LIN+1?+" * 8_000 + b"'UNT+3+1'", id="escaped"),
        pytest.param(b"ISA*" * 10_000, id="headers alone"),
        pytest.param(b"// x\n" * 60_000, id="comments alone"),
        pytest.param(b"UNA:+.? '" * 20_000, id="advices alone"),
        pytest.param(b"\n" * 300_000, id="empty lines"),
        pytest.param(b"x" * 500_000, id="text"),
    ],
)
def test_what_is_long_takes_time_by_its_length(data: bytes) -> None:
    check(data)


def test_a_long_file_of_many_transactions_is_read_in_constant_memory(tmp_path: Path) -> None:
    document = (
        OURS[0].replace(b"ST*855", b"ST*810").replace(b"CTT*4~", b"MSG*a line of text that no event needs~\n" * 400)
    )
    path = tmp_path / "long.x12"
    path.write_bytes(document * 120)
    reader = EdiReader(edi.profile())
    with path.open("rb") as source:
        tracemalloc.start()
        try:
            transactions = sum(item.skipped == "no event: 810" for item in reader.read(source, Mark()))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert transactions == 120
    assert peak < path.stat().st_size / 2


def test_a_transaction_without_an_end_is_given_up() -> None:
    begin = OURS[0][: OURS[0].index(b"PO1*0010")]
    line = b"MSG*" + b"x" * 60_000 + b"~"
    source = io.BytesIO(begin + line * (MAX_TRANSACTION_BYTES // len(line) + 2))
    items = list(EdiReader(edi.profile()).read(source, Mark()))
    assert f"a transaction of more than {MAX_TRANSACTION_BYTES} bytes" in str(items[0].problem)
