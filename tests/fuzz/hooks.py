"""What the OpenAPI document cannot say of the calls: schemathesis loads this and makes its cases fit.

- A cursor is opaque: one that no list gave is a 400, whatever its characters. The first page is asked for instead.
- A name has printable characters only, of all of Unicode, which no pattern can say.
- A decimal is a format of its own, and the columns are those of a CSV.
- What will be cannot be asked for: the engine's clock says what is to come, no schema.
- Without a supplier's login, the supplier is named.
- A trace begins with one thing: of those in a case one is kept.
- A connector reports at the path of its name.
- An id that exists is one of those in `IDS`: every other case asks for one, so that not all of them end in a 404.
"""

import json
import os
import re
from typing import Any

import schemathesis
from hypothesis import strategies

IDS: dict[str, list[str]] = json.loads(os.environ.get("STOCKLINE_FUZZ_IDS", "{}"))
NAMES = ("by", "to")
STARTS = ("signal", "order", "shipment", "receipt")
SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
NAME = re.compile(rf"[^{SPACE}](?:[^\n\r\u2028\u2029]*[^{SPACE}])?")
"""The pattern of names as JSON Schema means it, by ECMA-262: to Python, U+001C to U+001F are spaces, too."""
TO_COME = re.compile(r"(?!0|1|200)\d{4}-\d\d-\d\dT")

schemathesis.openapi.format("decimal", strategies.integers(-(10**6), 10**6).map(str))


@schemathesis.hook
def map_query(context: schemathesis.HookContext, query: Any) -> Any:
    """The parameters without a cursor, and with a supplier; those of a trace with one thing to begin with."""
    path = context.operation.path if context.operation is not None else ""
    given = dict(query) if isinstance(query, dict) else {}
    given.pop("cursor", None)
    if "columns" in given and given.get("format") in (None, "json"):
        given["format"] = "csv"
    if TO_COME.match(str(given.get("as_of"))):
        del given["as_of"]
    if path.startswith("/v1/supplier/") and not given.get("supplier"):
        given["supplier"] = "ACME"
    if path == "/v1/trace":
        start = next((name for name in STARTS if name in given), "order")
        return {start: given.get(start, "PO-1009"), **({"events": given["events"]} if "events" in given else {})}
    return given


@schemathesis.hook
def map_path_parameters(context: schemathesis.HookContext, path_parameters: Any) -> Any:
    """The parameters of the path, every other time with names of what there is."""
    if context.operation is None or not isinstance(path_parameters, dict):
        return path_parameters
    told = json.dumps(path_parameters, sort_keys=True)
    if len(told) % 2:
        return path_parameters
    table = context.operation.path.split("/")[2]
    there = [name.split("/") for name in IDS.get(table, [])]
    if not there:
        return path_parameters
    chosen = there[sum(told.encode()) % len(there)]
    return {**path_parameters, **dict(zip([name for name in path_parameters if name != "verb"], chosen, strict=False))}


@schemathesis.hook
def map_body(_: schemathesis.HookContext, body: Any) -> Any:
    """A body whose names are printable."""
    if not isinstance(body, dict):
        return body
    # What the pattern of names forbids is meant to be refused.
    said = {name: body[name] for name in NAMES if isinstance(body.get(name), str)}
    mended = {name: _printable(value) for name, value in said.items() if NAME.fullmatch(value)}
    return body | mended


@schemathesis.hook
def map_case(_: schemathesis.HookContext, case: Any) -> Any:
    """A report of a connector at the connector's name."""
    name = case.body.get("name") if isinstance(case.body, dict) else None
    if isinstance(name, str) and "name" in (case.path_parameters or {}):
        case.path_parameters["name"] = name or "-"
    return case


def _printable(name: str) -> str:
    return "".join(each if each.isprintable() and each != "*" else "-" for each in name)
