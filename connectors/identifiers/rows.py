"""The mapping as a CSV file: read with the number of every wrong line, and written to be pasted into one."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, cast, get_args

from connectors.identifiers.mapping import Mapping, Row
from connectors.profiles import IdentifierKind
from engine.core.errors import UsageError

HEADING: Final = ["partner", "kind", "theirs", "ours"]
KINDS: Final = get_args(IdentifierKind)
MAX_FAULTS = 20


def read_rows(path: Path) -> Mapping:
    """Read a mapping. Raises `UsageError`, which names every line that is wrong (at most `MAX_FAULTS`)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read the identifiers {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"the identifiers {path} are not text in UTF-8") from None
    return mapping_of(str(path), _rows(text, path))


def mapping_of(name: str, rows: Iterable[tuple[str, Row | str]]) -> Mapping:
    """The mapping of rows, each with its place, or of what is wrong with them.

    Raises `UsageError`, which names the places that are wrong (at most `MAX_FAULTS`).
    """
    faults: list[str] = []
    mapping = Mapping()
    for place, row in rows:
        if (fault := row if isinstance(row, str) else mapping.add(row)) is not None:
            faults.append(f"{place}: {fault}")
    if faults:
        more = f"; and {len(faults) - MAX_FAULTS} more" if len(faults) > MAX_FAULTS else ""
        raise UsageError(f"the identifiers {name} are not right: {'; '.join(faults[:MAX_FAULTS])}{more}")
    return mapping


def row_of(cells: Sequence[str]) -> Row | str:
    """The row of these cells, or what is wrong with them."""
    cells = [cell.strip() for cell in cells]
    if len(cells) != len(HEADING):
        return f"it has {len(cells)} columns, not {len(HEADING)}"
    if empty := [name for name, cell in zip(HEADING, cells, strict=True) if not cell]:
        return f"{' and '.join(empty)} must not be empty"
    partner, kind, theirs, ours = cells
    if kind not in KINDS:
        return f"there is no kind {kind!r}, only {', '.join(KINDS)}"
    return Row(partner, cast(IdentifierKind, kind), theirs, ours)


def written(rows: Iterable[Row]) -> str:
    """Rows as lines of CSV, without the heading."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _rows(text: str, path: Path) -> Iterator[tuple[str, Row | str]]:
    """The rows with their lines, or what is wrong with a line. Empty lines and `#` comments are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if next(reader, None) != HEADING:
            raise UsageError(f"the identifiers {path} begin with the line {','.join(HEADING)}")
        for cells in reader:
            if any(cells) and not cells[0].startswith("#"):
                yield f"line {reader.line_num}", row_of(cells)
    except csv.Error as error:
        yield f"line {reader.line_num}", str(error)
