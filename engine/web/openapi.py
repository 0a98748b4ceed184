"""The OpenAPI 3.1 document, made from the table of routes and the types of bodies and answers."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from aiohttp import hdrs

from engine import __version__
from engine.contract.schemas import components
from engine.web.csv import MEDIA_TYPE as CSV
from engine.web.parameters import Parameter
from engine.web.problems import MEDIA_TYPE, ProblemDetails
from engine.web.routes import JSON, ROUTES, Fresh, Listed, Route

Document = dict[str, Any]
Known = dict[object, Document]
"""The type of a body or an answer -> its schema."""

FRESHNESS: Document = {
    "as_of": {
        "type": ["string", "null"],
        "format": "date-time",
        "description": "the engine's clock at the newest commit in the answer",
    },
    "lag_seconds": {"type": "number", "description": "for how long that clock had gone on beyond it"},
}
"""What a list says of how fresh it is."""

_VARIABLE = re.compile(r"\{(\w+)(?::([^}]*))?\}")
_CHOICES = re.compile(r"[\w|-]+")


def document() -> Document:
    """The OpenAPI document as JSON-ready dictionaries."""
    types = list(dict.fromkeys(_types()))
    schemas, parts = components(types, "#/components/schemas/{name}")
    known = dict(zip(types, schemas, strict=True))
    paths: dict[str, Document] = {}
    for route in ROUTES:
        path = _VARIABLE.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Stockline",
            "version": __version__,
            "summary": "One live truth of inventory",
            "description": "HEAD is answered as GET is, without the body; not at streams, nor while somebody logs in.",
        },
        "paths": paths,
        "components": {"schemas": parts},
    }


def _types() -> Iterator[object]:
    yield ProblemDetails
    for route in ROUTES:
        yield from (route.body or {}).values()
        answer = route.answer.kind if isinstance(route.answer, Listed) else route.answer
        if not isinstance(answer, str):
            yield answer


def _operation(route: Route, known: Known) -> Document:
    operation: Document = {
        "operationId": route.operation,
        "summary": route.what.split(". ")[0].rstrip("."),
        "description": route.what,
        "parameters": [
            *_path_parameters(route),
            *(_parameter(each, "query") for each in route.parameters),
            *(_parameter(each, "header") for each in route.headers),
        ],
        "responses": {str(route.status): _success(route, known), **_not_modified(route), **_problems(route, known)},
    }
    if route.body:
        content = {media: {"schema": known[kind]} for media, kind in route.body.items()}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(route: Route) -> Iterator[Document]:
    for name, choices in _VARIABLE.findall(route.path):
        kind: Document = {"type": "string"}
        if _CHOICES.fullmatch(choices):
            kind["enum"] = choices.split("|")
        yield {"name": name, "in": "path", "required": True, "schema": kind}


def _parameter(parameter: Parameter, place: str) -> Document:
    return {
        "name": parameter.name,
        "in": place,
        "description": parameter.what,
        "schema": dict(parameter.schema),
    }


def _success(route: Route, known: Known) -> Document:
    if isinstance(route.answer, str):
        content: Document = {route.answer: {"schema": {"type": "string"}}}
    elif isinstance(route.answer, Listed):
        content = {JSON: {"schema": _page(known[route.answer.kind], isinstance(route.answer, Fresh))}}
    else:
        content = {JSON: {"schema": known[route.answer]}}
    if any(parameter.name == "format" for parameter in route.parameters):
        content[CSV] = {"schema": {"type": "string"}}
    return {"description": HTTPStatus(route.status).phrase, "content": content}


def _not_modified(route: Route) -> Document:
    conditional = any(header.name == hdrs.IF_NONE_MATCH for header in route.headers)
    return {"304": {"description": "the caller has it already"}} if conditional else {}


def _page(item: Document, is_fresh: bool) -> Document:
    return {
        "type": "object",
        "required": ["items", "next", "total", *(FRESHNESS if is_fresh else ())],
        "properties": {
            "items": {"type": "array", "items": item},
            "next": {"type": ["string", "null"], "description": "the cursor of the page that follows"},
            "total": {"type": ["integer", "null"], "description": "how many there are that match"},
            **(FRESHNESS if is_fresh else {}),
        },
    }


def _problems(route: Route, known: Known) -> Document:
    problem = {MEDIA_TYPE: {"schema": known[ProblemDetails]}}
    return {str(status): {"description": HTTPStatus(status).phrase, "content": problem} for status in route.problems}
