"""The REST connector's pure parts: templates, answers, whether a list was read whole, and its profile."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.rest import Profile
from connectors.rest.answers import at_path, pace_seconds, parsed, wait_seconds, words
from connectors.rest.templates import filled, filled_path, filled_query
from connectors.rest.window import MOST_PASSES, Window
from engine.core.errors import UsageError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
VALUES = {"since": "2026-03-01", "limit": 50, "cursor": None, "text": '", "admin": "1'}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{limit}", 50),
        ("ge {since}", "ge 2026-03-01"),
        ({"a": "{limit}", "b": ["{since}", 3, True]}, {"a": 50, "b": ["2026-03-01", 3, True]}),
        ({"a": "{cursor}", "b": 1}, {"b": 1}),
        ("x{cursor}", "x"),
        ({"name": "{text}"}, {"name": '", "admin": "1'}),
        ([{"each": [0, "{sku}"]}], [[0, "A"], [0, "B"]]),
        ("{limit:int}", 50),
    ],
)
def test_a_template_is_filled_by_structure(template: Any, expected: Any) -> None:
    assert filled(template, VALUES, [{"sku": "A"}, {"sku": "B"}]) == expected


def test_a_value_stays_within_its_segment_of_a_path() -> None:
    assert filled_path("/orders({document})/x", {"document": "../a?b"}) == "/orders(..%2Fa%3Fb)/x"
    assert filled_query({"after": "{cursor}", "limit": "{limit}"}, VALUES) == {"limit": "50"}


@pytest.mark.parametrize(("template", "what"), [("{nothing}", "names {nothing}"), ("{since:int}", "whole number")])
def test_a_template_that_cannot_be_filled_is_the_profiles_fault(template: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        filled(template, VALUES)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", {"a": [{"b": "1.50"}], "@odata.nextLink": "x"}), ("a.0.b", "1.50"), ("@odata.nextLink", "x"), ("a.7", None)],
)
def test_numbers_keep_their_digits_and_names_may_hold_dots(path: str, expected: Any) -> None:
    assert at_path(parsed(b'{"a": [{"b": 1.50}], "@odata.nextLink": "x"}'), path) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("7", 7), ("Mon, 02 Mar 2026 12:00:30 GMT", 30), ("Mon, 02 Mar 2026 11:00:00 GMT", 0), ("soon", None), ("", None)],
)
def test_retry_after_is_seconds_or_a_time(header: str, expected: float | None) -> None:
    assert wait_seconds({"Retry-After": header}, NOW) == expected


@pytest.mark.parametrize(
    ("left", "reset", "expected"),
    [("3", "9", 0), ("0", "9", 9), ("0", str(int(NOW.timestamp()) + 5), 5), ("?", "9", 0)],
)
def test_a_rate_limit_that_is_used_up_is_waited_for(left: str, reset: str, expected: float) -> None:
    assert pace_seconds({"X-RateLimit-Remaining": left, "X-RateLimit-Reset": reset}, NOW) == expected


def test_an_error_is_one_short_line() -> None:
    assert words({"code": 200, "data": {"message": "No  such\nproduct"}}) == "No such product"
    assert len(words("x" * 5000)) == 300


def passes(*given: list[str]) -> tuple[bool, list[str]]:
    """Whether the last pass over pages of letters ended the reading, and what was fresh; A changed first."""
    window = Window(lambda record: NOW + timedelta(seconds=ord(record[0])))
    fresh: list[str] = []
    done = False
    for pages in given:
        assert not done
        window.begin()
        for page in pages:
            fresh += window.fresh(list(page))
        done = window.is_whole()
    return done, fresh


@pytest.mark.parametrize(
    ("given", "done", "fresh"),
    [
        ([["AB"]], True, "AB"),
        ([["AB", "CD"]], False, "ABCD"),
        ([["AB", "CD"], ["AB", "CD"]], True, "ABCD"),
        ([["AB", "D"], ["AB", "CD"]], False, "ABDC"),
        ([["AB", "CD"], ["AB", "CD", "E"]], True, "ABCDE"),
        ([["AB", "CD"], ["AB", "AB"]], False, "ABCD"),
        ([["AB", "CD"], ["BC", "DE"]], False, "ABCDE"),
        ([["AB", "CD"], ["BC", "DE"], ["BC", "DE"]], True, "ABCDE"),
    ],
)
def test_a_list_was_read_whole_when_two_passes_agree(given: list[list[str]], done: bool, fresh: str) -> None:
    assert passes(*given) == (done, list(fresh))


def test_a_busy_list_is_enough_once_a_late_pass_finds_nothing_new() -> None:
    busy = [["ABCDEFGH"[number:], "XY"] for number in range(MOST_PASSES)]
    assert passes(*busy)[0]


PROFILE = """
kind = "rest"
name = "erp"
url = "https://erp.example.com"
[[resources]]
name = "moves"
path = "/moves"
[resources.reading]
id = "{number}"
time = { columns = ["at"] }
[[resources.reading.rules]]
skip = "nothing"
"""


def test_the_source_of_a_resource_is_the_connectors() -> None:
    profile = Profile.model_validate(tomllib.loads(PROFILE))
    assert profile.resources[0].reading.source == "rest/erp/moves"


@pytest.mark.parametrize(
    ("former", "now", "what"),
    [
        ('path = "/moves"', 'path = "/moves"\npaging = { kind = "next_link" }', "next"),
        ('path = "/moves"', 'path = "/moves"\npaging = { kind = "keyset" }', "key"),
        ('path = "/moves"', 'path = "/moves"\nchanges = { kind = "modified" }', "column"),
        ('path = "/moves"', 'path = "/moves"\nchanges = { kind = "cursor" }', "cursor"),
        ("https://", "ftp://", "url"),
        ('path = "/moves"', 'path = "/moves"\nno_such_key = 1', "no_such_key"),
    ],
)
def test_a_profile_that_is_not_right_is_refused(former: str, now: str, what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Profile.model_validate(tomllib.loads(PROFILE.replace(former, now)))
