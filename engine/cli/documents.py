"""`stockline schema`: the contract as JSON Schema, AsyncAPI or OpenAPI."""

from typing import Annotated

import typer

from engine.cli import show
from engine.contract import asyncapi, schemas


def schema(
    kind: Annotated[
        str | None, typer.Argument(metavar="TYPE", help="A type such as goods.received; or asyncapi, or openapi.")
    ] = None,
) -> None:
    """Print the JSON Schema of a type or, without one, of the whole contract; or a document of the interface."""
    show.document(_document(kind))


def _document(kind: str | None) -> schemas.Schema:
    if kind is None:
        return schemas.contract()
    if kind == "asyncapi":
        return asyncapi.document()
    if kind == "openapi":
        # Only this document needs the HTTP layer.
        from engine.web import openapi

        return openapi.document()
    return schemas.of_type(kind)
