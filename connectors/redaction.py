"""The second line of defence for secrets: a secret that was revealed in this process is blotted out of texts.

The first line is that a `connectors.profiles.Secret` holds the place of a secret and never its value. A library may
still put a password into the text of its error, so what goes into logs, reports and standard error passes here.
"""

import logging
from typing import Final
from urllib.parse import quote

HIDDEN: Final = "[secret]"
SHORTEST = 4
"""A shorter secret would blot out parts of ordinary words."""

_revealed: Final[set[str]] = set()


def remember(secret: str) -> None:
    """Blot out this secret from now on, also as it is written in a URL."""
    if len(secret) >= SHORTEST:
        _revealed.update({secret, quote(secret, safe=""), quote(secret)})


def redacted(text: str) -> str:
    """The text without any secret that was revealed; the longest go first, for one may hold another."""
    for secret in sorted(_revealed, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


class Redacting(logging.Formatter):
    """Formats log records, tracebacks too, as another formatter does, and blots out secrets."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The text of the record without secrets."""
        return redacted(self._inner.format(record))


def redact_logs() -> None:
    """Let every handler of the root logger blot out secrets; safe to call again."""
    for handler in logging.getLogger().handlers:
        inner = handler.formatter or logging.Formatter()
        handler.setFormatter(inner if isinstance(inner, Redacting) else Redacting(inner))
