"""Settings of one Stockline process: from arguments, else from the environment (`STOCKLINE_...`), else defaults."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.core.errors import UsageError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

ClockMode = Literal["wall", "log"]


class Settings(BaseSettings):
    """What a process may be told; every field is also an environment variable such as `STOCKLINE_PORT`."""

    model_config = SettingsConfigDict(env_prefix="STOCKLINE_", frozen=True, extra="forbid")

    data: Path = Field(Path("stockline-data"), description="the directory of the log and its tables")
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="the port to listen on; 0 takes a free one")
    insecure: bool = Field(False, description="listen beyond this machine although nobody is asked who they are")
    clock: ClockMode = Field("wall", description="`log`: now is the latest event time seen")
    partitions: int | None = Field(None, ge=1, le=1024, description="of the log; without one what it has, or 8")
    memory_mib: int = Field(512, ge=16, le=1 << 20, description="memory for rows")
    body_limit_mib: int = Field(16, ge=1, le=1024, description="the longest HTTP body taken")
    duplicate_days: int = Field(7, ge=1, le=3650, description="how long an event's name is remembered")
    movement_window_hours: int = Field(48, ge=1, le=24 * 90, description="how long a row keeps its movements")

    @model_validator(mode="after")
    def _stay_on_this_machine(self) -> Self:
        if self.host not in LOOPBACK and not self.insecure:
            raise ValueError(
                f"refusing to listen on {self.host}: there is no authentication, so every machine that reaches "
                "this address could read and write; use 127.0.0.1, or say --insecure to do it all the same"
            )
        return self

    @property
    def body_limit(self) -> int:
        """The longest HTTP body taken, in bytes."""
        return self.body_limit_mib * 1024 * 1024


def load(**given: Any) -> Settings:
    """The settings with what was `given` (None is not given), or UsageError with a line for each fault."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise UsageError("; ".join(map(_sentence, error.errors()))) from None


def _sentence(fault: Any) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: {message}" if place else message
