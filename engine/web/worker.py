"""What a worker of a cluster answers over HTTP: whether it lives, whether it is ready, its metrics."""

from collections.abc import Callable

from aiohttp import web

from engine.telemetry import CONTENT_TYPE


def application(ready: Callable[[], bool], metrics: Callable[[], bytes]) -> web.Application:
    """`/healthz`, `/readyz` and `/metrics`."""

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def is_ready(_: web.Request) -> web.Response:
        good = ready()
        return web.json_response({"status": "ok" if good else "waiting for partitions"}, status=200 if good else 503)

    async def expose(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.add_routes([web.get("/healthz", alive), web.get("/readyz", is_ready), web.get("/metrics", expose)])
    return app
