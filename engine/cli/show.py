"""The output of commands: a table on a terminal, tab-separated lines in a pipe, or one JSON object a line."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import typer
from rich.cells import cell_len

GAP = "  "
INDENT = " " * 4


def rows(items: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Print items: each in full as a line of JSON, or their `columns` as a table."""
    if as_json:
        for item in items:
            typer.echo(json.dumps(item, ensure_ascii=False, separators=(",", ":")))
    elif sys.stdout.isatty():
        for line in _table(items, columns, shutil.get_terminal_size().columns):
            typer.echo(line)
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


def _table(items: Sequence[Mapping[str, Any]], columns: Sequence[str], width: int) -> Iterator[str]:
    """The lines of a table. What has no room beside the first columns follows below each row, by name.

    No value is cut or broken to fit, so that an id can be copied as it stands; only sentences are wrapped.
    """
    widths = [max(map(cell_len, (column, *(cell(item.get(column)) for item in items)))) for column in columns]
    room = sum(total <= width for total in accumulate(w + len(GAP) * bool(n) for n, w in enumerate(widths)))
    inside, below = columns[: room or 1], columns[room or 1 :]
    numeric = {column for column in inside if items and all(isinstance(item.get(column), int) for item in items)}

    def line(cells: Sequence[str]) -> str:
        padded = [_padded(*each, inside[n] in numeric) for n, each in enumerate(zip(cells, widths, strict=False))]
        return GAP.join(padded).rstrip()

    yield typer.style(line(inside), bold=True)
    for item in items:
        yield line([cell(item.get(column)) for column in inside])
        yield from _below(
            [f"{column} {cell(item[column])}" for column in below if item.get(column) not in ("", None)], width
        )


def _padded(cell: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if right else cell + space


def _below(pieces: Sequence[str], width: int) -> Iterator[str]:
    """The lines below a row: as many pieces on each as there is room for."""
    line = ""
    for piece in pieces:
        if line and cell_len(INDENT + line + GAP + piece) > width:
            yield from _wrapped(line, width)
            line = ""
        line = line + GAP + piece if line else piece
    if line:
        yield from _wrapped(line, width)


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(
        line, width, initial_indent=INDENT, subsequent_indent=INDENT * 2, break_long_words=False, break_on_hyphens=False
    )


def cell(value: Any) -> str:
    """A value on one line, without characters that would move the cursor."""
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() else " " for character in text)
