"""`stockline schema`: the contract as JSON Schema, AsyncAPI or OpenAPI."""

from typing import Annotated

import typer

from engine.cli import show
from engine.contract import schemas as contract


def schema(
    kind: Annotated[
        str | None, typer.Argument(metavar="[TYPE]", help="A type such as goods.received; or asyncapi, or openapi.")
    ] = None,
) -> None:
    """Print the JSON Schema of a type or, without one, of the whole contract; or a document of the interface."""
    show.document(_document(kind))


def _document(kind: str | None) -> contract.Schema:
    if kind is None:
        return contract.contract()
    if kind == "asyncapi":
        return contract.asyncapi()
    if kind == "openapi":
        # Only this document needs the HTTP layer.
        from engine.web import openapi

        return openapi.document()
    return contract.of_type(kind)
