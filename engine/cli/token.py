"""`stockline token`: make, list and revoke the tokens with which programs and people log in."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.access.last_used import LastUsed
from engine.access.principal import ROLES, Principal, Role
from engine.access.tokens import Token, TokenFile
from engine.cli import options, show
from engine.core.errors import UsageError
from engine.settings import load_access, load_settings

COLUMNS = ("id", "name", "roles", "limited_to", "expires", "last_used", "status")

token = typer.Typer(no_args_is_help=True, help="Tokens with which programs and people log in: make, list, revoke.")

Tokens = Annotated[
    Path | None, typer.Option(help="The file of tokens.", show_default="STOCKLINE_TOKENS, else DATA.tokens")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@token.command()
def create(
    name: Annotated[str, typer.Argument(help="Who logs in with it: what they do bears this name.")],
    role: Annotated[list[str], typer.Option(help=f"What they may do: {', '.join(ROLES)}; may be repeated.")],
    source: Annotated[str | None, typer.Option(help="Of an adapter: the only source of its events.")] = None,
    supplier: Annotated[str | None, typer.Option(help="Of a supplier: whose lines it sees.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="For how long.", show_default="for ever")] = None,
    tokens: Tokens = None,
    data: options.Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it: this once, for only a hash of it is kept."""
    principal = Principal(name, frozenset(map(_role, role)), source, supplier)
    path = _path(tokens, data)
    made, text = TokenFile(path).create(principal, days)
    if as_json:
        show.document({**_shown(made, {}), "token": text})
        return
    typer.echo(text)
    until = "for ever" if made.expires is None else f"until {made.expires:%Y-%m-%d}"
    show.remark(f"token {made.id} of {made.name} holds {until}, in {path}; it is not shown again")


@token.command("list")
def list_tokens(tokens: Tokens = None, data: options.Data = None, as_json: AsJson = False) -> None:
    """Show the tokens: whose they are, what they may do, until when, and when each was last used."""
    path = _path(tokens, data)
    used = LastUsed(path).read()
    show.rows([_shown(each, used) for each in TokenFile(path).all()], COLUMNS, as_json)


@token.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="ID", help="The id of a token, or a name for all of its tokens.")],
    tokens: Tokens = None,
    data: options.Data = None,
) -> None:
    """Revoke tokens: calls with them are refused at once, and what they have open ends within a minute."""
    for each in TokenFile(_path(tokens, data)).revoke(name):
        typer.echo(f"token {each.id} of {each.name} is revoked")


def _path(tokens: Path | None, data: Path | None) -> Path:
    return load_access(tokens=tokens).token_file(load_settings(data=data).data)


def _role(text: str) -> Role:
    for role in ROLES:
        if role == text:
            return role
    raise UsageError(f"--role is one of {', '.join(ROLES)}, not {text}")


def _shown(each: Token, used: dict[str, int]) -> dict[str, Any]:
    at = used.get(each.id)
    return {
        "id": each.id,
        "name": each.name,
        "roles": ",".join(each.roles),
        "limited_to": each.source or each.supplier,
        "expires": None if each.expires is None else each.expires.isoformat(),
        "last_used": None if at is None else datetime.fromtimestamp(at, UTC).isoformat(),
        "status": each.status(datetime.now(UTC)),
    }
