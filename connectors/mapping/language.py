"""What may be written in a profile about the meaning of a record's columns.

    source = "wms/leeds"             # the CloudEvents source
    id = "{document}-{position}"     # over the columns, and {row}: the number of the record
    time_zone = "Europe/London"      # of times without an offset

    [time]
    columns = ["date", "clock"]      # joined with a space; or `constant`, of records without a time
    formats = ["%d/%m/%Y %H:%M"]     # none: ISO 8601

    [units]                          # words of the file: a unit of the item, or a number to multiply by
    KT = "case"
    DZ = 12                          # 2,5 DZ are 30; a result that is not whole is refused
    KG = 1000

    [[rules]]                        # the first rule whose conditions all hold
    when = { kind = "OUT", qty = { below = 0 } }
    type = "stock.issued"
    [rules.data]
    sku = { column = "article", upper = true }
    location = "LDS"                 # a constant
    qty = { column = "qty", as = "integer", sign = "absolute", unit_column = "unit" }

    [[rules]]
    when = { kind = ["INFO", "NOTE"] }
    skip = "not a movement"

A field `a.b` is a field of an object, `a.0.b` one of an object in a list.
"""

import math
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from connectors.mapping.paths import FOLDER
from connectors.mapping.zones import ZoneName
from engine.core.errors import UsageError

_NOT_IN_THE_FILE = ("a column", "a constant", "a file", "a table", "str", "int", "float", "bool")
"""How the checker names the parts of a choice: they are not in the path within the profile."""
_BELONGS: Final = {
    "model": "a table", "dict": "a table", "tuple": "a list", "list": "a list", "set": "a list", "frozen_set": "a list",
    "string": "a text", "int": "a whole number", "float": "a number", "decimal": "a number", "bool": "true or false",
}  # fmt: skip
"""What belongs into a place, by the first part of the checker's name of a fault: `frozen_set_type`, `int_parsing`."""
_FIELD_IN_TEMPLATE = re.compile(r"\{([^{}]+)\}")


class Declared(BaseModel):
    """A part of a profile: immutable, and a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


AnyProfile = TypeVar("AnyProfile", bound=Declared)


def checked_pattern(pattern: str) -> str:
    """The pattern itself. Raises `ValueError`, in words, if it is not a regular expression."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


def checked_time(time: str) -> str:
    """The time itself. Raises `ValueError`, in words, if it is not one of ISO 8601."""
    try:
        datetime.fromisoformat(time)
    except ValueError:
        raise ValueError(f"{time!r} is not a time in ISO 8601, such as 2026-03-31T18:00:00+02:00") from None
    return time


class Condition(Declared):
    """The tests of one column; all that are given must hold. Numbers are compared as decimal numbers."""

    equals: str | None = None
    one_of: tuple[str, ...] | None = None
    matches: str | None = None
    below: float | None = None
    above: float | None = None
    empty: bool | None = None

    @field_validator("matches")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        return None if pattern is None else checked_pattern(pattern)


class Cell(Declared):
    """The column that a field's value comes from, and how its text is read."""

    column: str
    read_as: Literal["text", "integer", "number", "date", "moment", "boolean"] = Field("text", alias="as")
    sign: Literal["keep", "absolute", "negate"] = "keep"
    unit_column: str | None = None
    formats: tuple[str, ...] = ()
    map: dict[str, str | int | bool] | None = None
    upper: bool = False
    optional: bool = False
    identifier: Literal["item", "location", "supplier", "unit"] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.unit_column is not None and self.read_as != "integer":
            raise ValueError('`unit_column` belongs to `as = "integer"`')
        if self.identifier is not None and (self.read_as != "text" or self.map is not None):
            raise ValueError('`identifier` belongs to `as = "text"`, without `map`')
        return self


def _is_cell(value: object) -> str:
    return "a column" if isinstance(value, dict | Cell) else "a constant"


Value = Annotated[
    Annotated[Cell, Tag("a column")] | Annotated[str | int | float | bool, Tag("a constant")], Discriminator(_is_cell)
]


class Rule(Declared):
    """For records that meet `when`: an event of `type` with `data`, or `skip`, the reason to count skipped ones by."""

    when: dict[str, Condition] = {}
    type: str | None = None
    data: dict[str, Value] = {}
    skip: str | None = None

    @field_validator("when", mode="before")
    @classmethod
    def _short_forms(cls, when: object) -> object:
        if not isinstance(when, dict):
            return when
        return {column: _as_condition(test) for column, test in when.items()}

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.type is None) == (self.skip is None):
            raise ValueError("a rule has either `type` or `skip`")
        if self.type is not None and not self.data:
            raise ValueError("a rule with `type` has `data`")
        return self


class TimeColumns(Declared):
    """The columns that hold the time of the event, joined with a space, and the formats to try in turn.

    Records without a time have a `constant` in ISO 8601 instead, which an id may hold as `{time}`.
    """

    columns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    constant: str | None = None

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if (self.constant is None) == (not self.columns):
            raise ValueError("a time has either `columns` or a `constant`")
        if self.constant is not None:
            checked_time(self.constant)
        return self


class Reading(Declared):
    """How records become events, whatever file or topic they come from; see the module's example."""

    source: Annotated[str, Field(min_length=1, max_length=256)]
    id: Annotated[str, Field(min_length=1)]
    time: TimeColumns
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    decimal: Literal[".", ","] = "."
    thousands: str = ""
    time_zone: ZoneName = "UTC"
    empty: tuple[str, ...] = ("",)
    units: dict[str, str | int | float] = {}
    parentheses: bool = False
    partner: str | None = None

    @field_validator("units")
    @classmethod
    def _factors_are_positive(cls, units: dict[str, str | int | float]) -> dict[str, str | int | float]:
        if any(not isinstance(unit, str) and not 0 < unit < math.inf for unit in units.values()):
            raise ValueError("a factor is a number above 0")
        return units

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.thousands == self.decimal:
            raise ValueError(f"`decimal` and `thousands` are both {self.decimal!r}")
        return self

    @model_validator(mode="after")
    def _names_have_a_partner(self) -> Self:
        if self.partner is None and self.uses_identifiers():
            raise ValueError("`identifier` needs `partner`, whose names the columns hold")
        return self

    def uses_identifiers(self) -> bool:
        """Whether a rule reads a partner's names."""
        values = (value for rule in self.rules for value in rule.data.values())
        return any(isinstance(value, Cell) and value.identifier is not None for value in values)

    def id_columns(self) -> list[str]:
        """What the id names, without the `{time}` of a constant."""
        return [name for name in template_fields(self.id) if self.time.constant is None or name != "time"]

    def columns_used(self) -> set[str]:
        """Every column that the id, the time or a rule refers to."""
        used = {name for name in self.id_columns() if name != "row"} | set(self.time.columns)
        for rule in self.rules:
            used |= set(rule.when)
            for value in rule.data.values():
                if isinstance(value, Cell):
                    used |= {value.column} | ({value.unit_column} if value.unit_column else set())
        return used


def template_fields(template: str) -> list[str]:
    """The names in braces of an id template."""
    return _FIELD_IN_TEMPLATE.findall(template)


def read_profile(path: Path, kind: type[AnyProfile], defaults: Mapping[str, str] | None = None) -> AnyProfile:
    """Read a profile of a `kind` from TOML; `defaults` fill what the file leaves out.

    Raises `UsageError`, which names every fault by its path within the profile.
    """
    return check_profile(path, kind, {**(defaults or {}), **read_toml(path)})


def read_toml(path: Path) -> dict[str, object]:
    """The content of a TOML file. Raises `UsageError`."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the profile {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the profile {path} is not TOML: it is not written in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the profile {path} is not TOML: {error}") from error


def check_profile(path: Path, kind: type[AnyProfile], content: Mapping[str, object]) -> AnyProfile:
    """A profile of a `kind` from the content of its file, beside which its paths are. Raises `UsageError`."""
    try:
        return kind.model_validate(content, context={FOLDER: path.parent})
    except ValidationError as error:
        raise UsageError(f"the profile {path} is not right: {faults(error)}") from error


def faults(error: ValidationError) -> str:
    """Every fault of a profile, by its path, in one line and in the words of a profile."""
    return "; ".join(_fault(fault) for fault in error.errors(include_url=False))


def _fault(fault: ErrorDetails) -> str:
    path = [str(part) for part in fault["loc"] if part not in _NOT_IN_THE_FILE]
    place = ".".join(path) or "profile"
    context, kind = fault.get("ctx", {}), fault["type"]
    if kind == "missing":
        return f"{place}: this key is missing"
    if kind == "extra_forbidden":
        return f"{place}: there is no such key"
    if kind == "literal_error":
        return f"{place}: {fault['input']!r} is none of {context['expected']}"
    if (belongs := _BELONGS.get(kind.removesuffix("_type").removesuffix("_parsing"))) is not None:
        return f"{place}: {belongs} belongs here"
    return f"{place}: {fault['msg'].removeprefix('Value error, ').removeprefix('Input ')}"


def _as_condition(test: object) -> object:
    """A condition in full, for one that is written as a word or a list of words."""
    if isinstance(test, bool | int | float | str):
        return {"equals": str(test)}
    if isinstance(test, list):
        return {"one_of": [str(word) for word in test]}
    return test
