"""Dates of EDIFACT by their formats: where the day stands, what a period covers, and what is no date."""

from __future__ import annotations

import pytest

from connectors.edi.dates import period
from connectors.edi.problems import Misread

DAYS = {
    ("100726", "2"): "2026-07-10",
    ("071026", "3"): "2026-07-10",
    ("10072026", "4"): "2026-07-10",
    ("260710", "101"): "2026-07-10",
    ("20260710", "102"): "2026-07-10",
    ("2026-07-10", "102"): "2026-07-10",
    ("26285", "103"): "2026-07-10",
    ("26191", "105"): "2026-07-10",
    ("202607101530", "203"): "2026-07-10 (15, 30, 0)",
    ("20260710", "203"): "2026-07-10",
    ("202607102599", "203"): "2026-07-10",
    ("260710153045", "202"): "2026-07-10 (15, 30, 45)",
    ("202607101530+0200", "205"): "2026-07-10 (15, 30, 0) UTC+02:00",
    ("202607101530?", "205"): "2026-07-10 (15, 30, 0)",
    ("202607101530-05", "303"): "2026-07-10 (15, 30, 0) UTC-05:00",
    ("202607101530EST", "303"): "2026-07-10 (15, 30, 0) UTC-05:00",
    ("20260710153045P01", "304"): "2026-07-10 (15, 30, 45) UTC+01:00",
    ("20260710153045M08", "304"): "2026-07-10 (15, 30, 45) UTC-08:00",
    ("202607101530LOC", "303"): "2026-07-10 (15, 30, 0)",
    ("202607101530", ""): "2026-07-10 (15, 30, 0)",
    ("2628", "615"): "2026-07-06 to 2026-07-12",
    ("202628", "616"): "2026-07-06 to 2026-07-12",
    ("2607", "609"): "2026-07-01 to 2026-07-31",
    ("202602", "610"): "2026-02-01 to 2026-02-28",
    ("2026", "602"): "2026-01-01 to 2026-12-31",
    ("202607202608", "710"): "2026-07-01 to 2026-08-31",
    ("2026071020260716", "711"): "2026-07-10 to 2026-07-16",
    ("26071006002607161800", "713"): "2026-07-10 (6, 0, 0) to 2026-07-16",
    ("26282629", "715"): "2026-07-06 to 2026-07-19",
    ("202628202629", "716"): "2026-07-06 to 2026-07-19",
    ("260710260716", "717"): "2026-07-10 to 2026-07-16",
    ("2026071020260716", "718"): "2026-07-10 to 2026-07-16",
    ("20260710", "718"): "2026-07-10",
    ("202607100600202607161800", "719"): "2026-07-10 (6, 0, 0) to 2026-07-16",
}


@pytest.mark.parametrize(("text", "form"), DAYS)
def test_a_date_is_read_by_its_format(text: str, form: str) -> None:
    found = period(text, form)
    said = [str(found.first.day), *(str(part) for part in (found.first.clock, found.first.zone) if part is not None)]
    assert " ".join(said) + (f" to {found.last}" if found.last else "") == DAYS[text, form]


@pytest.mark.parametrize(
    ("text", "form", "words"),
    [
        ("20260710", "101", "cannot be read"),
        ("201207101530", "201", "cannot be read"),
        ("260710", "102", "cannot be read"),
        ("20260230", "102", "is no date of the calendar"),
        ("202654", "616", "is no week of the calendar"),
        ("26366", "105", "is no date of the calendar"),
        ("26000", "105", "is no date of the calendar"),
        ("2026071620260710", "718", "ends before it begins"),
        ("7", "804", "cannot be read"),
        ("soon", "102", "cannot be read"),
        ("\u0662\u0660\u0662\u0666", "602", "cannot be read"),
    ],
)
def test_what_is_no_date_of_its_format_is_refused(text: str, form: str, words: str) -> None:
    with pytest.raises(Misread, match=words):
        period(text, form)
