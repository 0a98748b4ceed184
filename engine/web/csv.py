"""Lists as CSV, for a spreadsheet: chosen columns, streamed, and no text in them is taken for a formula."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from aiohttp import hdrs, web

from engine.columns.kinds import Value
from engine.core.values import instant, iso
from engine.web.ports import lists_of
from engine.web.query import FIELDS, Asked, invalid, known_field

MEDIA_TYPE = "text/csv"
FORMATS = ("json", "csv")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A text that begins so would be run by a spreadsheet, in some languages also with the wide signs; an apostrophe before
it says that it is text."""


def asked_fields(table: str, request: web.Request) -> list[str]:
    """The fields of a list that a call wants as CSV, all where it names none; empty where it wants JSON.

    Raises Problem 400 for a field or a format that is not known.
    """
    named = request.query.get("columns")
    if not is_asked(request):
        if named is not None:
            raise invalid("`columns` chooses those of a CSV: ask for it with `format=csv`")
        return []
    if "cursor" in request.query:
        raise invalid("a CSV has the whole list, or what `offset` and `limit` leave of it: `cursor` is for pages")
    return list(FIELDS[table]) if named is None else [known_field(table, name, "columns") for name in named.split(",")]


def is_asked(request: web.Request) -> bool:
    """Whether a call wants CSV; raises Problem 400 for a format that is not known."""
    asked = request.query.get("format", "csv" if request.headers.get("Accept", "").startswith(MEDIA_TYPE) else "json")
    if asked not in FORMATS:
        raise invalid(f"`format` is one of {', '.join(FORMATS)}")
    return asked == "csv"


async def answer(request: web.Request, asked: Asked, fields: Sequence[str]) -> web.StreamResponse:
    """A list as CSV: the whole of it, but for what `offset` and `limit` leave out where they are given."""
    most = asked.limit if "limit" in request.query else None
    portions = lists_of(request).export(asked.query, fields, asked.offset, most)
    first = await asyncio.to_thread(next, portions, None)
    response = web.StreamResponse(
        headers={
            "Content-Type": f"{MEDIA_TYPE}; charset=utf-8; header=present",
            "Content-Disposition": f'attachment; filename="{asked.query.table}.csv"',
        }
    )
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        await response.write_eof()
        return response
    await response.write(_lines([tuple(fields)]))
    while first is not None:
        await response.write(_lines(first))
        first = await asyncio.to_thread(next, portions, None)
    await response.write_eof()
    return response


def _lines(rows: Sequence[tuple[Value, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode(errors="replace")


def cell(value: Value) -> str:
    """The text of a cell: instants as RFC 3339, dates as YYYY-MM-DD, an empty cell for what is missing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, datetime):
        return iso(instant(value))
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
