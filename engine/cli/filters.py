"""The options that all commands with a list share, declared once: a command receives them as one object."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_type_hints

import typer

from connectors.client import DEFAULT_URL
from engine.cli import remote
from engine.core.errors import UsageError

KEYWORD = inspect.Parameter.KEYWORD_ONLY

Sku = Annotated[str | None, typer.Option(help="Only this SKU.")]
Location = Annotated[str | None, typer.Option(help="Only this location.")]
Status = Annotated[str | None, typer.Option(help="Only with this status.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, with every field.")]


@dataclass(frozen=True)
class Filters:
    """What a list shows, in which order, how much of it and how."""

    search: Annotated[str | None, typer.Option("--search", "-q", help="Only where a name holds this text.")] = None
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="Any other filter; FIELD.min and FIELD.max are bounds."),
    ] = None
    sort: Annotated[str | None, typer.Option(help="The field to order by; -FIELD for descending.")] = None
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100
    as_json: AsJson = False
    url: remote.Url = DEFAULT_URL

    def query(self, **named: str | None) -> list[tuple[str, str]]:
        """The query of the HTTP call: the command's own filters where they are given, then the shared ones.

        Raises:
            UsageError: a condition of `where` is not FIELD=VALUE.
        """
        given = {**named, "q": self.search, "sort": self.sort}
        pairs = [(name, value) for name, value in given.items() if value is not None]
        for condition in self.where or ():
            field, equals, value = condition.partition("=")
            if not (field and equals):
                raise UsageError(f"--where takes FIELD=VALUE, not {condition}")
            pairs.append((field, value))
        return pairs


def with_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command whose options are those of `command` and, after them, the fields of `Filters`.

    `command` receives the filters as its first argument. Typer reads the options from the signature, so the made
    command gets one that names them all.
    """
    _, *own = inspect.signature(command).parameters.values()
    types = get_type_hints(Filters, include_extras=True)
    shared = [inspect.Parameter(f.name, KEYWORD, default=f.default, annotation=types[f.name]) for f in fields(Filters)]
    parameters = [*(parameter.replace(kind=KEYWORD) for parameter in own), *shared]

    @functools.wraps(command)
    def made(**given: Any) -> None:
        filters = Filters(**{parameter.name: given.pop(parameter.name) for parameter in shared})
        command(filters, **given)

    vars(made)["__signature__"] = inspect.Signature(parameters)
    made.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return made
