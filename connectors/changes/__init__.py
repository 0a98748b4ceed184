"""Every change of positions, signals and alerts, for sinks that keep another system true to the engine.

A change is told at least once, and the newest state of each row last. At first all rows are listed and compared with
what the reader already has; then the live stream tells what changes, and goes on where it was after a lost connection,
so that nothing is missed. A reader that is slower than the changes gets the newest state of each row.
"""

from connectors.changes.change import TABLES, Change, Table, change_of, table_of
from connectors.changes.follow import Changes

__all__ = ["TABLES", "Change", "Changes", "Table", "change_of", "table_of"]
