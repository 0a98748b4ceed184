"""The forms of EPCIS: identifiers, words, document numbers, the event hash, and the documents that hold events."""

import json
from io import BytesIO
from typing import Any

import pytest

from connectors.epcis.documents import MAX_EVENT_BYTES, events_of
from connectors.epcis.hashing import event_hash, pre_hash
from connectors.epcis.keys import parse
from connectors.epcis.reader import EpcisReader
from connectors.epcis.vocabulary import BIZ_STEP, DISPOSITION, document_number
from connectors.files.lines import Mark
from tests.unit.epcis_events import READING, SERIALS, event


@pytest.mark.parametrize(
    ("uri", "canonical"),
    [
        ("urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/01/10614141073464/21/2017"),
        ("urn:epc:idpat:sgtin:0614141.107346.*", "https://id.gs1.org/01/10614141073464"),
        ("urn:epc:class:lgtin:4012345.012345.998877", "https://id.gs1.org/01/04012345123456/10/998877"),
        (
            "https://example.com/some/path/01/10614141073464/10/L1/21/2017?x=1",
            "https://id.gs1.org/01/10614141073464/21/2017",
        ),
        ("https://id.gs1.org/01/614141123452", "https://id.gs1.org/01/00614141123452"),
        ("urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/00/106141412345678908"),
        ("urn:epc:id:sgln:0614141.07346.1234", "https://id.gs1.org/414/0614141073467/254/1234"),
        ("urn:epc:id:sgln:0614141.00777.0", "https://id.gs1.org/414/0614141007776"),
        ("urn:epc:id:pgln:4012345.00225", "https://id.gs1.org/417/4012345002256"),
        ("urn:epc:id:grai:4012345.55555.987", "https://id.gs1.org/8003/04012345555554987"),
        ("urn:epc:id:giai:4000001.12345", "https://id.gs1.org/8004/400000112345"),
        ("urn:epc:id:gdti:0614141.00001.1618034", "https://id.gs1.org/253/06141410000121618034"),
        ("urn:epc:id:sgtin:0614141.107346.a%2Fb", "https://id.gs1.org/01/10614141073464/21/a%2Fb"),
    ],
)
def test_identifiers_have_one_form(uri: str, canonical: str) -> None:
    key = parse(uri)
    assert key is not None
    assert key.canonical == canonical
    again = parse(key.canonical)
    assert again is not None
    assert (again.role, again.canonical) == (key.role, key.canonical)


@pytest.mark.parametrize(
    "uri",
    ["", "urn:epc:id:sgtin:0614141.1.2", "urn:epc:id:sgtin:x.y.z", "https://id.gs1.org/01/10614141073465", "https://[x/01/1",
     "urn:epc:id:sgtin:\u0660614141.107346.1", "http://transaction.acme.com/po/12345678",
     "urn:epc:id:sgtin:" + "1" * 9999],
)  # fmt: skip
def test_what_is_no_key_of_gs1_has_no_form(uri: str) -> None:
    assert parse(uri) is None


@pytest.mark.parametrize(
    "word",
    [
        "shipping",
        "cbv:BizStep-shipping",
        "urn:epcglobal:cbv:bizstep:shipping",
        "https://ref.gs1.org/cbv/BizStep-shipping",
    ],
)
def test_words_of_the_vocabulary_have_one_form(word: str) -> None:
    assert BIZ_STEP.short(word) == "shipping"
    assert BIZ_STEP.full(word) == "https://ref.gs1.org/cbv/BizStep-shipping"
    assert DISPOSITION.full("http://epcis.example.org/disp/x") == "http://epcis.example.org/disp/x"


@pytest.mark.parametrize(
    ("identifier", "number"),
    [
        ("urn:epcglobal:cbv:bt:0614141073467:1152", "1152"),
        ("urn:epcglobal:cbv:bt:0614141073467:PO:7/3", "PO:7/3"),
        ("http://transaction.acme.com/po/12345678", "12345678"),
        ("urn:epc:id:gdti:0614141.00001.1618034", "1618034"),
        ("https://id.gs1.org/253/06141410000121618034", "1618034"),
        ("4711", "4711"),
    ],
)
def test_the_number_of_a_document_is_found_in_its_identifier(identifier: str, number: str) -> None:
    assert document_number(identifier) == number


def test_the_text_that_is_hashed_is_that_of_the_standard_s_reference_implementation() -> None:
    told = {
        "eventID": "urn:uuid:1", "type": "ObjectEvent", "action": "OBSERVE",
        "bizStep": "urn:epcglobal:cbv:bizstep:receiving",
        "disposition": "in_progress", "epcList": ["urn:epc:id:sgtin:0614141.107346.2018"],
        "eventTime": "2005-04-04T20:33:31.116-06:00", "eventTimeZoneOffset": "-06:00",
        "recordTime": "2005-04-05T02:33:31Z",
        "readPoint": {"id": "urn:epc:id:sgln:0012345.11111.400"},
        "bizLocation": {"id": "urn:epc:id:sgln:0012345.11111.0"},
        "bizTransactionList": [
            {"type": "po", "bizTransaction": "http://transaction.acme.com/po/12345678"},
            {"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1152"},
        ],
        "example:myField": "Example of a vendor/user extension",
    }  # fmt: skip
    namespaces = {"example": "http://ns.example.com/epcis/"}
    text = (
        "eventType=ObjectEventeventTime=2005-04-05T02:33:31.116ZeventTimeZoneOffset=-06:00epcListepc=https://id.gs1.org/01/"
        "10614141073464/21/2018action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-receivingdisposition=https://ref.gs1.or"
        "g/cbv/Disp-in_progressreadPointid=https://id.gs1.org/414/0012345111112/254/400bizLocationid=https://id.gs1.org/414/"
        "0012345111112bizTransactionListtype=https://ref.gs1.org/cbv/BTT-desadvbizTransaction=urn:epcglobal:cbv:bt:061414107"
        "3467:1152type=https://ref.gs1.org/cbv/BTT-pobizTransaction=http://transaction.acme.com/po/12345678{http://ns.example"
        ".com/epcis/}myField=Example of a vendor/user extension"
    )
    assert pre_hash(told, namespaces) == text
    wrong = told | {"errorDeclaration": {"declarationTime": "2006-01-01T00:00:00Z"}}
    assert event_hash(wrong, namespaces) == event_hash(told, namespaces)


def documents(*events: dict[str, Any]) -> list[Any]:
    context = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ex": "http://ex.example.org/"}]
    whole = {"@context": context, "type": "EPCISDocument", "epcisBody": {"eventList": list(events)}}
    query = {"type": "EPCISQueryDocument", "epcisBody": {"queryResults": {"resultsBody": {"eventList": list(events)}}}}
    return [whole, query, list(events), [whole | {"epcisBody": {"event": one}} for one in events], *events[:1]]


def test_every_form_of_a_document_holds_its_events() -> None:
    first, second = event("receiving"), event("shipping")
    forms = documents(first, second)
    for form in forms[:-1]:
        found = list(events_of(b"\xef\xbb\xbf" + json.dumps(form, indent=2).encode()))
        assert [json.loads(raw.text) for raw in found] == [first, second]
    assert [json.loads(raw.text) for raw in events_of(json.dumps(forms[-1]).encode())] == [first]
    assert next(events_of(json.dumps(forms[0]).encode())).namespaces["ex"] == "http://ex.example.org/"


def test_a_broken_event_costs_itself_and_the_position_is_the_end_of_the_document() -> None:
    text = json.dumps(documents(event("receiving"), {"type": "x"}, event("shipping"))[0], indent=1).encode()
    items = list(EpcisReader(READING).read(BytesIO(text), Mark()))
    assert [(bool(item.events), bool(item.problem), bool(item.record)) for item in items] == [
        (True, False, True), (False, True, True), (True, False, True)]  # fmt: skip
    assert text.splitlines()[items[1].line - 1].strip() == b"{"
    assert [item.mark.offset for item in items] == [0, 0, len(text)]
    assert list(EpcisReader(READING).read(BytesIO(text), items[-1].mark)) == []


@pytest.mark.parametrize(
    "text", [b"{", b"[1]", b"[[[[[[[[[[[[]]]]]]]]]]]]", b"nothing", b"[" * 100000, b"\xff", b'{"type":"x"}']
)
def test_what_is_no_document_is_one_problem(text: bytes) -> None:
    [item] = EpcisReader().read(BytesIO(text), Mark())
    assert item.problem
    assert item.record == text


@pytest.mark.parametrize("name", ["@type", "isA"])
def test_the_type_may_stand_where_drafts_have_it(name: str) -> None:
    told = event("receiving", eventID=None)
    told[name] = told.pop("type")
    [item] = EpcisReader(READING).read(BytesIO(json.dumps(told).encode()), Mark())
    [same] = EpcisReader(READING).read(BytesIO(json.dumps(event("receiving", eventID=None)).encode()), Mark())
    assert [json.loads(line)["type"] for line in item.events] == ["goods.received"]
    assert [json.loads(line)["id"] for line in item.events] == [json.loads(line)["id"] for line in same.events]


def test_a_document_without_events_is_counted_and_one_in_xml_is_refused_in_words() -> None:
    [empty] = EpcisReader().read(BytesIO(json.dumps(documents()[0]).encode()), Mark())
    assert empty.skipped == "the document holds no events"
    [xml] = EpcisReader().read(BytesIO(b'<?xml version="1.0"?>\n<epcis:EPCISDocument schemaVersion="1.2"/>'), Mark())
    assert "the document is XML: EPCIS is read as JSON (EPCIS 2.0)" in str(xml.problem)


def test_an_event_beyond_the_limit_costs_itself() -> None:
    told = json.dumps(event("receiving", note="x" * MAX_EVENT_BYTES)).encode()
    [item] = EpcisReader().read(BytesIO(told), Mark())
    assert "may be read" in str(item.problem)


def test_what_was_set_aside_is_read_again_under_the_same_name() -> None:
    """A reject file has a mark before each record; prefixes are a part of the name of an event without an id."""
    told = event("receiving", eventID=None, epcList=["x", *SERIALS], **{"ex:field": "1"})
    text = json.dumps(documents(told, event("receiving", readPoint=None))[0], indent=1).encode()
    [first, second] = EpcisReader(READING).read(BytesIO(text), Mark())
    rejects = b"".join(b"#stockline line %d: why\n%b\n" % (item.line, item.record) for item in (first, second))
    again = list(EpcisReader(READING).read(BytesIO(rejects), Mark()))
    assert [(item.events, item.problem, item.line) for item in again] == [
        (item.events, item.problem, item.line) for item in (first, second)
    ]
