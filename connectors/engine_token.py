"""The token with which commands and connectors call an engine that asks for a login."""

import os
from collections.abc import Callable
from pathlib import Path

from connectors.redaction import remember
from engine.core.errors import UsageError

TokenSource = Callable[[], str | None]
"""Where a token is kept: asked for when it is needed, so that a missing one stops only who needs it."""
TOKEN, TOKEN_FILE = "STOCKLINE_TOKEN", "STOCKLINE_TOKEN_FILE"


def token_of_environment() -> str | None:
    """The token of `STOCKLINE_TOKEN`, or of the file that `STOCKLINE_TOKEN_FILE` names; None without either.

    It never comes from an argument, which every user of the machine sees in the list of processes. Raises UsageError if
    the file cannot be read.
    """
    token, file = os.environ.get(TOKEN), os.environ.get(TOKEN_FILE)
    if not token and file:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the token in {file} ({TOKEN_FILE}): {error}") from None
    if not token:
        return None
    remember(token)
    return token


def token_header(token: str | None) -> dict[str, str]:
    """The header of every call; raises UsageError if the token is not one word, as one with a line end is."""
    if token is None:
        return {}
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("the token for the engine is not one word of ASCII letters, digits and signs")
    return {"Authorization": f"Bearer {token}"}
