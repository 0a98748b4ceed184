"""What a profile of kind `database` says.

    kind = "database"
    name = "erp"

    [server]
    host = "127.0.0.1"
    database = "erp"
    user = "stockline"
    password = { env = "ERP_DATABASE_PASSWORD" }

    [[tables]]                          # read: each row of a table or view is an event
    name = "outbox"                     # of its position; it stays for ever
    table = "public.stockline_outbox"
    key = ["id"]                        # what tells its rows apart
    transaction_column = "written_by"   # of type xid8: the transaction that wrote the row
    event_column = "event"              # holds a whole event; or rules say what the columns mean

    [[tables]]
    name = "moves"
    table = "stock_moves_view"
    key = ["move_id"]
    changed_column = "changed_at"       # a view has no transactions: read again what changed a while ago
    overlap_seconds = 600
    [tables.reading]                    # as in a profile of CSV files
    id = "{move_id}-{state}"
    time = { columns = ["changed_at"] }
    [[tables.reading.rules]]
    type = "stock.adjusted"
    data = { sku = { column = "item" }, location = "LDS", qty = { column = "qty", as = "integer" }, reason = "moved" }

    [publish]                           # written: positions, signals and alerts, in a schema of the connector's own
    schema = "stockline"
    create = true                       # else `stockline connectors check` prints what an administrator runs
    kafka = "127.0.0.1:9092"            # of a cluster: its topics are read; otherwise the engine's lists and stream

A name of a table or column is one of SQL without quotes: letters, digits, underscores, and a point after the schema.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.mapping.language import Declared, Reading
from connectors.profiles import ConnectorName, ConnectorProfile, DatabaseServer, TableName

ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]

DEFAULT_OVERLAP_SECONDS = 600.0


class RowReading(Reading):
    """What the columns mean; without a `source` it is the connector's."""

    source: Annotated[str, Field(max_length=256)] = ""


class TableProfile(Declared):
    """One table or view that is read."""

    name: ConnectorName
    table: TableName
    key: Annotated[tuple[ColumnName, ...], Field(min_length=1, max_length=8)]
    transaction_column: ColumnName | None = None
    changed_column: ColumnName | None = None
    overlap_seconds: Annotated[float, Field(ge=0, le=30 * 86400)] = DEFAULT_OVERLAP_SECONDS
    event_column: ColumnName | None = None
    reading: RowReading | None = None
    page: Annotated[int, Field(ge=1, le=10_000)] = 1000

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.transaction_column is None) == (self.changed_column is None):
            raise ValueError("a table has either `transaction_column` or `changed_column`, by which new rows are found")
        if (self.event_column is None) == (self.reading is None):
            raise ValueError("a table has either `event_column` or `reading`, by which a row is an event")
        return self


class PublishProfile(Declared):
    """The schema whose tables the sink keeps."""

    into: Annotated[str, Field(alias="schema", pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "stockline"
    create: bool = False
    kafka: str | None = None


class Profile(ConnectorProfile):
    """A PostgreSQL: the tables that are read, and whether the engine's rows are published into it."""

    kind: Literal["database"]
    server: DatabaseServer
    tables: tuple[TableProfile, ...] = ()
    publish: PublishProfile | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.tables and self.publish is None:
            raise ValueError("a profile has `tables` to read, or `publish`")
        names = [table.name for table in self.tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)}: two tables of one name")
        return self
