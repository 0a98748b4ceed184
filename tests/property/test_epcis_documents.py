"""Whatever somebody calls an EPCIS document is read to its end: no crash, no hang, and no more than it holds."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.epcis.documents import KINDS
from connectors.epcis.keys import parse
from connectors.epcis.reader import EpcisReader
from connectors.epcis.reading import EpcisReading
from connectors.epcis.rules import RULES
from connectors.files.lines import Mark

DATA = Path(__file__).parents[1] / "data" / "epcis"
SAMPLES = [path.read_bytes() for path in sorted(DATA.glob("*.jsonld"))]
READING = EpcisReading(own=("0614141",), units={"KGM": 1000}, line="1")

words = st.sampled_from(sorted({step for rule in RULES for step in rule.step} | {"urn:x", "", "damaged", "returned"}))
uris = st.sampled_from([
    "urn:epc:id:sgtin:0614141.107346.1", "urn:epc:id:sgtin:0614141.107346.", "urn:epc:idpat:sgtin:0614141.107346.*",
    "urn:epc:id:sscc:0614141.1234567890", "urn:epc:id:sgln:0614141.00777.0", "https://id.gs1.org/01/10614141073464",
    "x",
])  # fmt: skip
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | uris | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
lists = st.lists(uris | anything, max_size=4)
quantities = st.lists(
    st.fixed_dictionaries({"epcClass": uris}, optional={"quantity": anything | st.integers(0, 9), "uom": words})
    | anything,
    max_size=4,
)
places = st.fixed_dictionaries({"id": uris}) | anything
events = st.fixed_dictionaries(
    {"eventTime": st.just("2026-03-02T09:14:05Z") | anything},
    optional={
        "type": st.sampled_from(KINDS) | anything,
        "eventID": st.text(max_size=200) | anything,
        "action": st.sampled_from(["ADD", "OBSERVE", "DELETE"]) | anything,
        "bizStep": words | anything,
        "disposition": words | anything,
        "readPoint": places,
        "bizLocation": places,
        "epcList": lists, "childEPCs": lists, "inputEPCList": lists, "outputEPCList": lists,
        "quantityList": quantities, "childQuantityList": quantities, "inputQuantityList": quantities,
        "sourceList": anything | st.just([{"type": "location", "source": "urn:epc:id:sgln:0614141.00777.0"}]),
        "destinationList": anything | st.just([{"type": "location", "destination": "urn:epc:id:sgln:0614141.00888.0"}]),
        "bizTransactionList": anything | st.just([{"type": "po", "bizTransaction": "x/1"}]),
        "errorDeclaration": anything,
        "sensorElementList": anything,
        "persistentDisposition": anything,
        "example:field": anything,
    },
)  # fmt: skip


def read(document: bytes) -> None:
    """Read a document; what it yields is bounded by what it holds, and the same again."""
    items = list(EpcisReader(READING).read(BytesIO(document), Mark()))
    assert items == list(EpcisReader(READING).read(BytesIO(document), Mark()))
    assert len(items) <= document.count(b"{") + 1
    for item in items:
        assert [bool(item.events), bool(item.problem), bool(item.skipped)].count(True) == 1
        assert item.record
        for event in item.events:
            assert b"\n" not in event
            told = json.loads(event)
            assert len(told["id"]) <= 256


@settings(max_examples=120, deadline=None)
@given(st.lists(events, max_size=3), st.booleans())
def test_any_event_is_told_skipped_or_a_problem(drawn: list[Any], bare: bool) -> None:
    document = drawn if bare else {"type": "EPCISDocument", "epcisBody": {"eventList": drawn}}
    read(json.dumps(document).encode())


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_a_sample_that_was_cut_or_changed_is_read_to_its_end(sample: bytes, data: st.DataObject) -> None:
    broken = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(broken)))
        end = start + data.draw(st.integers(0, 20))
        broken[start:end] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"[", b"{", b'"', b"9" * 40, b"null", b"}"])
        )
    read(bytes(broken))


@settings(max_examples=120, deadline=None)
@given(
    st.text(max_size=60)
    | st.builds(
        "urn:epc:id:{}:{}".format,
        st.sampled_from(["sgtin", "sscc", "sgln", "grai", "gdti"]),
        st.text("0123456789.*%A", max_size=24),
    )
)
def test_any_identifier_has_one_form_or_none(uri: str) -> None:
    key = parse(uri)
    if key is not None and key.role == "item":
        again = parse(key.canonical)
        assert again is not None
        assert again.canonical == key.canonical
