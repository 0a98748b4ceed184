"""The HTTP calls of a worker of a cluster: liveness, readiness, metrics, its settings, and accepting its clock."""

from collections.abc import Callable, Mapping

from aiohttp import web

from engine import __version__
from engine.access.gate import OpenGate
from engine.telemetry import CONTENT_TYPE
from engine.web import admission, bodies
from engine.web.admission import Admission, admitted
from engine.web.answers import ClockAnswer, Health, Running, as_json
from engine.web.ports import LOCAL_ONLY, PUBLIC_URL, Worker, principal_of
from engine.web.problems import Problem, as_problems
from engine.web.server import guarded


def application(
    worker: Worker,
    metrics: Callable[[], bytes],
    local_only: bool,
    admitting: Admission | None = None,
    settings: Mapping[str, object] | None = None,
) -> web.Application:
    """The application of a worker.

    Args:
        worker: the worker.
        metrics: its metrics in Prometheus' text format.
        local_only: whether calls to a host name that is not this machine's are rejected.
        admitting: who may call; without it whoever reaches this machine.
        settings: what the process runs with, without secrets, JSON-ready.
    """
    app = web.Application(middlewares=[as_problems, guarded, admitted])
    probes = _Probes(worker, metrics, settings or {})
    app[LOCAL_ONLY], app[PUBLIC_URL] = local_only, None
    admission.install(app, admitting or Admission(OpenGate()), probes.routes(app.router))
    return app


class _Probes:
    def __init__(self, worker: Worker, metrics: Callable[[], bytes], settings: Mapping[str, object]) -> None:
        self._worker, self._metrics, self._settings = worker, metrics, settings

    def routes(self, router: web.UrlDispatcher) -> Mapping[web.AbstractRoute, str]:
        reads = {
            "/healthz": (self.alive, "isAlive"),
            "/readyz": (self.is_ready, "isReady"),
            "/metrics": (self.expose, "getMetrics"),
            "/v1/settings": (self.settings, "getSettings"),
        }
        return {router.add_route("POST", "/v1/clock/accept", self.accept_clock): "acceptClock"} | {
            router.add_route(method, path, handler): operation
            for path, (handler, operation) in reads.items()
            for method in ("GET", "HEAD")
        }

    async def alive(self, _: web.Request) -> web.Response:
        return as_json(Health("ok"))

    async def is_ready(self, _: web.Request) -> web.Response:
        if not self._worker.ready:
            return as_json(Health("waiting for partitions"), status=503)
        trouble = self._worker.trouble()
        return as_json(Health("ok")) if trouble is None else as_json(Health("waiting", trouble), status=503)

    async def expose(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": CONTENT_TYPE})

    async def settings(self, _: web.Request) -> web.Response:
        return as_json(Running(__version__, self._settings))

    async def accept_clock(self, request: web.Request) -> web.Response:
        by = bodies.decode_signed(await request.read(), ClockAnswer, principal_of(request)).by
        accepted = await self._worker.accept_clock(by)
        if accepted is None:
            raise Problem(409, "neither this worker's clock nor a broker's has jumped", "clock_agrees")
        return as_json(accepted)
