"""EPCIS events against profiles: every line of the table, quantities, errors, identifiers, and what is refused."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.epcis.reading import EpcisReading
from connectors.epcis.rules import RULES, Rule
from connectors.epcis.translation import EARLIER, NO_GOODS, OTHERS_PLACE
from connectors.mapping.values import Unreadable
from connectors.ports import Unmapped
from tests.unit.epcis_events import (
    GTIN,
    LEEDS,
    OTHER_OURS,
    OURS,
    SERIALS,
    SUPPLIER,
    YORK,
    at,
    event,
    said,
    translated,
)  # fmt: skip

GOODS = {"sku": GTIN, "qty": 2}
OUT = {**GOODS, "location": LEEDS}
RECEIPT = {**OUT, "receipt": "A-1", "order": "PO-7", "shipment": "A-1"}
TRANSFER = at("source", OURS) | at("destination", OTHER_OURS)

TABLE: list[tuple[str, dict[str, Any], tuple[str, dict[str, Any]]]] = [
    ("a receipt", event("receiving"), ("goods.received", RECEIPT)),
    ("a receipt that was added", event("receiving", "ADD"), ("goods.received", RECEIPT)),
    ("a receipt of packed goods", event("receiving", type="AggregationEvent", epcList=None, childEPCs=SERIALS),
     ("goods.received", RECEIPT)),
    ("a receipt against an order", event("receiving", "ADD", type="TransactionEvent"), ("goods.received", RECEIPT)),
    ("a receipt of damaged goods", event("receiving", disposition="damaged"),
     ("goods.received", RECEIPT | {"qty": 0, "damaged": 2})),
    ("a receipt of recalled goods", event("receiving", disposition="recalled"),
     ("goods.received", RECEIPT | {"qty": 0, "held": 2})),
    ("a receipt by its own number", event("receiving", bizTransactionList=[
        {"type": "recadv", "bizTransaction": "https://example.org/receipts/R-9"}]),
     ("goods.received", OUT | {"receipt": "R-9"})),
    ("a receipt without documents", event("receiving", bizTransactionList=None),
     ("goods.received", OUT | {"receipt": "urn:uuid:1"})),
    ("a receipt from the other warehouse", event("receiving", bizLocation={"id": OTHER_OURS}, **at("source", OURS)),
     ("transfer.received", {"sku": GTIN, "transfer": "A-1", "to": YORK, "qty": 2})),
    ("held goods from the other warehouse", event(
        "receiving", bizLocation={"id": OTHER_OURS}, disposition="non_conformant", **at("source", OURS)),
     ("transfer.received", {"sku": GTIN, "transfer": "A-1", "to": YORK, "qty": 0, "held": 2})),
    ("a customer's return", event("receiving", disposition="returned"),
     ("stock.returned", OUT | {"disposition": "held"})),
    ("a shipment to a customer", event("shipping", **at("destination", SUPPLIER)),
     ("stock.issued", OUT | {"order": "PO-7"})),
    ("a shipment to the other warehouse", event("shipping", **TRANSFER),
     ("transfer.shipped", {"sku": GTIN, "transfer": "A-1", "from": LEEDS, "to": YORK, "qty": 2})),
    ("a supplier's shipment to us", event("shipping", readPoint={"id": SUPPLIER}, **at("destination", OURS)),
     ("shipment.notified", {**OUT, "shipment": "A-1", "order": "PO-7", "line": "1"})),
    ("goods that go back", event("shipping", disposition="returned"),
     ("stock.returned_to_supplier", OUT | {"order": "PO-7", "reason": "EPCIS returned"})),
    ("a sale", event("retail_selling", "DELETE"), ("stock.issued", OUT | {"order": "PO-7"})),
    ("a dispensing", event("dispensing"), ("stock.issued", OUT | {"order": "PO-7"})),
    ("a count", event("stock_taking"), ("stock.counted", OUT)),
    ("a count of held goods", event("cycle_counting", disposition="expired"),
     ("stock.counted", OUT | {"status": "held"})),
    ("goods on hold", event("holding"), ("stock.held", OUT)),
    ("new goods", event("commissioning", "ADD"), ("stock.adjusted", OUT | {"reason": "EPCIS commissioning"})),
    ("destroyed goods", event("destroying", "DELETE"),
     ("stock.adjusted", OUT | {"qty": -2, "reason": "EPCIS destroying"})),
    ("a shipment to a customer that is voided", event("void_shipping"),
     ("stock.adjusted", OUT | {"reason": "EPCIS error declaration"})),
]  # fmt: skip


@pytest.mark.parametrize(("told", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_an_event_becomes_what_the_table_says(told: dict[str, Any], expected: tuple[str, dict[str, Any]]) -> None:
    assert said(told) == [expected]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (event("transporting"), RULES[-1].skip),
        (event("inspecting", quantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.099988.L1"}]), RULES[-1].skip),
        (event("receiving", "DELETE"), RULES[-1].skip),
        (event("http://example.org/steps/x"), RULES[-1].skip),
        (event("installing", "ADD", type="AssociationEvent"), RULES[0].skip),
        (event("packing", "ADD", type="AggregationEvent"), "an aggregation only packs what is there"),
        (event("receiving", "DELETE", type="TransactionEvent"), "only a document is taken off"),
        (event("dispensing", disposition="partially_dispensed"), "a part of a unit is no unit"),
        (event("receiving", readPoint={"id": SUPPLIER}), OTHERS_PLACE),
        (event("receiving", epcList=["urn:epc:id:gsrn:0614141.0000010253"]), NO_GOODS),
        (event("receiving", epcList=[]), NO_GOODS),
    ],
)
def test_what_moves_no_stock_of_ours_is_skipped_with_the_reason(told: dict[str, Any], reason: str) -> None:
    assert translated(told) == [reason]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (event("receiving", epcList=["urn:epc:id:sscc:0614141.1234567890"]), "only containers such as https://id.gs1.org/00/1061"),
        (
            event("receiving", type="AggregationEvent", epcList=None, parentID="urn:epc:id:sscc:0614141.1234567890"),
            "only containers such as https://id.gs1.org/00/1061",
        ),
        (event("receiving", epcList=["urn:uuid:7", "urn:epc:id:gsrn:0614141.0000010253"]),
         "only identifiers such as urn:uuid:7, which say no trade item"),
        (event("receiving", type="PartyEvent"), "'PartyEvent' is not a type of EPCIS events"),
        (event("receiving", action="MOVE"), "'MOVE' is not an action of an ObjectEvent"),
        (event("receiving", eventTime="yesterday"), "'yesterday' is not a time"),
        (event("receiving", eventTime="2026-03-02T09:14:05"), "has no offset"),
        (event("receiving", readPoint=None), "names no place"),
        (event("shipping", **TRANSFER | {"bizTransactionList": []}), "names no transfer"),
        (event("receiving", epcList="x"), "epcList is not a list"),
        (event("receiving", epcList=[{}]), "an identifier is a text, not {}"),
        (event("receiving", epcList=["urn:epc:idpat:sgtin:0614141.107346.*"]), "names a class of things"),
        (event("receiving", epcList=[*SERIALS, "urn:epc:id:sgtin:0614141.10734.7"]), "10734.7 has not 13 digits"),
        (event("receiving", epcList=[*SERIALS, "https://id.example.org/01/10614141073465/21/7"]),
         "ends its GTIN with 5, where the check digit is 4"),
        (event("receiving", quantityList=[{"epcClass": "https://id.example.org/01/10614141073465", "quantity": 2}]),
         "quantityList: https://id.example.org/01/10614141073465 ends its GTIN with 5"),
        (event("receiving", quantityList=[{"quantity": 3}]), "an element has no `epcClass`"),
        (event("receiving", quantityList=[{"epcClass": "urn:x:1"}]), "has no quantity"),
        (event("receiving", quantityList=[{"epcClass": "urn:x:1", "quantity": -3}]), "'-3' is not a quantity"),
        (event("receiving", quantityList=[{"epcClass": "urn:x:1", "quantity": "1e99"}]), "'1e99' is not a quantity"),
        (event("receiving", quantityList=[{"epcClass": "urn:x:1", "quantity": 2.5, "uom": "KGM"}]),
         "2.5 KGM of urn:x:1 is no whole number of KGM: give the profile a factor"),
        (event("stock_taking", errorDeclaration={"declarationTime": "2026-03-03T00:00:00Z"}), "count again"),
        (event("receiving", disposition="damaged", **at("source", OURS)), "received damaged"),
        (event("receiving", eventID="\ud800"), "half a character"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_says_why(told: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreadable, match=re.escape(words)):
        translated(told)


def test_a_supplier_s_shipment_without_a_line_says_how_to_name_one() -> None:
    told = event("shipping", readPoint={"id": SUPPLIER}, **at("destination", OURS))
    with pytest.raises(Unreadable, match="names no line of its order"):
        translated(told, EpcisReading(own=("0614141",)))
    reading = EpcisReading(own=("0614141",), documents={"po": r"bt:\d+:(?P<order>[A-Z]+)-(?P<line>\d+)$"})
    [(_, data)] = said(told, reading)
    assert (data["order"], data["line"]) == ("PO", "7")


DECLARED = {"errorDeclaration": {"declarationTime": "2026-03-05T08:00:00Z", "reason": "did_not_occur"}}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (event("receiving"), [("receipt.reversed", RECEIPT)]),
        (event("shipping"), [("stock.adjusted", OUT)]),
        (event("destroying", "DELETE"), [("stock.adjusted", OUT)]),
        (event("commissioning", "ADD"), [("stock.adjusted", OUT | {"qty": -2})]),
        (event("holding"), [("stock.released", OUT)]),
        (event("receiving", disposition="returned"), [("stock.adjusted", OUT | {"qty": -2, "status": "held"})]),
        (event("shipping", disposition="returned"), [("stock.adjusted", OUT)]),
        (event("shipping", readPoint={"id": SUPPLIER}, **at("destination", OURS)), [("shipment.cancelled", {
            "sku": GTIN, "location": LEEDS, "shipment": "A-1", "order": "PO-7", "line": "1"})]),
        (event("shipping", **TRANSFER), [
            ("transfer.received", {"sku": GTIN, "transfer": "A-1", "to": YORK, "qty": 2}),
            ("stock.adjusted", {"sku": GTIN, "location": YORK, "qty": -2}),
            ("stock.adjusted", {"sku": GTIN, "location": LEEDS, "qty": 2})]),
        (event("receiving", **at("source", OTHER_OURS)), [("stock.adjusted", OUT | {"qty": -2})]),
        (event("void_shipping"), [("stock.issued", OUT | {"order": "PO-7"})]),
    ],
)  # fmt: skip
def test_a_declared_error_takes_back_what_the_event_did(told: dict[str, Any], expected: list[Any]) -> None:
    events = translated(told | DECLARED)
    assert [(each["type"], {k: v for k, v in each["data"].items() if k != "reason"}) for each in events] == expected
    assert {each["time"] for each in events} == {"2026-03-02T09:14:05+00:00"}
    ids = [each["id"] for each in events]
    assert all(id_.endswith("/error") for id_ in ids)
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {each["id"] for each in translated(told)}


def test_a_declared_error_of_an_event_without_an_id_has_the_name_of_that_event() -> None:
    told = event("receiving", eventID=None)
    [original] = translated(told)
    [reversal] = translated(told | DECLARED | {"recordTime": "2026-03-09T00:00:00Z"})
    assert reversal["id"] == original["id"] + "/error"
    assert original["id"].startswith("ni:///sha-256;")


def test_goods_are_summed_by_item_and_unit_and_serials_count_once() -> None:
    serials = [*SERIALS, SERIALS[0], "https://example.org/01/10614141073464/21/2018"]
    told = event("receiving", epcList=serials, quantityList=[
        {"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 200.5, "uom": "KGM"},
        {"epcClass": "https://id.gs1.org/01/04012345123456/10/other", "quantity": "1.5", "uom": "KGM"},
        {"epcClass": "urn:epc:idpat:sgtin:0614141.107346.*", "quantity": 3},
        {"epcClass": "https://example.org/class/7", "quantity": 0},
        {"epcClass": "urn:epc:idpat:grai:0614141.12345.*", "quantity": 1},
    ])  # fmt: skip
    reading = EpcisReading(units={"KGM": 1000}, packages={GTIN: "case"})
    events = translated(told, reading)
    assert [(each["data"]["sku"], each["data"]["qty"], each["data"].get("uom")) for each in events] == [
        ("04012345123456", 202000, None),
        (GTIN, 5, "case"),
    ]
    assert [each["id"] for each in events] == ["urn:uuid:1/04012345123456-KGM", f"urn:uuid:1/{GTIN}"]


NAMES = {
    ("item", GTIN): "85123A", ("item", "04012345123456"): "85123A", ("location", LEEDS): "LDS", ("unit", "KGM"): "kg",
}  # fmt: skip


class Mapped:
    """Identifiers of one partner, as a table."""

    def ours(self, kind: Any, partner: str, theirs: str) -> str:
        if (kind, theirs) not in NAMES:
            raise Unmapped(kind, partner, theirs)
        return NAMES[kind, theirs]

    def theirs(self, kind: Any, partner: str, ours: str) -> str:
        raise Unmapped(kind, partner, ours)


def test_identifiers_name_items_places_and_units_and_a_missing_one_is_named() -> None:
    quantity = [{"epcClass": "urn:epc:class:lgtin:4012345.012345.9", "quantity": 4, "uom": "KGM"}]
    [first] = translated(event("receiving", epcList=None, quantityList=quantity), EpcisReading(), Mapped())
    assert (first["data"]["sku"], first["data"]["location"], first["data"]["uom"]) == ("85123A", "LDS", "kg")
    with pytest.raises(Unmapped, match=f"location '{YORK}'"):
        translated(event("receiving", bizLocation={"id": OTHER_OURS}), EpcisReading(partner="acme"), Mapped())


def test_without_own_the_mapped_places_are_ours() -> None:
    told = event("shipping", readPoint={"id": SUPPLIER}, **at("destination", OURS))
    [notice] = translated(told, EpcisReading(line="1"), Mapped())
    assert (notice["type"], notice["data"]["location"]) == ("shipment.notified", "LDS")


def test_a_count_of_one_item_under_two_numbers_is_one_count() -> None:
    quantity = [{"epcClass": "urn:epc:class:lgtin:4012345.012345.9", "quantity": 4}]
    [count] = translated(event("stock_taking", quantityList=quantity), EpcisReading(), Mapped())
    assert count["data"] == {"sku": "85123A", "location": "LDS", "qty": 6}
    with pytest.raises(Unreadable, match="counts 85123A in two units"):
        translated(event("stock_taking", quantityList=quantity), EpcisReading(packages={GTIN: "case"}), Mapped())


def test_a_profile_s_rules_come_first_and_older_events_are_skipped() -> None:
    rules = (Rule(step=("inspecting",), disposition=("conformant",), type="stock.released"),)
    reading = EpcisReading.model_validate({"rules": rules, "since": "2026-03-02T00:00:00Z"})
    assert said(event("inspecting", disposition="conformant"), reading) == [("stock.released", OUT)]
    assert translated(event("receiving", eventTime="2026-03-01T23:59:59Z"), reading) == [EARLIER]


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"rules": [{"step": ["x"]}]}, "either `type` or `skip`"),
        ({"rules": [{"event": ["TransformationEvent"], "type": "stock.issued"}]}, "takes and gives"),
        ({"rules": [{"type": "stock.issued", "sign": -1}]}, "`sign` belongs to"),
        ({"units": {"KGM": 0}}, "at least 1"),
        ({"documents": {"po": "("}}, "not a regular expression"),
        ({"documents": {"po": "x"}}, "has no group"),
        ({"since": "2026-03-02T00:00:00"}, "a time has an offset"),
        ({"owns": ["1"]}, "Extra inputs"),
    ],
)
def test_a_profile_that_is_not_right_is_named(profile: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        EpcisReading.model_validate(profile)
