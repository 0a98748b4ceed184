"""The profile of a watched folder.

kind = "folder"
name = "acme"
path = "/srv/acme/in"                # on the server where there is `sftp`; here all are relative to the profile
ready = "stable"                     # a file is complete when it has not changed for `stable_seconds`
stable_seconds = 5

[sftp]                               # without it: a folder of this machine
host = "sftp.acme.example"
user = "stockline"
known_hosts = "known_hosts"
password = { env = "ACME_PASSWORD" } # or `key = { file = "id_ed25519" }`

[[files]]                            # the first pattern that fits a name
pattern = "*.csv"
profile = "acme-stock.toml"          # what `stockline send --profile` takes

[[files]]
pattern = "*.ndjson"
profile = "ndjson"
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from connectors.mapping.language import Declared
from connectors.mapping.paths import ProfilePath, beside_profile
from connectors.profiles import ConnectorProfile, Secret

FolderName = Annotated[str, Field(pattern=r"^[^/\\\x00-\x1f]{1,100}$")]


class Pattern(Declared):
    """Which files are read, by a pattern of the shell, and by which profile or format."""

    pattern: Annotated[str, Field(min_length=1)]
    profile: Annotated[str, Field(min_length=1)]

    @field_validator("profile")
    @classmethod
    def _is_beside(cls, profile: str, info: ValidationInfo) -> str:
        return str(beside_profile(Path(profile), info)) if profile.endswith(".toml") else profile


class Sftp(Declared):
    """An SFTP server. Its host key must be in `known_hosts`: a server that is not known is never spoken to."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    user: Annotated[str, Field(min_length=1)]
    known_hosts: ProfilePath
    password: Secret | None = None
    key: Secret | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.password is None) == (self.key is None):
            raise ValueError("the server is entered either with a `password` or with a `key`")
        return self


class PlaceProfile(ConnectorProfile):
    """Where files are: the folder `path`, on the server where there is `sftp`, else beside the profile."""

    sftp: Sftp | None = None
    path: Annotated[str, Field(min_length=1)]

    @field_validator("path")
    @classmethod
    def _is_beside(cls, path: str, info: ValidationInfo) -> str:
        # A folder of the server has nothing to do with where the profile lies.
        return path if info.data.get("sftp") is not None else str(beside_profile(Path(path), info))


class Profile(PlaceProfile):
    """The profile of a folder; see the module's example."""

    files: Annotated[tuple[Pattern, ...], Field(min_length=1)]
    order: Literal["name", "time"] = "name"
    ready: Literal["stable", "renamed", "marker"] = "stable"
    stable_seconds: Annotated[float, Field(ge=0, le=3600)] = 5
    marker: Annotated[str, Field(pattern=r"^\.[A-Za-z0-9._-]{1,20}$")] = ".done"
    after: Literal["archive", "keep"] = "archive"
    archive: FolderName = "archive"
    rejected: FolderName = "rejected"

    @field_validator("archive", "rejected")
    @classmethod
    def _is_a_folder_below(cls, name: str) -> str:
        if name in (".", ".."):
            raise ValueError("a folder within the folder that is watched")
        return name
