"""The project's own EDI documents: what each becomes, and that the contract takes it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from connectors.edi import read
from connectors.edi.messages import KINDS, REFUSED
from connectors.files.lines import Mark
from connectors.files.readers import Item, choose_reader
from engine.core.events import decode
from engine.core.outcomes import Rejection
from tests.unit import edi_documents as edi

OWN: dict[str, list[list[str]]] = {
    "acknowledgement.x12": [
        ["order.acknowledged", "PO-1009", "10", "LAMP-7", "accepted:30@2026-03-05 accepted:18@2026-03-12", ""],
        ["order.acknowledged", "PO-1009", "20", "BULB-2", "accepted:4@2026-03-05 backordered:6@", "case"],
        ["order.acknowledged", "PO-1009", "30", "SHADE-1", "rejected:6@2026-03-05", ""],
    ],
    "ship-notice.x12": [
        ["shipment.notified", "SN-500", "10", "LAMP-7", "48", ""],
        ["shipment.notified", "SN-500", "20", "BULB-2", "4", "case"],
    ],
    "ship-notice-replaced.x12": [
        ["shipment.changed", "SN-500", "10", "LAMP-7", "42", ""],
        ["shipment.changed", "SN-500", "20", "BULB-2", "4", "case"],
    ],
    "ship-notice-cancelled.x12": [
        ["shipment.cancelled", "SN-500", "10", "LAMP-7", "all", ""],
        ["shipment.cancelled", "SN-500", "20", "BULB-2", "all", ""],
    ],
    "receiving.edi": [
        ["goods.received", "RA-7", "1", "FELT-9", "12000 held:500", ""],
        ["balance.reported", "", "", "FELT-9", "10000/500", ""],
    ],
    "warehouse.x12": [
        ["goods.received", "RC-88", "", "LAMP-7", "40 held:6 damaged:2", ""],
        ["goods.received", "RC-88", "", "BULB-2", "4", "case"],
        ["stock.issued", "SO-31", "", "LAMP-7", "5", ""],
        ["stock.adjusted", "", "", "SHADE-1", "-3", ""],
    ],
    "customer-order.edi": [
        ["stock.reserved", "WS-77/1", "", "LAMP-7", "6", ""],
        ["stock.reserved", "WS-77/2", "", "BULB-2", "2", "case"],
        ["stock.reserved", "WS-77/1", "", "LAMP-7", "4", ""],
        ["reservation.released", "WS-77/2", "", "BULB-2", "all", ""],
    ],
    "customer-forecast.x12": [
        ["forecast.revised", "FC-12", "", "LAMP-7", "84@2026-03-09+7 10@2026-03-16+5 31@2026-04-01+30", ""],
    ],
    "received.x12": [],
}


def read_own(name: str, data: bytes | None = None) -> list[Item]:
    """The items of one of our own documents, by the profile beside it."""
    partner = "customer" if name.startswith("customer") else "partner"
    reader = choose_reader(str(edi.OWN / name), edi.OWN / f"{partner}.toml")
    return list(reader.read(io.BytesIO((edi.OWN / name).read_bytes() if data is None else data), Mark()))


def test_every_document_of_ours_is_expected() -> None:
    assert {path.name for path in edi.OWN.iterdir() if path.suffix != ".toml"} == set(OWN)


@pytest.mark.parametrize("name", OWN)
def test_our_own_documents(name: str) -> None:
    items = read_own(name)
    assert [edi.row(event)[:6] for event in edi.events(items)] == OWN[name]
    assert not [item.skipped for item in items if item.skipped and item.skipped.startswith("noted")]


@pytest.mark.parametrize("name", OWN)
def test_the_contract_takes_what_is_read(name: str) -> None:
    for item in read_own(name):
        for raw in item.events:
            event = decode(raw)
            assert not isinstance(event, Rejection), event


@pytest.mark.skipif(not edi.samples(), reason="the public samples of EDI are not beside the project")
@pytest.mark.parametrize("we_are", ["buyer", "seller"])
def test_the_contract_takes_what_is_read_of_the_samples(we_are: Any) -> None:
    for name in edi.samples():
        for item in read(edi.content(name)[:100_000], edi.profile(we_are)):
            for raw in item.events:
                event = decode(raw)
                assert not isinstance(event, Rejection), (name, event)


def test_a_code_that_nobody_declares_is_refused_with_its_place_and_what_to_do() -> None:
    (problem,) = edi.problems(read_own("acknowledgement.x12"))
    assert problem.startswith("855 0001: segment 14, byte 417: PO1: the status 'ZX' of ACK is not known")
    assert "`codes.line` of the profile" in problem


def test_a_profile_gives_a_code_its_meaning() -> None:
    profile = edi.profile(units={"CA": "case"}, codes={"line": {"ZX": "pending"}})
    items = read((edi.OWN / "acknowledgement.x12").read_bytes(), profile)
    assert not edi.problems(items)
    assert edi.row(edi.events(items)[-1])[4] == "pending:5@2026-03-05"


def test_an_item_that_nothing_maps_is_named_and_replayed_once_it_is(tmp_path: Path) -> None:
    profile, rows = tmp_path / "acme.toml", tmp_path / "identifiers.csv"
    profile.write_text(
        'format = "edi"\nsource = "edi/acme"\npartner = "acme"\nwe_are = "buyer"\n'
        'identifiers = "identifiers.csv"\n[units]\nCA = 12\n'
    )
    known = "partner,kind,theirs,ours\nacme,item,LAMP-7,L7\n*,location,LDS,LEEDS\n"
    rows.write_text(known)
    data = (edi.OWN / "ship-notice.x12").read_bytes()
    items = list(choose_reader("notice.x12", profile).read(io.BytesIO(data), Mark()))
    assert [(event["data"]["sku"], event["data"]["location"]) for event in edi.events(items)] == [("L7", "LEEDS")]
    (refused,) = [item for item in items if item.problem]
    assert refused.reason == "unmapped_identifier"
    assert "the item 'BULB-2' of the partner 'acme' is not in the identifiers" in str(refused.problem)
    rows.write_text(known + "acme,item,BULB-2,B2\n")
    again = list(choose_reader("notice.x12", profile).read(io.BytesIO(refused.record), Mark()))
    assert [event["data"]["sku"] for event in edi.events(again)] == ["L7", "B2"]
    assert edi.events(again)[0] == edi.events(items)[0]


def test_a_document_that_is_sent_again_under_other_control_numbers_has_the_same_events() -> None:
    data = (edi.OWN / "ship-notice.x12").read_bytes()
    again = data.replace(b"000000071", b"000000099").replace(b"*71*X", b"*99*X").replace(b"GE*1*71", b"GE*1*99")
    again = again.replace(b"20260302*0910", b"20260304*0900").replace(b"BSN*00", b"BSN*07")
    assert edi.events(read_own("ship-notice.x12", again)) == edi.events(read_own("ship-notice.x12"))


def test_a_second_acknowledgement_is_a_new_statement() -> None:
    data = (edi.OWN / "acknowledgement.x12").read_bytes()
    again = edi.events(read_own("acknowledgement.x12", data.replace(b"000000070", b"000000077")))
    first = edi.events(read_own("acknowledgement.x12"))
    assert {event["id"] for event in first}.isdisjoint(event["id"] for event in again)
    assert [event["data"] for event in first] == [event["data"] for event in again]


def test_a_reader_goes_on_at_every_position_that_it_gave() -> None:
    for name in ("warehouse.x12", "acknowledgement.x12", "receiving.edi"):
        reader = choose_reader(str(edi.OWN / name), edi.OWN / "partner.toml")
        data = (edi.OWN / name).read_bytes().replace(b"SE*9*0001", b"SE*8*0001").replace(b"GE*1*70", b"GE*2*71")
        items = list(reader.read(io.BytesIO(data), Mark()))
        assert len({item.mark.offset for item in items}) == len(items)
        for index, item in enumerate(items):
            assert list(reader.read(io.BytesIO(data), item.mark)) == items[index + 1 :]


def test_what_is_not_whole_is_not_taken() -> None:
    data = (edi.OWN / "ship-notice.x12").read_bytes()
    items = read_own("ship-notice.x12", data[: data.index(b"CTT")])
    assert not edi.events(items)
    assert items[-1].unfinished is not None
    assert "has no SE" in str(items[-1].problem)


def test_a_strict_profile_refuses_what_is_counted_wrongly() -> None:
    data = (edi.OWN / "ship-notice.x12").read_bytes().replace(b"SE*22", b"SE*21")
    assert len(edi.events(read(data, edi.profile(units={"CA": 12})))) == 2
    items = read(data, edi.profile(strict=True, units={"CA": 12}))
    assert not edi.events(items)
    assert edi.problems(items) == ["segment 24, byte 475: SE counts 21 segments, there are 22"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"their_ids": {"OTHER"}}, "is from 'NORDLICHT'"),
        ({"our_ids": {"OTHER"}}, "is for 'HOUSE'"),
    ],
)
def test_an_interchange_of_somebody_else_is_refused(keys: dict[str, Any], words: str) -> None:
    items = read((edi.OWN / "ship-notice.x12").read_bytes(), edi.profile(**keys))
    assert not edi.events(items)
    assert words in edi.problems(items)[0]


def test_a_test_is_refused_where_the_profile_takes_none() -> None:
    data = (edi.OWN / "ship-notice.x12").read_bytes().replace(b"*P*>", b"*T*>")
    assert len(edi.events(read(data, edi.profile(units={"CA": 12})))) == 2
    assert not edi.events(read(data, edi.profile(units={"CA": 12}, skip_tests=True)))


def test_a_part_of_a_piece_is_refused() -> None:
    data = (edi.OWN / "ship-notice.x12").read_bytes().replace(b"SN1**30*EA", b"SN1**30.5*EA")
    assert "30.5 EA is no whole number of base units" in edi.problems(read(data, edi.profile()))[0]


def purposes() -> list[tuple[str, str, str]]:
    """The documents of ours by message, with each purpose, and what the table says of it."""
    found = {"855": "acknowledgement.x12", "856": "ship-notice.x12"}
    return [
        (found[code], purpose, event)
        for kind in KINDS
        for code in kind.codes
        if code in found
        for purpose, event in kind.events.items()
    ]


@pytest.mark.parametrize(("name", "purpose", "event"), purposes())
def test_the_purposes_of_the_table_are_those_of_the_code(name: str, purpose: str, event: str) -> None:
    code = {"original": b"00", "change": b"04", "replace": b"05", "cancel": b"01"}[purpose]
    tag = b"BAK" if name.startswith("ack") else b"BSN"
    items = read_own(name, (edi.OWN / name).read_bytes().replace(tag + b"*00", tag + b"*" + code))
    found = {each["type"] for each in edi.events(items)}
    assert found == ({event} if event != REFUSED else set())


def test_a_profile_that_is_wrong_says_where(tmp_path: Path) -> None:
    path = tmp_path / "partner.toml"
    path.write_text('format = "edi"\nsource = "x"\npartner = "x"\nwe_are = "bank"\n')
    with pytest.raises(Exception, match="we_are"):
        choose_reader("x.edi", path)
