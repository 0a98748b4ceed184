"""A change: the state of one row, signal or alert, with a name for that state that is the same however it was found."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from connectors.base import JsonObject
from engine.core.errors import EnvironmentFailure
from engine.core.topics import OUTPUT_TOPICS, Topic

Table = Topic
TABLES: Final[tuple[Table, ...]] = tuple(name for name, declared in OUTPUT_TOPICS.items() if declared.streamed)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATUSES: Final = ("open", "acknowledged", "resolved")
_TABLE_OF: Final[dict[str, Table]] = {kind: name for name in TABLES for kind in OUTPUT_TOPICS[name].kinds}


@dataclass(frozen=True)
class Change:
    """The state of a thing: its table and key, what its state is called, and its fields as the contract has them.

    `version` orders the states of one key: the higher is the later.
    """

    table: Table
    key: str
    version: int
    data: JsonObject

    @property
    def id(self) -> str:
        """The name of this state: the idempotency key of who is told of it."""
        return f"{self.key}/{self.version}"

    @property
    def location(self) -> str:
        """The location of its row."""
        return str(self.data["location"])

    @property
    def type(self) -> str:
        """What happened, as a type of the contract's outputs; it follows from the state alone."""
        if self.table == "positions":
            return "position.changed"
        status = self.data["status"]
        if self.table == "alerts":
            is_new = status == "open" and self.data["opened"] == self.data["updated"]
            return "alert.resolved" if status == "resolved" else "alert.opened" if is_new else "alert.updated"
        if status in ("withdrawn", "open", "accepted"):
            is_new = status == "open" and self.data["revision"] == 1
            return "signal.withdrawn" if status == "withdrawn" else "signal.opened" if is_new else "signal.amended"
        return "signal.closed"


def change_of(table: Table, data: JsonObject) -> Change:
    """The change that a row of a list or the data of an output tell. Raises `EnvironmentFailure` for neither."""
    try:
        if table == "positions":
            return Change(table, f"{data['sku']}@{data['location']}", int(data["version"]), data)
        version = int(data["revision"]) if table == "signals" else _version_of_alert(data)
        return Change(table, str(data["id"]), version, data)
    except (KeyError, ValueError) as error:
        raise EnvironmentFailure(f"a row of {table} cannot be read ({error}); is this a Stockline engine?") from None


def table_of(kind: str) -> Table | None:
    """The table of an output by its type, such as `signal.opened`; None for a type that is told nowhere."""
    return _TABLE_OF.get(kind)


def _version_of_alert(data: JsonObject) -> int:
    """An alert has no revision: it is ordered by the microsecond of its change, and within it by its status."""
    since = datetime.fromisoformat(data["updated"]) - _EPOCH
    return since // timedelta(microseconds=1) * len(_STATUSES) + _STATUSES.index(data["status"])
