"""The engine's reasons in the words of a person who mends a file: the parser that it uses has names of its own."""

import re
from collections.abc import Callable

_KINDS = {
    "int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "null": "nothing",
    "object": "an object", "array": "a list", "datetime": "a time with its offset", "date": "a date",
}  # fmt: skip
_BOUNDS = {">=": "at least", "<=": "at most", ">": "above", "<": "below"}
_PLACE = r"(?: - at `\$\.?(?P<place>[^`]*)`)?"


def _kind(names: str) -> str:
    return " or ".join(_KINDS.get(name.strip(), name.strip()) for name in names.split("|"))


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"Expected `(?P<kind>[^`]+)`, got `(?P<got>[^`]+)`" + _PLACE),
        lambda found: f"{_field(found)} is {_kind(found['got'])}, and must be {_kind(found['kind'])}",
    ),
    (
        re.compile(r"Expected `(?P<kind>[^`]+)` (?P<sign>>=|<=|>|<) (?P<bound>[-\d.]+)" + _PLACE),
        lambda found: f"{_field(found)} must be {_kind(found['kind'])} of {_BOUNDS[found['sign']]} {found['bound']}",
    ),
    (
        re.compile(r"Expected `str` of length (?P<sign>>=|<=) (?P<bound>\d+)" + _PLACE),
        lambda found: f"{_field(found)} must be text of {_BOUNDS[found['sign']]} {found['bound']} characters",
    ),
    (
        re.compile(r"Expected `datetime` with a timezone component" + _PLACE),
        lambda found: f"{_field(found)} has no offset",
    ),
    (
        re.compile(r"Object missing required field `(?P<name>[^`]+)`" + _PLACE),
        lambda found: f"{'.'.join(filter(None, (found['place'], found['name'])))} is missing",
    ),
    (
        re.compile(r"Object contains unknown field `(?P<name>[^`]+)`" + _PLACE),
        lambda found: f"{'.'.join(filter(None, (found['place'], found['name'])))} is no field of such an event",
    ),
    (
        re.compile(r"Invalid (?:enum value|RFC3339 encoded datetime|value) ?(?P<value>'[^']*')?" + _PLACE),
        lambda found: f"{_field(found)} is not one of the values that it can have{_quoted(found)}",
    ),
)


def in_words(reason: str) -> str:
    """A reason of the engine, such as `invalid_event: Expected ...`, whose name stays in front."""
    name, colon, said = reason.partition(": ")
    for form, say in _FORMS:
        if found := form.fullmatch(said):
            return f"{name}{colon}{say(found)}"
    return reason


def _field(found: re.Match[str]) -> str:
    return found["place"] or "the event"


def _quoted(found: re.Match[str]) -> str:
    return f": {found['value']}" if found["value"] else ""
