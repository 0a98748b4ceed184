"""Rows of cells to items, by a profile: what CSV files and spreadsheets have in common."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from connectors.files.lines import Mark
from connectors.files.profile import Profile
from connectors.files.readers import Item
from connectors.files.rejects import marked_line
from connectors.mapping.translator import Translator
from connectors.mapping.values import Unreadable
from connectors.ports import Unmapped
from engine.core.errors import UsageError

SKIPPED_BY_PATTERN = "a line that `skip_matching` names"
_FORMULA = re.compile(r'="(.*)"', re.DOTALL)


class Row(NamedTuple):
    """A row of a table: the number of its line, the mark after it, its cells (None with a `problem`), its bytes."""

    line: int
    mark: Mark
    cells: list[str] | None
    raw: bytes
    problem: str | None = None
    open_quote: bool = False


class Table:
    """The rows of one file to items. `names` are those of its columns."""

    def __init__(self, profile: Profile, names: Sequence[str], translate: Translator) -> None:
        """Raises `UsageError` if a column that the profile uses is missing, or is there twice."""
        self._profile = profile
        self._names = distinct(names)
        self._translate = translate
        self._skipped = [re.compile(pattern) for pattern in profile.skip_matching]
        self._number: int | None = None
        _check_columns(profile.columns_used(), names, self._names)

    def item(self, row: Row) -> Item | None:
        """What a row becomes; None for the line of a reject file that says which line the next one was."""
        if row.cells is None:
            return self._broken(row, str(row.problem))
        cells = _without_formulas(row.cells) if b'="' in row.raw else row.cells
        if not any(map(str.strip, cells)):
            return Item(row.line, row.mark)
        if (number := marked_line(cells[0])) is not None:
            self._number = number
            return None
        number, self._number = self._number or row.line, None
        if self._skipped and any(map(_searching(self._profile.delimiter.join(cells)), self._skipped)):
            return Item(row.line, row.mark, skipped=SKIPPED_BY_PATTERN)
        return self._translated(row, self._fitting(cells), number)

    def _translated(self, row: Row, cells: list[str], number: int) -> Item:
        if len(cells) != len(self._names):
            return self._broken(row, f"{len(cells)} cells where the heading has {len(self._names)}", number)
        try:
            outcome = self._translate(dict(zip(self._names, cells, strict=True)), number)
        except Unmapped as error:
            return self._broken(row, str(error), number)._replace(reason="unmapped_identifier")
        except Unreadable as error:
            return self._broken(row, str(error), number)
        if isinstance(outcome, str):
            return Item(row.line, row.mark, skipped=outcome)
        return Item(row.line, row.mark, (outcome,), record=row.raw, number=number)

    def _broken(self, row: Row, problem: str, number: int = 0) -> Item:
        return Item(
            row.line, row.mark, problem=problem, open_quote=row.open_quote, record=row.raw, number=number or row.line
        )

    def _fitting(self, cells: list[str]) -> list[str]:
        """The cells without empty ones beyond the heading, and filled up where the profile allows rows to be short."""
        width = len(self._names)
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            return cells[:width]
        if len(cells) < width and self._profile.short_rows:
            return cells + [""] * (width - len(cells))
        return cells


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names of columns: those that occur twice get their occurrence, an empty one its place."""
    stripped = [name.strip() or f"column {place}" for place, name in enumerate(names, 1)]
    count, seen = Counter(stripped), Counter[str]()
    found = []
    for name in stripped:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if count[name] > 1 else name)
    return tuple(found)


def _check_columns(used: set[str], names: Sequence[str], known: Sequence[str]) -> None:
    missing = sorted(used - set(known))
    if twice := [name for name in missing if name in {each.strip() for each in names}]:
        raise UsageError(f"the file has the column {twice[0]} more than once: say `{twice[0]} (1)` or `{twice[0]} (2)`")
    if missing:
        raise UsageError(f"the file has no column {', '.join(missing)}; it has {', '.join(known)}")


def _without_formulas(cells: list[str]) -> list[str]:
    """The cells, with the text of those that a spreadsheet program keeps from being a number by `="00123"`."""
    return [found[1].replace('""', '"') if (found := _FORMULA.fullmatch(cell.strip())) else cell for cell in cells]


def _searching(text: str) -> Callable[[re.Pattern[str]], bool]:
    return lambda pattern: pattern.search(text) is not None
