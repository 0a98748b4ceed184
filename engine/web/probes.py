"""The HTTP calls of a worker of a cluster: liveness, readiness, metrics, and accepting its clock."""

from collections.abc import Callable

from aiohttp import web

from engine.telemetry import CONTENT_TYPE
from engine.web import bodies
from engine.web.answers import ClockAnswer, Health, as_json
from engine.web.ports import LOCAL_ONLY, Worker
from engine.web.problems import Problem, as_problems
from engine.web.server import guarded


def application(worker: Worker, metrics: Callable[[], bytes], local_only: bool) -> web.Application:
    """The application of a worker; with `local_only` it rejects calls to a host name that is not this machine's."""

    async def alive(_: web.Request) -> web.Response:
        return as_json(Health("ok"))

    async def is_ready(_: web.Request) -> web.Response:
        if not worker.ready:
            return as_json(Health("waiting for partitions"), status=503)
        trouble = worker.trouble()
        return as_json(Health("ok")) if trouble is None else as_json(Health("waiting", trouble), status=503)

    async def expose(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": CONTENT_TYPE})

    async def accept(request: web.Request) -> web.Response:
        accepted = await worker.accept_clock(bodies.decode(await request.read(), ClockAnswer).by)
        if accepted is None:
            raise Problem(409, "neither this worker's clock nor a broker's has jumped", "clock_agrees")
        return as_json(accepted)

    app = web.Application(middlewares=[as_problems, guarded])
    app[LOCAL_ONLY] = local_only
    probes = [web.get("/healthz", alive), web.get("/readyz", is_ready), web.get("/metrics", expose)]
    app.add_routes([*probes, web.post("/v1/clock/accept", accept)])
    return app
