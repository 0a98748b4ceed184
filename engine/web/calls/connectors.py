"""The connectors that report to this engine."""

from aiohttp import web

from engine.web import bodies
from engine.web.answers import as_json
from engine.web.connectors import ConnectorReport
from engine.web.guard import connectors_of
from engine.web.ports import CONTEXT
from engine.web.problems import Problem


async def put(request: web.Request) -> web.Response:
    """Takes the report of a connector."""
    context = request.app[CONTEXT]
    async with context.intake.body(request) as body:
        report = bodies.decode(body, ConnectorReport)
    if report.name != (name := request.match_info["name"]):
        raise Problem(400, f"the report at {name} is of {report.name}", "invalid_body")
    connectors = connectors_of(request)
    connectors.put(report)
    return as_json(connectors.get(report.name))


async def list_all(request: web.Request) -> web.Response:
    """All connectors, by name, on one page."""
    found = connectors_of(request).all()
    return as_json({"items": found, "next": None, "total": len(found)})


async def get(request: web.Request) -> web.Response:
    """One connector."""
    name = request.match_info["name"]
    if (found := connectors_of(request).get(name)) is None:
        raise Problem(404, f"no connector {name} has reported to this engine since it began", "unknown_connector")
    return as_json(found)
