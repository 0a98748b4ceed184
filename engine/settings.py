"""Settings of one Stockline process: from arguments, else from the environment (`STOCKLINE_...`), else defaults."""

import re
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.core.errors import UsageError
from engine.core.rules import Rules

_BROKER = re.compile(r"([^\s:,\[\]]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
"""A host name or an address (IPv6 in brackets), and a port, by default 9092."""
_SERVER = re.compile(r"https?://[^\s/?#@]+[^\s?#]*")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

ClockMode = Literal["wall", "log"]
Loaded = TypeVar("Loaded", bound=BaseSettings)


class Settings(BaseSettings):
    """The settings of every process; each field is also an environment variable such as `STOCKLINE_PORT`."""

    model_config = SettingsConfigDict(env_prefix="STOCKLINE_", frozen=True, extra="forbid")

    data: Path = Field(Path("stockline-data"), description="the data directory; on Kafka it holds caches only")
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="the port to listen on; 0 takes a free one")
    insecure: bool = Field(False, description="listen beyond this machine, although callers do not log in")
    tls_certificate: Path | None = Field(
        None, description="a PEM file: the certificate of this server, then those up to its authority; serves HTTPS"
    )
    tls_key: Path | None = Field(None, description="a PEM file: the key of that certificate")
    clock: ClockMode = Field("wall", description="`log`: now is the latest event time seen")
    partitions: int | None = Field(
        None, ge=1, le=1024, description="number of partitions; without it what the log has, else 8"
    )
    memory_mib: int = Field(512, ge=16, le=1 << 20, description="memory for rows, in MiB")
    body_limit_mib: int = Field(16, ge=1, le=1024, description="the longest HTTP body, in MiB")
    duplicate_days: int = Field(
        7, ge=1, le=3650, description="for how many days of arrival a repeated event is recognised"
    )
    retention_days: int | None = Field(
        None, ge=1, le=3650, description="for how many days events and outputs are kept; without it for ever"
    )
    movement_window_hours: int = Field(
        48, ge=1, le=24 * 90, description="for how many hours of event time a row keeps its movements"
    )

    supplier_sharing: Path | None = Field(
        None, description="a file that says which forecasts are shared with which supplier; without it none is"
    )

    @model_validator(mode="after")
    def _keep_what_tells_repeats(self) -> Self:
        if self.retention_days is not None and self.retention_days <= self.duplicate_days:
            raise ValueError(
                f"retention_days is {self.retention_days} and must be more than duplicate_days, {self.duplicate_days}: "
                "an event's name goes with its record"
            )
        return self

    @model_validator(mode="after")
    def _have_both_for_https(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError(
                "HTTPS needs both: --tls-certificate or STOCKLINE_TLS_CERTIFICATE, and --tls-key or STOCKLINE_TLS_KEY"
            )
        return self

    @property
    def on_this_machine(self) -> bool:
        """Whether only this machine reaches the address to listen on."""
        return self.host in LOOPBACK

    @property
    def body_limit(self) -> int:
        """The longest HTTP body taken, in bytes."""
        return self.body_limit_mib * 1024 * 1024

    def rules(self, clock: ClockMode) -> Rules:
        """The rules of the fold that these settings ask for, with `clock` (Kafka has the wall clock only)."""
        return Rules(clock=clock, movement_window_hours=self.movement_window_hours, duplicate_days=self.duplicate_days)


class AccessSettings(BaseSettings):
    """Who may call a process; each field is also an environment variable such as `STOCKLINE_TOKENS`.

    A secret comes from the environment or from the file that `STOCKLINE_..._FILE` names, never from the command line.
    """

    model_config = SettingsConfigDict(env_prefix="STOCKLINE_", frozen=True, extra="forbid")

    tokens: Path | None = Field(
        None, description="the file of tokens; callers log in. Beyond this machine by default DATA.tokens"
    )
    public_url: str | None = Field(
        None,
        description="the address that callers use where a proxy stands before, such as `https://stock.example.com`",
    )
    calls_per_second: float = Field(100, ge=1, description="how often one login may call; twice as many at once")
    calls_at_once: int = Field(64, ge=1, description="how many calls of one login may run, streams among them")
    session_hours: float = Field(12, gt=0, le=720, description="how long a login in a browser lasts")
    session_secret: SecretStr | None = Field(
        None, description="signs sessions, at least 32 characters; without it a new one at each start"
    )
    session_secret_file: Path | None = Field(None, description="a file that holds it")
    oidc_issuer: str | None = Field(None, description="the URL of an OpenID provider; callers log in")
    oidc_client_id: str | None = Field(None, description="what the provider calls this service")
    oidc_client_secret: SecretStr | None = Field(None, description="the secret of this service at the provider")
    oidc_client_secret_file: Path | None = Field(None, description="a file that holds it")
    oidc_audience: str | None = Field(None, description="the `aud` of bearer tokens; without it the client id")
    oidc_name_claim: str = Field("preferred_username", description="the claim with the name; without it `sub`")
    oidc_roles_claim: str = Field("roles", description="the claim with the roles, such as `realm_access.roles`")
    oidc_roles: dict[str, str] = Field(
        {}, description='JSON: what the claim says -> our role, `{"stock-planners": "planner"}`; empty: our roles'
    )
    oidc_supplier_claim: str = Field("supplier", description="the claim with the supplier of a supplier")
    oidc_source_claim: str = Field("source", description="the claim with the `source` of an adapter")

    @field_validator("public_url", "oidc_issuer")
    @classmethod
    def _name_a_server(cls, url: str | None) -> str | None:
        if url is not None and not _SERVER.match(url):
            raise ValueError(f"{url!r} is not an address such as https://stock.example.com")
        return url

    @field_validator("public_url")
    @classmethod
    def _name_an_origin(cls, url: str | None) -> str | None:
        """The pages are at the root of a server, and a browser tells an origin without a slash behind it."""
        origin = url and url.rstrip("/")
        if origin and origin.count("/") > 2:
            raise ValueError(f"{url!r} has a path: the pages need a host name of their own")
        return origin

    @model_validator(mode="after")
    def _know_the_client(self) -> Self:
        if self.oidc_issuer is not None and self.oidc_client_id is None:
            raise ValueError("an OpenID provider needs STOCKLINE_OIDC_CLIENT_ID, what it calls this service")
        return self

    def secret(self, name: Literal["session_secret", "oidc_client_secret"]) -> str | None:
        """A secret from the environment or its file; raises UsageError if the file cannot be read."""
        return _secret(self, name)

    def token_file(self, data: Path) -> Path:
        """Where the tokens are: in the file that is named, or beside the data directory."""
        return self.tokens or data.with_name(data.name + ".tokens")


class KafkaSettings(BaseSettings):
    """The settings of a process on Kafka; each field is also an environment variable such as `STOCKLINE_KAFKA`.

    A secret comes from the environment or from the file that `STOCKLINE_..._FILE` names, never from the command line.
    """

    model_config = SettingsConfigDict(env_prefix="STOCKLINE_", frozen=True, extra="forbid")

    kafka: str = Field(description="HOST:PORT of one or more brokers, with commas between")
    group: str = Field("stockline", min_length=1, description="the consumer group, and the prefix of transactional ids")
    partitions: int | None = Field(
        None, ge=1, le=1024, description="partitions of new topics; without it what the topics have, else 8"
    )
    replication: int | None = Field(
        None, ge=1, description="replicas of new topics; without it 3, or one per broker if there are fewer"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how connections are secured"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="how SASL proves who this is"
    )
    username: str | None = Field(None, description="the user name for SASL")
    password: SecretStr | None = Field(None, description="the password for SASL")
    password_file: Path | None = Field(None, description="a file that holds the password")
    ca_file: Path | None = Field(None, description="a PEM file: the authority that signed the brokers' certificates")
    cert_file: Path | None = Field(None, description="a PEM file: the certificate of this client, for mTLS")
    key_file: Path | None = Field(None, description="a PEM file: the key of that certificate")
    key_password: SecretStr | None = Field(None, description="the password of the key")
    key_password_file: Path | None = Field(None, description="a file that holds the key's password")
    request_timeout_ms: int = Field(15_000, ge=1_000, description="how long a broker may take to answer, in ms")
    session_timeout_ms: int = Field(8_000, ge=1_000, description="how long a silent worker keeps its partitions, in ms")
    transaction_timeout_ms: int = Field(30_000, ge=1_000, description="how long a transaction may stay open, in ms")
    fetch_bytes: int = Field(1 << 20, ge=1 << 10, description="bytes of one partition in one fetch")
    batch_bytes: int = Field(1 << 20, ge=1 << 14, le=16 << 20, description="bytes of one batch of records that is sent")
    compression: Literal["lz4", "zstd", "gzip", "snappy"] | None = Field(
        None, description="compression of what is written; without it none"
    )
    max_commit_interval_ms: int = Field(
        100, ge=0, le=10_000, description="time between two commits of a partition under load, in ms"
    )
    commit_records: int = Field(4_000, ge=1, description="the most events in one commit")

    @field_validator("kafka")
    @classmethod
    def _name_brokers(cls, brokers: str) -> str:
        for broker in brokers.split(","):
            if not _BROKER.fullmatch(broker):
                raise ValueError(f"{broker!r} is not HOST:PORT of a broker")
        return brokers

    @model_validator(mode="after")
    def _have_what_the_protocol_needs(self) -> Self:
        if self.security_protocol.startswith("SASL") and not (self.username and (self.password or self.password_file)):
            raise ValueError(
                f"{self.security_protocol} needs STOCKLINE_USERNAME and STOCKLINE_PASSWORD or STOCKLINE_PASSWORD_FILE"
            )
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("mTLS needs both STOCKLINE_CERT_FILE and STOCKLINE_KEY_FILE")
        if self.session_timeout_ms > self.request_timeout_ms:
            raise ValueError("session_timeout_ms is at most request_timeout_ms")
        return self

    def secret(self, name: Literal["password", "key_password"]) -> str | None:
        """A secret from the environment or its file; raises UsageError if the file cannot be read."""
        return _secret(self, name)


def shown(*settings: BaseSettings) -> dict[str, object]:
    """What a process runs with, by setting, JSON-ready; of a secret only whether it is set can be seen."""
    return {name: value for each in settings for name, value in each.model_dump(mode="json").items()}


def _secret(settings: BaseSettings, name: str) -> str | None:
    given: SecretStr | None = getattr(settings, name)
    if given is not None:
        return given.get_secret_value()
    path: Path | None = getattr(settings, f"{name}_file")
    try:
        return None if path is None else path.read_text().rstrip("\n")
    except OSError as error:
        raise UsageError(f"STOCKLINE_{name.upper()}_FILE: {error}") from None


def load_settings(**given: Any) -> Settings:
    """The settings with the values `given` (None is not given); raises UsageError that names each fault."""
    return _load(Settings, given)


def load_kafka(**given: Any) -> KafkaSettings:
    """The settings of a process on Kafka, loaded in the same way."""
    return _load(KafkaSettings, given)


def load_access(**given: Any) -> AccessSettings:
    """Who may call a process, loaded in the same way."""
    return _load(AccessSettings, given)


def _load(kind: type[Loaded], given: dict[str, Any]) -> Loaded:
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise UsageError("; ".join(_sentence(kind, fault) for fault in error.errors())) from None


def _sentence(kind: type[BaseSettings], fault: Any) -> str:
    message: str = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return message
    name = str(fault["loc"][0])
    variable = f"STOCKLINE_{name.upper()}"
    if fault["type"] == "missing":
        option = f"--{name.replace('_', '-')}"
        return f"{option} is missing and {variable} is not set: give {kind.model_fields[name].description}"
    if fault["type"] in _FAULTS:
        message = f"{fault['input']!r} is not taken: {_FAULTS[fault['type']].format(**fault.get('ctx', {}))}"
    return f"{name} ({variable}): {message}"


_FAULTS = {
    "int_parsing": "a whole number is needed",
    "int_type": "a whole number is needed",
    "bool_parsing": "true or false is needed",
    "greater_than_equal": "at least {ge} is needed",
    "less_than_equal": "at most {le} is possible",
    "literal_error": "it is one of {expected}",
}
"""Our sentence for a kind of fault; other faults keep the sentence of the library."""
