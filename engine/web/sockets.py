"""The options of the system's socket under a call."""

import socket

from aiohttp import web

SYSTEM_BUFFER_BYTES = 64 * 1024
"""The socket's send buffer would grow to megabytes, and hide for long that a reader takes nothing."""


def set_option(request: web.Request, option: int, value: int | bytes) -> None:
    """Set an option of the socket under a call, as long as it is connected."""
    if request.transport is not None:
        connection: socket.socket = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, option, value)
