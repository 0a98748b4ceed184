"""What went wrong on the network, in words for a person."""

import os
from ssl import SSLCertVerificationError, SSLError

import aiohttp


def network_cause(error: BaseException) -> str:
    """The operating system's or TLS's words for a network error, without the client library's own."""
    if isinstance(error, TimeoutError):
        return "it takes too long"
    if isinstance(error, aiohttp.ClientConnectorError):
        # The number of an error of TLS is none of the operating system's.
        if isinstance(error.os_error, SSLCertVerificationError):
            trust = "SSL_CERT_FILE names a file of the certificates that are trusted"
            return f"its certificate is not trusted: {error.os_error.verify_message}; {trust}"
        if isinstance(error.os_error, SSLError):
            return f"TLS fails: {error.os_error.reason}"
        number = error.os_error.errno
        return os.strerror(number) if number and number > 0 else error.os_error.strerror or str(error.os_error)
    if isinstance(error, aiohttp.ClientPayloadError):
        return "its answer ended in the middle"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError):
        return "the connection was closed"
    return str(error) or type(error).__name__
