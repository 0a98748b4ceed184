"""The trace over HTTP and on the command line."""

import json
from collections.abc import AsyncIterator

import pytest

from tables import keys
from tests.unit.fake_service import FakeService
from tests.unit.test_cli import Run, run
from tests.unit.test_cli import web as server
from tests.unit.test_trace import SIGNAL, Traced, told
from tests.unit.test_web_calls import get
from tests.unit.web_client import Site, site

__all__ = ["run", "server", "told"]


# over HTTP ------------------------------------------------------------------------------------------------------------


def fill(service: FakeService, told: Traced) -> None:
    """Let a service in memory have the rows, the outputs and the events of another engine."""
    for key, value in told.bus.state.scan(b"\x00", b"\xff"):
        service.bus.state.apply(key, value)
    for topic, things in service.bus.published.tables.items():
        things.update(told.bus.published.things(topic))
    row = keys.row("D", "L").decode()
    service.bus.published.log[row] = told.bus.published.row_events(row, None, 100)[::-1]


@pytest.fixture
async def web(told: Traced) -> AsyncIterator[Site]:
    async with site() as running:
        fill(running.service, told)
        yield running


async def test_the_call_answers_with_the_chain(web: Site, told: Traced) -> None:
    status, trace = await get(web, "/v1/trace?order=PO-1&line=1")
    assert status == 200
    assert [node["id"] for node in trace["nodes"]] == [node.id for node in told.found(order="PO-1").nodes]
    assert {"from", "to", "why"} == trace["edges"][0].keys()
    assert (await get(web, f"/v1/trace?signal={SIGNAL}&events=5000"))[0] == 200


@pytest.mark.parametrize(
    "query",
    [
        "", "line=1", "sku=D", "version=v1", "sku=D&version=v1", "order=PO-1&signal=x", "sort=time",
        "order=PO-1&events=0", "shipment=S-1&line=1",
    ],
)  # fmt: skip
async def test_a_question_without_sense_is_a_400(web: Site, query: str) -> None:
    status, problem = await get(web, f"/v1/trace?{query}")
    assert (status, problem["reason"]) == (400, "invalid_parameter")


@pytest.mark.parametrize(
    "query", ["signal=x", "order=x", "order=PO-1&line=7", "receipt=x", "event=t/999", "sku=no&location=row"]
)
async def test_a_trace_of_what_nobody_knows_is_a_404(web: Site, query: str) -> None:
    status, problem = await get(web, f"/v1/trace?{query}")
    assert (status, problem["reason"]) == (404, "unknown_start")
    assert json.dumps(query.partition("=")[2].partition("&")[0]).strip('"') in problem["detail"]


async def test_what_to_give_besides_an_event_is_said_where_the_log_is_not_at_hand(web: Site) -> None:
    _, problem = await get(web, "/v1/trace?event=t/999")
    assert problem["detail"].endswith("only where it is a decision: give its `sku` and `location`")
    _, problem = await get(web, "/v1/trace?event=t/999&sku=D&location=L")
    assert problem["detail"].endswith("of its row")


# on the command line --------------------------------------------------------------------------------------------------


def test_the_command_tells_the_chain_within_eighty_columns(server: Site, run: Run, told: Traced) -> None:
    fill(server.service, told)
    told_by = run("trace", "--order", "PO-1", "--url", server.url)
    assert (told_by.code, told_by.err) == (0, "")
    lines = told_by.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == f"Order PO-1/1 is open, and was asked for by signal {SIGNAL},"
    assert "* order PO-1/1  open" in lines
    assert "    -> it is shipped by: shipment S-1" in lines
    assert "    2026-03-01 21:12  D at L: 12 units good received." in lines


def test_the_command_says_what_it_leaves_out_and_gives_json(server: Site, run: Run, told: Traced) -> None:
    fill(server.service, told)
    part = run("trace", "--signal", SIGNAL, "--events", "4", "--url", server.url)
    assert (part.code, part.err) == (0, "older events of the row were not read: --events reads more\n")
    document = json.loads(run("trace", "--signal", SIGNAL, "--json", "--url", server.url).out)
    assert document["start"] == [f"signal:D@L:{SIGNAL}"]


def test_the_command_fails_where_nothing_is_known(server: Site, run: Run) -> None:
    assert run("trace", "--order", "nothing", "--url", server.url).code == 1
    assert run("trace", "--url", server.url).code == 2
