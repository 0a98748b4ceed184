"""The mapping as a CSV file: read with the number of every wrong line, and written to be pasted into one."""

import csv
import io
from collections.abc import Iterable, Iterator
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
    faults: list[str] = []
    mapping = Mapping()
    for number, row in _rows(text, path, faults):
        if (fault := mapping.add(row)) is not None:
            faults.append(f"line {number}: {fault}")
    if faults:
        more = f"; and {len(faults) - MAX_FAULTS} more" if len(faults) > MAX_FAULTS else ""
        raise UsageError(f"the identifiers {path} are not right: {'; '.join(faults[:MAX_FAULTS])}{more}")
    return mapping


def written(rows: Iterable[Row]) -> str:
    """Rows as lines of CSV, without the heading."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _rows(text: str, path: Path, faults: list[str]) -> Iterator[tuple[int, Row]]:
    """The rows with their lines; lines that are none go to `faults`. Empty lines and `#` comments are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if next(reader, None) != HEADING:
            raise UsageError(f"the identifiers {path} begin with the line {','.join(HEADING)}")
        for cells in reader:
            if not any(cells) or cells[0].startswith("#"):
                continue
            found = _row([cell.strip() for cell in cells])
            if isinstance(found, str):
                faults.append(f"line {reader.line_num}: {found}")
            else:
                yield reader.line_num, found
    except csv.Error as error:
        faults.append(f"line {reader.line_num}: {error}")


def _row(cells: list[str]) -> Row | str:
    """The row of a line, or what is wrong with it."""
    if len(cells) != len(HEADING):
        return f"it has {len(cells)} columns, not {len(HEADING)}"
    if empty := [name for name, cell in zip(HEADING, cells, strict=True) if not cell]:
        return f"{' and '.join(empty)} must not be empty"
    partner, kind, theirs, ours = cells
    if kind not in KINDS:
        return f"there is no kind {kind!r}, only {', '.join(KINDS)}"
    return Row(partner, cast(IdentifierKind, kind), theirs, ours)
