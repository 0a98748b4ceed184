"""What went wrong on the network, in words for a person."""

import os

import aiohttp


def network_cause(error: BaseException) -> str:
    """The operating system's words for a network error, without the client library's own."""
    if isinstance(error, TimeoutError):
        return "it takes too long"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return os.strerror(number) if number and number > 0 else error.os_error.strerror or str(error.os_error)
    if isinstance(error, aiohttp.ClientPayloadError):
        return "its answer ended in the middle"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError):
        return "the connection was closed"
    return str(error) or type(error).__name__
