"""Fills the templates of a profile: pure, and by structure, so that no value can break out of its place.

A text that is nothing but a name in braces takes the value with its type; where that is None the parameter is left out.
`{name:int}` is a whole number. A list `[{each = template}]` holds the template once for each line.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connectors.base import Json
from engine.core.errors import UsageError

Values = Mapping[str, object]
_NAME = re.compile(r"\{([a-z_][a-z0-9_]*)(:int)?\}")


def filled(template: Json, values: Values, lines: Sequence[Values] = ()) -> Json:
    """A JSON value of a template. Raises `UsageError` for a name that has no value here."""
    if isinstance(template, str):
        return _text(template, values)
    if isinstance(template, dict):
        found = {key: filled(part, values, lines) for key, part in template.items()}
        return {key: value for key, value in found.items() if value is not None or template[key] is None}
    if isinstance(template, list):
        if len(template) == 1 and isinstance(template[0], dict) and template[0].keys() == {"each"}:
            return [filled(template[0]["each"], {**values, **line}) for line in lines]
        return [filled(part, values, lines) for part in template]
    return template


def filled_path(template: str, values: Values) -> str:
    """A path of a template; a value in it is one segment or a part of one."""
    return _NAME.sub(lambda found: quote(str(_value(found, values)), safe=""), template)


def filled_query(template: Mapping[str, str], values: Values) -> dict[str, str]:
    """The parameters of a query; those without a value are left out."""
    found = {name: _text(part, values) for name, part in template.items()}
    return {name: str(value) for name, value in found.items() if value is not None}


def _text(template: str, values: Values) -> Any:
    if whole := _NAME.fullmatch(template):
        return _value(whole, values)
    return _NAME.sub(lambda found: "" if (value := _value(found, values)) is None else str(value), template)


def _value(found: re.Match[str], values: Values) -> object:
    name, is_int = found.groups()
    if name not in values:
        raise UsageError(f"a template names {{{name}}}; there are {', '.join(sorted(values))}")
    value = values[name]
    if not is_int or value is None:
        return value
    try:
        return int(str(value))
    except ValueError:
        raise UsageError(f"a template needs a whole number for {{{name}}}, not {value!r}") from None
