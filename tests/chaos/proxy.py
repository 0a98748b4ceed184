"""A TCP proxy between workers and broker that can delay, cut, and swallow replies."""

import asyncio
from contextlib import suppress

CHUNK = 1 << 16


class Proxy:
    """Listens on a port of its own and passes bytes on to `target`, as long as it is told to."""

    def __init__(self, port: int, target: int) -> None:
        self._port = port
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self.delay = 0.0
        self.open = True
        self.replies = True

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)

    async def stop(self) -> None:
        """Listen no more and end all connections."""
        self.cut()
        if self._server is not None:
            self._server.close()

    def cut(self) -> None:
        """End all connections at once."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, server_writer}
        for task in (
            asyncio.create_task(self._pass(reader, server_writer, to_broker=True)),
            asyncio.create_task(self._pass(server_reader, writer, to_broker=False)),
        ):
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_broker: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if to_broker or self.replies:
                    writer.write(data)
                    await writer.drain()
        self._writers.discard(writer)
        with suppress(Exception):
            writer.transport.abort()
