"""Whatever somebody sends to a webhook becomes events in lines, or dead letters that can be read again."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mapping.documents import Message
from connectors.mapping.values import Unreadable
from connectors.ports import SameNames
from connectors.webhook.incoming import Incoming
from connectors.webhook.profile import Listen

RULE = {"when": {"type": "x"}, "type": "stock.counted", "data": {
    "sku": {"column": "data.item"}, "location": "LDS", "qty": {"column": "data.n", "as": "integer"}}}  # fmt: skip
FORMS: list[dict[str, Any]] = [
    {},
    {"reading": {"rules": [RULE]}},
    {"reading": {"format": "json", "rules": [RULE], "id": "{id}", "time": {"columns": ["time"]}}},
    {"epcis": {"own": ["0614141"]}},
]
READERS = [Incoming(Listen.model_validate({"unsigned": True, **form}), "webhook/x", SameNames()) for form in FORMS]

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
fields = ("specversion", "id", "source", "type", "time", "data", "eventTime", "epcisBody", "eventList", "@context")
documents = st.dictionaries(st.sampled_from(fields), values | st.just("x"), max_size=8)
bodies = (
    st.binary(max_size=60)
    | documents.map(lambda each: json.dumps(each, indent=1).encode())
    | st.lists(documents | values, max_size=4).map(lambda each: json.dumps(each).encode())
    | st.integers(1, 2000).map(lambda depth: b"[" * depth)
    | st.just(rb'{"id":"\ud800","type":"x","time":"2026-03-02T09:00:00Z","data":{"item":"\ud800","n":1}}')
)
types = st.sampled_from([
    "", "application/json", "application/cloudevents+json", "application/cloudevents-batch+json",
    "application/cloudevents", "text/plain; charset=x",
])  # fmt: skip
attributes = st.dictionaries(st.sampled_from(["id", "type", "source", "data", "x"]), st.text(max_size=6), max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(READERS), types, attributes, bodies)
def test_any_request_is_events_or_dead_letters(
    reader: Incoming, kind: str, headers: dict[str, str], body: bytes
) -> None:
    taken = reader.take(Message(kind, headers, body))
    assert len(taken.events) + len(taken.untranslated) <= body.count(b"{") + body.count(b",") + 1
    for event in taken.events:
        assert b"\n" not in event
        assert isinstance(json.loads(event), dict)
    for letter in taken.untranslated:
        assert letter.detail
        try:
            reader.again(letter.record)
        except Unreadable:
            continue
        raise AssertionError("what could not be translated was translated by the same profile")
