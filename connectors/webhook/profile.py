"""The profile of a webhook connector: what it takes in, and who is told what.

kind = "webhook"
name = "partners"

[listen]
port = 8090
keys = [{ id = "2026-01", secret = { env = "PARTNER_KEY" } }]

[[subscribers]]
name = "shop"
url = "https://shop.example.org/stock"
key = { id = "2026-01", secret = { file = "shop.key" } }
types = ["position.changed", "alert.opened"]
locations = ["LDS"]
atp = true
"""

from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from connectors.epcis.reading import EpcisReading
from connectors.mapping.language import Declared, TimeColumns
from connectors.mapping.reading import DocumentReading
from connectors.profiles import ConnectorName, ConnectorProfile
from connectors.webhook.signing import Key

OutputType = Literal[
    "position.changed",
    "signal.opened", "signal.amended", "signal.withdrawn", "signal.closed",
    "alert.opened", "alert.updated", "alert.resolved",
]  # fmt: skip
NOWHERE = TimeColumns(columns=("@none",))
"""A JSON document of a webhook has no time but its own."""


class Reading(DocumentReading):
    """What comes in: CloudEvents, with rules where the types are foreign, or JSON documents with rules."""

    format: Literal["json", "cloudevents"] = "cloudevents"

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.format == "json" and not (self.rules and self.id and self.time):
            raise ValueError('documents of the format "json" need `rules`, and `id` and `time` of their own')
        given = self.model_fields_set - {"format", "rules"}
        if not self.rules and given:
            raise ValueError(f"{', '.join(sorted(given))}: only what has rules is translated")
        if self.rules:
            self.reading("unnamed", "{@none}", NOWHERE)
        return self


class Listen(Declared):
    """Where the listener is, whom it believes, what it reads, and how much it takes at once.

    `unsigned` is possible on this machine's own address only. `answer_seconds` is how long a sender waits for its
    events to be durable; then it is told to come again. `max_waiting_bytes` bounds the bodies that wait for the engine.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8090
    path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$")] = "/events"
    keys: tuple[Key, ...] = ()
    unsigned: bool = False
    window_seconds: Annotated[float, Field(gt=0, le=3600)] = 300
    origins: tuple[str, ...] = ()
    reading: Reading = Reading()
    epcis: EpcisReading | None = None
    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 4 * 1024 * 1024
    max_waiting_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024
    max_connections: Annotated[int, Field(ge=1, le=10_000)] = 200
    body_seconds: Annotated[float, Field(gt=0, le=600)] = 20
    answer_seconds: Annotated[float, Field(gt=0, le=600)] = 30

    @model_validator(mode="after")
    def _believes_somebody(self) -> Self:
        if bool(self.keys) == self.unsigned:
            raise ValueError("a listener has `keys`, or says `unsigned = true`")
        if self.unsigned and not _is_loopback(self.host):
            raise ValueError("`unsigned` is for this machine's own address only; give it `keys`")
        ids = [key.id for key in self.keys]
        if len(set(ids)) != len(ids):
            raise ValueError("two keys have the same id")
        return self


class Subscriber(Declared):
    """Who is told: every change of the `types` at the `locations` (none: all), with available to promise if `atp`.

    A notification that fails is tried again with back-off, from `first_pause_seconds` up to `longest_pause_seconds`,
    `attempts` times in all; then it is a dead letter. `parallel` counts how many rows are told at once.
    """

    name: ConnectorName
    url: str
    key: Key
    types: Annotated[tuple[OutputType, ...], Field(min_length=1)]
    locations: tuple[str, ...] = ()
    atp: bool = False
    attempts: Annotated[int, Field(ge=1, le=100)] = 12
    first_pause_seconds: Annotated[float, Field(gt=0, le=3600)] = 1
    longest_pause_seconds: Annotated[float, Field(gt=0, le=86400)] = 300
    timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 10
    parallel: Annotated[int, Field(ge=1, le=32)] = 4

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
            raise ValueError("a subscriber's url is http or https, with a host and without a user or a fragment")
        return url


class Profile(ConnectorProfile):
    """The profile of a webhook connector; see the module's example. A round ends after `linger_seconds` of quiet."""

    kind: Literal["webhook"]
    interval_seconds: Annotated[float, Field(gt=0, le=86400)] = 0.1
    linger_seconds: Annotated[float, Field(gt=0, le=60)] = 2
    listen: Listen | None = None
    subscribers: tuple[Subscriber, ...] = ()

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.listen is None and not self.subscribers:
            raise ValueError("a webhook connector has `listen`, or `subscribers`, or both")
        names = [subscriber.name for subscriber in self.subscribers]
        if len(set(names)) != len(names):
            raise ValueError("two subscribers have the same name")
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
