"""What the OpenAPI document cannot say of the calls: schemathesis loads this and makes its cases fit.

- A cursor is opaque: one that no list gave is a 400, whatever its characters. The first page is asked for instead.
- A name has printable characters only, of all of Unicode, which no pattern can say.
- A connector reports at the path of its name.
- An id that exists is one of those in `IDS`: every other case asks for one, so that not all of them end in a 404.
"""

import json
import os
from typing import Any

import schemathesis

IDS: dict[str, list[str]] = json.loads(os.environ.get("STOCKLINE_FUZZ_IDS", "{}"))
NAMES = ("by", "to")


@schemathesis.hook
def map_query(_: schemathesis.HookContext, query: Any) -> Any:
    """The parameters without a cursor."""
    return {name: value for name, value in query.items() if name != "cursor"} if isinstance(query, dict) else query


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
    mended = {name: _printable(body[name]) for name in NAMES if isinstance(body.get(name), str)}
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
