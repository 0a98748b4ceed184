"""Drafts a profile of a CSV file or a workbook: one that can be tried at once, with comments on its guesses."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from connectors.files.headings import named, says_otherwise
from connectors.files.look import LEAST_SHARE, TIMES, Column, Layout, look_at
from connectors.files.readers import format_of_suffix
from connectors.mapping.values import ISO, SERIAL
from engine.core.errors import UsageError

STOCK = ("bestand", "on hand", "stock", "inventory", "count", "unrestricted", "frei verwendbar")
DOCUMENTS = ("document", "beleg", "invoice", "voucher", "lieferschein")
"""Headings of documents also where no column holds a date."""
PIECES = frozenset({"EA", "PC", "PCS", "PCE", "ST", "STK", "STÜCK", "STCK", "PIECE", "EACH", "UNIT", "U"})
SMALLER = {"KG": "grams", "L": "millilitres", "LT": "millilitres", "M": "millimetres"}
SHOWN = 12
_NOT_DRAFTED = {
    "ndjson": "its lines are read as CloudEvents, without a profile: `stockline send FILE --dry-run` tries them",
    "edi": "a profile of EDI says what was agreed with the partner: docs/connectors/edi.md has one to start from",
    "epcis": "EPCIS is read without a profile; docs/connectors/epcis.md says what one may change",
}
"""Why the formats that have no columns get no draft, and what to do."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def draft_profile(path: str, source: str) -> str:
    """The TOML of a profile for the file at `path`; `source` is the CloudEvents source. Raises `UsageError`."""
    if (why := _NOT_DRAFTED.get(format_of_suffix(path) or "")) is not None:
        raise UsageError(f"{path}: {why}")
    return _Draft(look_at(path), path, source).text()


class _Draft:
    def __init__(self, layout: Layout, path: str, source: str) -> None:
        self._layout, self._path, self._source = layout, path, source
        self._free = [column for column in layout.columns if column.cells]
        self._day = self._take(lambda each: bool(each.formats) and each.formats[0] not in TIMES)
        self._clock = self._take(lambda each: bool(each.formats) and each.formats[0] in TIMES)
        self._sku = self._named("sku")
        self._qty = self._named("qty", lambda each: each.numeric)
        self._unit = self._named("unit", lambda each: not each.numeric and len(each.words) <= 50)
        self._location = self._named("location")
        filled = max(len(each.cells) for each in layout.columns) if layout.columns else 0
        self._document = self._named("document", lambda each: self._names_documents(each, filled))
        self._position = self._named("position", lambda each: each.numeric)
        self._kind = self._named("kind", lambda each: len(each.words) <= SHOWN)
        self._qty = self._qty or self._take(lambda each: each.numeric and not says_otherwise(each, "qty"))
        self._qty = self._qty or self._take(lambda each: each.numeric)
        self._sku = self._sku or self._take(lambda each: len(each.words) > 1) or self._take(lambda _: True)
        if self._qty is None or self._sku is None:
            raise UsageError(f"{path}: no columns of an article and a quantity are found; write the profile by hand")

    def _take(self, fits: Callable[[Column], bool]) -> Column | None:
        found = next((column for column in self._free if fits(column)), None)
        if found is not None:
            self._free.remove(found)
        return found

    def _names_documents(self, column: Column, filled: int) -> bool:
        """Whether a column may name documents: most rows have one, and a list of what is there has none of its own."""
        strong = self._day is not None or any(word in column.name.lower() for word in DOCUMENTS)
        return strong and len(column.cells) >= LEAST_SHARE * filled

    def _named(self, what: str, fits: Callable[[Column], bool] = lambda _: True) -> Column | None:
        found = named(self._free, what, fits)
        if found is not None:
            self._free.remove(found)
        return found

    def text(self) -> str:
        return "\n".join(
            [*self._top(), "", *self._layout_lines(), "", *self._time(), "", *self._units(), *self._rules()]
        )

    def _top(self) -> Sequence[str]:
        unique = self._document is not None and len(self._document.words) == len(self._document.cells)
        named = (self._document, None if unique else self._position)
        parts = [f"{{{each.name}}}" for each in named if each is not None]
        if self._is_a_level:
            parts += self._level_id()
        elif self._position is None and not unique:
            parts.append("{row}")
        return [
            f"# A draft for {self._path}, made from its first rows. Lines with (?) are guesses: look at them.",
            "# Try it, nothing is sent:  stockline send FILE --profile THIS.toml --dry-run",
            f"source = {_quoted(self._source)}    # (?) who says so: it and the id make a row known again",
            "# What makes a row known again when it is sent again. {row} is the number of its line: with it a row that",
            "# moves within the file is another event, so prefer columns that no two rows have in common.",
            f"id = {_quoted('-'.join(parts))}    # (?)",
        ]

    @property
    def _is_a_level(self) -> bool:
        """Whether the rows are what is there, at a time that none of them tells, and not documents of what happened."""
        return self._day is None and self._document is None

    def _level_id(self) -> Sequence[str]:
        named = [f"{{{each.name}}}" for each in (self._sku, self._location) if each is not None]
        alone = self._location is None and self._sku is not None and len(self._sku.words) < len(self._sku.cells)
        return [*named, *(["{row}"] if alone else []), "{time}"]

    def _layout_lines(self) -> Sequence[str]:
        layout = self._layout
        if layout.sheet is not None:
            lines = ['format = "xlsx"', f"sheet = {_quoted(layout.sheet)}"]
        else:
            lines = [f"delimiter = {_quoted(layout.delimiter)}", f"encoding = {_quoted(layout.encoding)}"]
        if layout.record_lines > 1:
            lines.append(f"record_lines = {max(10, layout.record_lines)}    # a cell in quotes holds line ends")
        lines += [f"line_end = {_quoted(layout.line_end)}"] if layout.line_end != "\n" else []
        lines += [f"skip_lines = {layout.skip_lines}    # before the heading"] if layout.skip_lines else []
        lines += [f"decimal = {_quoted(layout.decimal)}"]
        lines += [f"thousands = {_quoted(layout.thousands)}    # (?)"] if layout.thousands else []
        lines += ["parentheses = true    # (12) is -12"] if layout.parentheses else []
        if layout.totals:
            patterns = ", ".join(map(_quoted, layout.totals))
            lines.append(f"skip_matching = [{patterns}]    # lines that sum up others, or are drawn")
        lines.append('time_zone = "UTC"    # (?) of times without an offset, such as "Europe/Berlin"')
        return lines

    def _time(self) -> Sequence[str]:
        day, clock = self._day, self._clock
        if day is None:
            return (
                "# No column holds a date. (?) When was the stock so? Here it is when the file was last changed.",
                "# For each export another one:  stockline send FILE --profile THIS.toml --time 2026-03-31T18:00Z",
                "[time]",
                f"constant = {_quoted(_changed(self._path))}",
            )
        alone = clock is None or day.formats[0] in (ISO, SERIAL)
        formats = [day.formats[0]] if alone or clock is None else [f"{day.formats[0]} {clock.formats[0]}"]
        names = [each.name for each in (day, clock) if each is not None and not (alone and each is clock)]
        lines = ["[time]", f"columns = {_list(names)}", f"formats = {_list(formats)}"]
        if SERIAL in formats:
            lines.append("# (?) `serial` is the number of a spreadsheet's day: 46082 is 2026-03-01")
        if others := [each for each in day.formats[1:] if len(each) == len(day.formats[0])]:
            lines.append(f"# (?) The days that were seen would also be read by {', '.join(others)}")
        return lines

    def _units(self) -> Sequence[str]:
        if self._unit is None or self._qty is None:
            return ()
        lines = ["[units]    # each: a unit of the item (a word), or how many of its base unit it is (a number)"]
        whole = not any(self._layout.decimal in cell for cell in self._qty.cells)
        for word in self._unit.words:
            key = word if _BARE.fullmatch(word) else _quoted(word)
            if word.upper() in SMALLER and not whole:
                lines.append(f"{key} = 1000    # (?) if the item is counted in {SMALLER[word.upper()]}")
            else:
                lines.append(f"{key} = 1{'' if word.upper() in PIECES else '    # (?)'}")
        return [*lines, ""]

    def _rules(self) -> Sequence[str]:
        assert self._sku is not None
        assert self._qty is not None
        counted = self._day is None or any(word in self._qty.name.lower() for word in STOCK)
        lines = [
            "# The first rule whose conditions hold makes the event; docs/contract.md has the types and their data."
        ]
        if self._kind is not None:
            words = ", ".join(map(_quoted, self._kind.words[:SHOWN]))
            lines += [
                f"# (?) The column {self._kind.name} has {words}. A rule for each, such as:",
                "# [[rules]]",
                f"# when = {{ {_key(self._kind.name)} = {_quoted(self._kind.words[0])} }}",
                '# type = "stock.issued"',
            ]
        lines += ["[[rules]]", f'type = "{"stock.counted" if counted else "stock.adjusted"}"    # (?)', "[rules.data]"]
        lines.append(f"sku = {{ column = {_quoted(self._sku.name)} }}")
        if self._location is not None:
            lines.append(f"location = {{ column = {_quoted(self._location.name)} }}")
        else:
            lines.append('location = "MAIN"    # (?) no column was found: the name of your warehouse')
        unit = f", unit_column = {_quoted(self._unit.name)}" if self._unit is not None else ""
        twice = "    # (?) the heading is there twice" if self._qty.name.endswith(" (1)") else ""
        lines.append(f'qty = {{ column = {_quoted(self._qty.name)}, as = "integer"{unit} }}{twice}')
        return [*lines, *(() if counted else ('reason = "correction"    # (?)',)), ""]


def _changed(path: str) -> str:
    return datetime.fromtimestamp(int(Path(path).stat().st_mtime), UTC).isoformat()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"
