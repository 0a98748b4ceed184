"""The far side of a database: an outbox in a real PostgreSQL, whose login needs a password."""

import atexit
import os
from functools import cache
from typing import Self

import pytest

from tests.connectors.harness import FarSide
from tests.real.kafka import Missing
from tests.real.postgres import Postgres

OUTBOX = """
DROP TABLE IF EXISTS outbox;
CREATE TABLE outbox (
    id int PRIMARY KEY, item text, qty text, counted timestamptz DEFAULT '2026-03-02T08:00:00Z',
    written_by xid8 NOT NULL DEFAULT pg_current_xact_id()
)
"""
VARIABLE, SECRET = "FAR_DATABASE_PASSWORD", "never-to-be-seen-4711"


@cache
def server() -> Postgres:
    """One server for all tests of this process; it ends with it."""
    made = Postgres().start()
    atexit.register(made.__exit__, None, None, None)
    return made


class Outbox(FarSide):
    kind = "database"
    secret = SECRET

    async def __aenter__(self) -> Self:
        try:
            postgres = server()
        except Missing as missing:
            pytest.skip(f"no PostgreSQL: {missing}")
        os.environ[VARIABLE] = SECRET
        postgres.sql(OUTBOX)
        for number in range(8):
            postgres.sql("INSERT INTO outbox VALUES (%s, %s, %s)", number, f"SKU-{number}", str(10 + number))
        self._reads({})
        return self

    def _reads(self, spelled: dict[str, int]) -> None:
        """A profile that knows these quantities as words beside those in figures."""
        login = {"port": server().port, "database": "postgres", "user": "postgres", "password": {"env": VARIABLE}}
        counted = {"sku": {"column": "item"}, "location": "LDS"}
        figures = {"type": "stock.counted", "data": counted | {"qty": {"column": "qty", "as": "integer"}}}
        words = {"type": "stock.counted", "data": counted | {"qty": {"column": "qty", "map": spelled}}}
        rules = [{**words, "when": {"qty": list(spelled)}}, figures] if spelled else [figures]
        reading = {"id": "{id}", "time": {"columns": ["counted"]}, "rules": rules}
        table = {"name": "outbox", "table": "outbox", "key": ["id"], "transaction_column": "written_by", "page": 3}
        self.keys = {"server": login, "tables": [table | {"reading": reading}]}

    async def spoil(self) -> None:
        server().sql("INSERT INTO outbox VALUES (-1, 'SKU-X', 'ten')")

    async def mend(self) -> None:
        self._reads({"ten": 10})

    async def leave(self) -> None:
        server().kill()

    async def come_back(self) -> None:
        server().start()
