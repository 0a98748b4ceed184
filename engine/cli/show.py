"""The output of commands: a table on a terminal, tab-separated lines in a pipe, or one JSON object a line."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


def rows(items: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Print items: each in full as a line of JSON, or their `columns` as a table."""
    if as_json:
        for item in items:
            typer.echo(json.dumps(item, ensure_ascii=False, separators=(",", ":")))
    elif sys.stdout.isatty():
        Console().print(_table(items, columns))
    else:
        typer.echo("\t".join(columns))
        for item in items:
            typer.echo("\t".join(cell(item.get(column)) for column in columns))


def document(value: Any) -> None:
    """Print an indented JSON document."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def remark(text: str) -> None:
    """Print a line on standard error, beside the output."""
    typer.echo(text, err=True)


def _table(items: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = all(isinstance(item.get(column), int) for item in items)
        table.add_column(column, justify="right" if numeric and items else "left", overflow="fold")
    for item in items:
        # Text, not markup: names and reasons come from outside.
        table.add_row(*(Text(cell(item.get(column))) for column in columns))
    return table


def cell(value: Any) -> str:
    """A value on one line, without characters that would move the cursor."""
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() else " " for character in text)
