"""The HTTP server: the application made from the routes, the middlewares of every call, and the socket."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from engine.access.gate import OpenGate
from engine.core.errors import EnvironmentFailure
from engine.telemetry.logs import calling, traceparent_of
from engine.telemetry.tracing import TRACING
from engine.web import admission, openapi
from engine.web.admission import SAFE_METHODS, Admission, admitted, is_handshake
from engine.web.connections import Listener, connections_of
from engine.web.descriptors import Complaints, room_for_connections
from engine.web.guard import CallersGuard
from engine.web.headers import HEADERS, STRICT_TRANSPORT
from engine.web.live.windows import WINDOWS, Windows
from engine.web.ports import CONTEXT, GUARD, INSECURE, LOCAL_ONLY, OPENAPI, PUBLIC_URL, Context
from engine.web.problems import Problem, as_problems
from engine.web.routes import ROUTES
from engine.web.tls import Certificate

SHUTDOWN_SECONDS = 10
HANDSHAKE: Mapping[str, Any] = {"ssl_handshake_timeout": 10.0, "ssl_shutdown_timeout": 5.0}
"""Seconds that a caller has to begin TLS, and to end it."""
CLIENT_LEFT = 499
OWN_SITES = frozenset({"same-origin", "none"})
"""What a browser says of a call that our own page makes, or a person who enters the address."""
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]*)?")
"""A name or an address, and a port: a `Host` with a user, a path or a space in it is none."""
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def application(context: Context, local_only: bool = True, admitting: Admission | None = None) -> web.Application:
    """The application of all calls.

    Args:
        context: what every handler has at hand.
        local_only: whether calls to a host name that is not this machine's are rejected.
        admitting: who may call; without it whoever reaches this machine.
    """
    app = web.Application(middlewares=[measured, as_problems, guarded, admitted])
    app[CONTEXT], app[GUARD] = context, CallersGuard()
    admitting = admitting or Admission(OpenGate())
    app[LOCAL_ONLY], app[PUBLIC_URL] = local_only, admitting.public_url
    app[INSECURE] = not local_only and not admitting.gate.asks
    app[WINDOWS] = Windows(context.telemetry)
    app[OPENAPI] = msgspec.json.encode(openapi.document())
    routes = {
        app.router.add_route(method, each.path, each.handler): each.operation
        for each in ROUTES
        for method in each.methods
    }
    admission.install(app, admitting, routes)
    app.on_response_prepare.append(_with_headers)
    app.on_shutdown.append(_end_streams)
    return app


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Counts and times every call under the path of its route."""
    started = time.perf_counter()
    calling.set(traceparent_of(request.headers.get("traceparent")))
    status = CLIENT_LEFT
    try:
        with TRACING.span(f"{request.method} {_route_of(request)}", **{"http.request.method": request.method}):
            response = await handler(request)
        status = response.status
        return response
    finally:
        request.app[CONTEXT].telemetry.answered(_route_of(request), status, time.perf_counter() - started)


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Rejects calls to a foreign host name, and those that a page of a foreign site made a browser send."""
    if not request.host:
        raise Problem(400, "the call has no `Host`", "malformed_host")
    host = _split(f"//{request.host}") if HOST.fullmatch(request.host) else None
    if host is None or not host.hostname:
        raise Problem(400, "the `Host` of the call is not a host with an optional port", "malformed_host")
    if request.app[LOCAL_ONLY] and host.hostname not in LOCAL_NAMES | _public_names(request.app[PUBLIC_URL]):
        raise Problem(421, f"this server is not {host.hostname}", "foreign_host")
    # A socket is opened by a GET, which a browser sends from any page, and whose messages it shows to that page.
    if request.method not in SAFE_METHODS or is_handshake(request):
        _require_own_origin(request)
    return await handler(request)


def _public_names(public_url: str | None) -> frozenset[str]:
    """The host name of the address that callers use; none without a proxy."""
    parts = _split(public_url or "")
    return frozenset() if parts is None or parts.hostname is None else frozenset({parts.hostname})


def _require_own_origin(request: web.Request) -> None:
    origin = request.headers.get("Origin")
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "none") not in OWN_SITES:
            raise Problem(403, "pages of other sites may not write here", "foreign_origin")
    elif not _is_own(origin, request) and origin != request.app[PUBLIC_URL]:
        raise Problem(403, f"pages of {origin} may not write here", "foreign_origin")


def _split(url: str) -> SplitResult | None:
    """The parts of a URL, or None if it is malformed, such as an address with an open bracket."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _is_own(origin: str, request: web.Request) -> bool:
    """Whether a page of this origin is ours. Where this process speaks HTTP, a proxy may speak HTTPS before it."""
    parts = _split(origin)
    return parts is not None and parts.netloc == request.host and (parts.scheme == "https" or not request.secure)


async def _with_headers(request: web.Request, response: web.StreamResponse) -> None:
    # A page has a policy of its own, with the nonce of its styles; `Server` has aiohttp's version by now.
    own = {name: value for name, value in HEADERS.items() if name == hdrs.SERVER or name not in response.headers}
    response.headers.update(own)
    # On this machine other servers share the name localhost, and a browser would ask all of them by HTTPS.
    if request.secure and not request.app[LOCAL_ONLY]:
        response.headers.update(STRICT_TRANSPORT)


async def _end_streams(app: web.Application) -> None:
    context = app[CONTEXT]
    context.stopping = True
    for filling in list(context.streams):
        filling.cancel()


def bind(host: str, port: int) -> Listener:
    """A socket on `host` and `port` (0 takes a free one); raises EnvironmentFailure if they cannot be bound."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = Listener(family, kind, protocol)
    except OSError as error:
        raise EnvironmentFailure(f"cannot listen on {host}: {error.strerror or error}") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise _unavailable(host, port, error) from None
    return bound


def _unavailable(host: str, port: int, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure(f"cannot listen on {host} port {port}: {error.strerror or error}")


@asynccontextmanager
async def serving(app: web.Application, bound: Listener, certificate: Certificate | None = None) -> AsyncIterator[str]:
    """Serves on a socket and yields the URL; at the end it accepts no new call and lets running calls finish.

    With a certificate it serves HTTPS and nothing else.
    """
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    host, port = bound.getsockname()[:2]
    loop = asyncio.get_running_loop()
    complaints = Complaints()
    loop.set_exception_handler(complaints)
    most = room_for_connections()
    secured: Mapping[str, Any] = {}
    if certificate is not None:
        bound.most, secured = most, {"ssl": certificate.context, **HANDSHAKE}
    try:
        server = await loop.create_server(connections_of(runner, most), sock=bound, **secured)
    except OSError as error:
        await runner.cleanup()
        raise _unavailable(host, port, error) from None
    watching = [asyncio.create_task(each.watch()) for each in (complaints, certificate) if each is not None]
    try:
        scheme = "http" if certificate is None else "https"
        yield f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    finally:
        for each in watching:
            each.cancel()
        server.close()
        await runner.cleanup()
