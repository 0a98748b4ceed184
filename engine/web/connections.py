"""The connections of the HTTP server: how many there may be, and what is answered to what is no HTTP request."""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError, LineTooLong

from engine.web import problems
from engine.web.headers import HEADERS

IDLE_SECONDS = 30
LINGERING_SECONDS = 2
"""For how long the rest of a body is read that nobody wants."""
FULL = "more connections are open than this process can serve; try again"

log = logging.getLogger(__name__)


class Listener(socket.socket):
    """A listening socket that closes at once what it accepts beyond `most` open connections; None is no limit.

    For HTTPS the limit is here, because a connection that has not begun TLS has a descriptor and a buffer already, and
    is known to nobody else.
    """

    def __init__(self, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self.most: int | None = None
        self._accepted: list[socket.socket] = []

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection; raises ConnectionAbortedError, on which asyncio waits for the next, beyond the limit."""
        accepted, address = super().accept()
        if self.most is not None:
            if len(self._accepted) >= self.most:
                self._accepted = [each for each in self._accepted if each.fileno() >= 0]
            if len(self._accepted) >= self.most:
                accepted.close()
                raise ConnectionAbortedError
            self._accepted.append(accepted)
        return accepted, address


def connections_of(runner: web.AppRunner, most: int) -> Callable[[], asyncio.Protocol]:
    """A factory of connections: beyond `most` it answers 503 at once, so that idle ones cannot exhaust the process."""
    loop = asyncio.get_running_loop()
    options: Mapping[str, Any] = {
        "keepalive_timeout": IDLE_SECONDS,
        "lingering_time": LINGERING_SECONDS,
        "access_log": None,
    }

    def admit() -> asyncio.Protocol:
        server = runner.server
        if server is None or len(server.connections) >= most:
            return _Full()
        return Connection(server, loop=loop, **options)

    return admit


class Connection(web.RequestHandler):
    """A connection that answers with problem details also what no handler sees, and logs no fault of a caller."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - the text of the parser quotes bytes and names libraries
    ) -> web.StreamResponse:
        """The answer to a request that cannot be read, or that failed outside of every handler; it ends the connection.

        Raises ConnectionError where an answer has begun already.
        """
        is_the_callers = status < HTTPStatus.INTERNAL_SERVER_ERROR
        # Who leaves in the middle of a call gets no answer, and is nobody's fault.
        if not is_the_callers and not isinstance(exc, ConnectionError):
            log.error("a call failed outside of its handler", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun, so no other can be sent")
        if is_the_callers:
            reason = "unreadable_body" if isinstance(exc, ContentEncodingError) else "unreadable_request"
            response = problems.answer(status, _what_is_wrong(exc), reason)
        else:
            response = problems.answer(status, problems.UNEXPECTED, "unexpected")
        response.headers.update(HEADERS)
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log what failed, unless it is that the rest of a body cannot be read, which its caller has been told."""
        if not isinstance(kw.get("exc_info"), web.RequestPayloadError | HttpProcessingError):
            super().log_exception(*args, **kw)


def _what_is_wrong(error: BaseException | None) -> str:
    if isinstance(error, LineTooLong):
        return "the first line of the request or one of its headers is longer than 8 KiB"
    if isinstance(error, ContentEncodingError):
        return "the `Content-Encoding` of the body is not gzip or deflate"
    return "what arrived is no request of HTTP/1.1, or says two things of where it ends"


class _Full(asyncio.Protocol):
    """A connection beyond the limit: it is answered and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            body = problems.encoded(503, FULL)
            transport.write(
                b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
                b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (problems.MEDIA_TYPE.encode(), len(body), body)
            )
            transport.close()
