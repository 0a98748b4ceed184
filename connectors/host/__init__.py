"""Runs connectors: it gives each its position, posts what it reads, and keeps the position once that is durable.

Every connector that is run here delivers at least once, and exactly once in the log for as long as the log knows an
event again (seven days unless set otherwise), because a batch is posted before its position is kept, and the ids of its
events follow from the records alone. A folder of state holds a lock and the positions of each connector.
"""

from connectors.host.host import Options, run
from connectors.host.loading import Loaded, load, load_all

__all__ = ["Loaded", "Options", "load", "load_all", "run"]
