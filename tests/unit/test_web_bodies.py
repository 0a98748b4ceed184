"""How a body becomes events: by content type, else by what it looks like, always their exact bytes."""

import json
import time

import pytest

from engine.web.bodies import Items, split
from engine.web.problems import Problem

A, B = b'{"a": 1}', b'{"b":[2,{"c":"],}"}]}'
PRETTY = b'{\n  "a": 1,\n  "b": {\n    "c": 2\n  }\n}'


@pytest.mark.parametrize(
    ("body", "content_type", "parts", "whole"),
    [
        pytest.param(A, "application/json", [A], True, id="one object"),
        pytest.param(A + b"\n", "application/json", [A + b"\n"], True, id="one object and a line's end"),
        pytest.param(PRETTY, "application/json", [PRETTY], True, id="one object over several lines"),
        pytest.param(A, "application/cloudevents+json", [A], True, id="one declared event"),
        pytest.param(b"[" + A + b" , " + B + b"]", "application/json", [A, B], False, id="an array"),
        pytest.param(b" \n[" + A + b"]\n", "text/plain", [A], False, id="an array with space around"),
        pytest.param(b"[]", "application/json", [], False, id="an empty array"),
        pytest.param(b"[1,null]", "application/json", [b"1", b"null"], False, id="an array of no objects"),
        pytest.param(A, "application/cloudevents-batch+json", [A], True, id="a batch that is none"),
        pytest.param(A + b"\n" + B, "application/x-ndjson", [A, B], False, id="declared lines"),
        pytest.param(A + b"\r\n\r\n \n" + B + b"\n", "application/x-ndjson", [A + b"\r", B], False, id="blank lines"),
        pytest.param(A + b"\n" + B, "application/json", [A, B], False, id="undeclared lines"),
        pytest.param(A + b"\nnot json\n", "application/json", [A, b"not json"], False, id="a broken second line"),
        pytest.param(b"{broken\n" + A, "application/json", [b"{broken", A], False, id="a broken first line"),
        pytest.param(b"x\n" + A, "application/json", [b"x", A], False, id="a first line that is no object"),
        pytest.param(b"hello", "application/json", [b"hello"], True, id="not JSON at all"),
        pytest.param(b"hello", "application/x-ndjson", [b"hello"], False, id="a line that is not JSON"),
        pytest.param(b'{"a": 1', "application/json", [b'{"a": 1'], True, id="cut off"),
        pytest.param(b"[" + A, "application/json", [b"[" + A], True, id="an array cut off"),
        pytest.param(b"[" + A + b"] x", "application/json", [b"[" + A + b"] x"], True, id="something after an array"),
        pytest.param(b"[" + A + b"][]", "application/json", [b"[" + A + b"][]"], True, id="two arrays"),
        pytest.param(b"[1,,2]", "application/json", [b"[1,,2]"], True, id="a hole in an array"),
        pytest.param(b"[}", "application/json", [b"[}"], True, id="brackets that do not match"),
        pytest.param(
            b'[{"qty": NaN}, {"note": "a, ]"}]',
            "application/json",
            [b'{"qty": NaN}', b'{"note": "a, ]"}'],
            False,
            id="an item that is not JSON, and marks in a string",
        ),
        pytest.param(b'[{"qty": 1]', "application/json", [b'[{"qty": 1]'], True, id="a bracket that closes another"),
        pytest.param(b"", "application/json", [], False, id="nothing"),
        pytest.param(b" \n ", "application/x-ndjson", [], False, id="only space"),
    ],
)
def test_a_body_is_split_into_the_exact_bytes_of_its_events(
    body: bytes, content_type: str, parts: list[bytes], whole: bool
) -> None:
    assert split(body, content_type) == Items(parts, whole)


@pytest.mark.parametrize(
    "bad",
    [
        b'{"qty":NaN}',
        b'{"name":"\xff\xfe"}',
        b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a":01}',
        b'{"a" 1}',
        b"nul",
        b'{"text":"a \\" ] } , b", "x": oops}',
    ],
    ids=["NaN", "not UTF-8", "deep", "leading zero", "no colon", "a word", "brackets in a string"],
)
def test_an_item_of_an_array_that_is_not_json_costs_only_itself(bad: bytes) -> None:
    assert split(b"[" + A + b"," + bad + b" ,\n" + B + b"]", "application/json") == Items([A, bad, B], False)


@pytest.mark.parametrize(
    "body",
    [b'["' + b'\\"' * 500_000, b"[" + b'{"' * 200_000, b"[" * 1_000_000, b"[" + b'"",' * 300_000],
    ids=["an open string of quotes", "open objects", "open arrays", "no end"],
)
def test_a_hostile_array_takes_time_in_proportion_to_its_length(body: bytes) -> None:
    started = time.process_time()
    assert split(body, "application/json") == Items([body], True)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("body", [b"[" + b"1," * 200_000 + b"1]", b"[" + b"NaN," * 200_000 + b"1]", b"1\n" * 200_001])
def test_more_items_than_events_fit_into_a_body_are_too_many(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        split(body, "application/json")
    assert (refused.value.status, refused.value.reason) == (413, "too_many_events")


def test_a_thousand_lines_are_split_in_a_blink() -> None:
    line = json.dumps({"specversion": "1.0", "data": {"sku": "A" * 200}}).encode()
    body = b"\n".join([line] * 1000)
    took = []
    for _ in range(5):
        # Its own time, and the best of some: what else the machine does is not the text's fault.
        started = time.process_time()
        items = split(body, "application/x-ndjson")
        took.append(time.process_time() - started)
        assert items.parts == [line] * 1000
    assert min(took) < 0.05
