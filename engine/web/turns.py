"""Calls about one thing, one after the other."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """One call at a time for each name: whoever answers a thing sees what the call before has made of it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Lock:
        """The lock of a name; it lives as long as somebody holds it or waits for it."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock
