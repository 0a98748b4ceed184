"""What every connector's profile says, whatever its kind, and where its secrets come from.

    kind = "tryton"                    # the connector, a name of `connectors.catalogue`
    name = "erp"                       # of this one: its positions, metrics and default source; it stays for ever
    engine = "http://127.0.0.1:8080"
    engine_token = { file = "token" }  # where the engine asks for a login; else STOCKLINE_TOKEN of the environment
    interval_seconds = 30              # between two rounds
    identifiers = "identifiers.csv"    # relative to the profile; or a table, see `IdentifierTable`
    names_are_ours = ["item"]          # kinds of which a partner without any mapping uses our names
    password = { env = "ERP_PASSWORD" }   # a secret comes from the environment or a file, never from the profile

A secret that is missing ends the start of the connector with the name of the variable or the file.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from connectors.client import DEFAULT_URL, EngineClient, Patience
from connectors.engine_token import token_of_environment
from connectors.mapping.language import Declared
from connectors.mapping.paths import ProfilePath
from connectors.redaction import remember
from engine.core.errors import EnvironmentFailure, UsageError

IdentifierKind = Literal["item", "location", "supplier", "unit"]
TableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$")]
ConnectorName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


def _without_a_login(url: str) -> str:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user and a password do not belong into an address: a secret comes from `env` or `file`")
    return url


Address = Annotated[str, AfterValidator(_without_a_login)]
"""An address without a user and a password, as it is shown in errors and logs."""


class Unreachable(EnvironmentFailure):
    """The other system did not answer, or answered that it cannot now: the host tries again, with back-off."""


class Secret(Declared):
    """Where a secret is kept. Its value never enters a profile, a log line, an error or a report."""

    env: str | None = None
    file: ProfilePath | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_a_place(cls, given: object) -> object:
        if isinstance(given, str):
            raise ValueError('a secret is never in the profile: say { env = "VARIABLE" } or { file = "path" }')
        return given

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret has either `env`, the name of a variable, or `file`, the path of a file")
        return self

    def reveal(self) -> str:
        """The secret itself, without the line end of its file. Raises `UsageError` where there is none."""
        value = self._from_environment(self.env) if self.env is not None else self._from_file(self.file)
        remember(value)
        return value

    @staticmethod
    def _from_environment(variable: str) -> str:
        if not (value := os.environ.get(variable)):
            raise UsageError(f"the variable {variable} holds no secret: set it in the environment")
        return value

    @staticmethod
    def _from_file(file: Path | None) -> str:
        assert file is not None
        try:
            value = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise UsageError(f"cannot read the secret in {file}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UsageError(f"the secret in {file} is not text in UTF-8") from None
        if not value:
            raise UsageError(f"the file {file} holds no secret")
        return value


class DatabaseServer(Declared):
    """Where a PostgreSQL is, and who reads or writes it."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    database: Annotated[str, Field(min_length=1)]
    user: Annotated[str, Field(min_length=1)]
    password: Secret | None = None
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 60


class IdentifierTable(Declared):
    """The identifiers as a table or view with the columns partner, kind, theirs and ours, instead of a file."""

    table: TableName
    server: DatabaseServer


def _is_table(value: object) -> str:
    return "a table" if isinstance(value, dict | IdentifierTable) else "a file"


Where = Annotated[
    Annotated[ProfilePath, Tag("a file")] | Annotated[IdentifierTable, Tag("a table")], Discriminator(_is_table)
]
"""Where the identifiers are."""


class ConnectorProfile(Declared):
    """What every connector's profile says; each kind adds keys of its own."""

    kind: str
    name: ConnectorName
    source: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    engine: Address = DEFAULT_URL
    engine_token: Secret | None = None
    interval_seconds: Annotated[float, Field(gt=0, le=86400)] = 30
    identifiers: Where | None = None
    names_are_ours: frozenset[IdentifierKind] = frozenset()

    def client(self, patience: Patience | None = None) -> EngineClient:
        """A client of its engine, with the token that the profile names, else with that of the environment."""
        token = token_of_environment if self.engine_token is None else self.engine_token.reveal
        return EngineClient(self.engine, patience, token)

    @property
    def event_source(self) -> str:
        """The CloudEvents `source` of its events: `source`, by default the kind and the name."""
        return self.source or f"{self.kind}/{self.name}"
