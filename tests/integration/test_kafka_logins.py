"""Logins on Kafka: tokens and roles at `web` and at the port of a worker, and a logout that holds at every copy."""

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.integration.process import Answer, Client, Stockline, Workers, event
from tests.integration.test_logins import SESSION, cookie, created

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROW = {"sku": "A", "location": "LDS"}
SECRET = "a secret of every process: 0123456789"
PAGE = {"X-Stockline": "page"}
STORY = [
    event("stock.counted", "c1", "", "erp", **ROW, qty=5),
    event("policy.set", "p1", "", "erp", **ROW, policy={"kind": "min_max", "min": 50, "max": 120}, supplier="ACME"),
    event("order.placed", "o1", "", "erp", **ROW, order="PO-1", line=1, supplier="ACME", qty=5, due="2027-01-01"),
    event("order.placed", "o2", "", "erp", **ROW, order="PO-2", line=1, supplier="OTHER", qty=5, due="2027-01-01"),
]
ROLES = {
    "olga": ("operator",),
    "ann": ("planner",),
    "vic": ("viewer",),
    "erp": ("adapter", "--source", "erp"),
    "vera": ("supplier", "--supplier", "ACME"),
}


class Port(Client):
    """The port of a worker."""

    def __init__(self, workers: Workers) -> None:
        deadline = time.monotonic() + 60
        # A partition may be owned a moment before the port is told.
        while not (found := re.search(r"metrics at http://127\.0\.0\.1:(\d+)/metrics", workers.said())):
            assert time.monotonic() < deadline, workers.said()
            time.sleep(0.05)
        self.port = int(found[1])


def called(at: Client, method: str, path: str, token: str | None, body: Any = None) -> Answer:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    if method == "GET":
        return at.patiently(path, headers)
    return at.call(method, path, None if body is None else json.dumps(body).encode(), headers=headers)


def test_roles_and_logouts_hold_at_every_process_of_a_cluster(fresh: str, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    settings = {"STOCKLINE_TOKENS": str(file), "STOCKLINE_SESSION_SECRET": SECRET}

    def token(name: str) -> str:
        return created(file, name, "--role", *ROLES[name])

    def web(name: str) -> Stockline:
        return Stockline(tmp_path / name, "--kafka", fresh, verb="web", settings=settings)

    tokens = {"olga": token("olga")}
    with Workers(fresh, tmp_path / "rows", 1, **settings) as workers, web("one") as one:
        # A process that runs takes the tokens that are made later.
        tokens |= {name: token(name) for name in ROLES.keys() - tokens.keys()}
        workers.wait_owned()
        worker = Port(workers)
        the_port_of_a_worker_is_for_operators(worker, tokens)
        each_role_may_do_its_own(one, tokens)
        ended, kept = logged_in(one, tokens["olga"]), logged_in(one, tokens["olga"])
        assert [seen(worker, ended), seen(worker, kept), seen(one, ended)] == [200, 200, 200]
        assert one.call("POST", "/logout", headers=ended | PAGE).status == 204
        assert seen(one, ended) == 401
        deadline = time.monotonic() + 60
        while seen(worker, ended) != 401:
            assert time.monotonic() < deadline, "the logout is not known at the other process"
            time.sleep(0.05)
        with web("two") as two:
            assert two.call("GET", "/v1/me", headers=ended).json["reason"] == "login_expired"
            assert [seen(two, kept), seen(worker, kept), seen(one, kept)] == [200, 200, 200]


def the_port_of_a_worker_is_for_operators(worker: Port, tokens: dict[str, str]) -> None:
    answers = {name: called(worker, "GET", "/metrics", tokens[name]).status for name in tokens}
    assert answers == dict.fromkeys(tokens, 403) | {"olga": 200}
    assert called(worker, "GET", "/metrics", None).status == 401
    assert called(worker, "GET", "/healthz", None).status == 200
    assert called(worker, "POST", "/v1/clock/accept", tokens["ann"], {}).status == 403


def each_role_may_do_its_own(one: Stockline, tokens: dict[str, str]) -> None:
    assert called(one, "POST", "/v1/events", None, STORY[0]).status == 401
    foreign = called(one, "POST", "/v1/events", tokens["erp"], STORY[0] | {"source": "wms"})
    assert (foreign.status, foreign.json["reason"]) == (403, "foreign_source")
    for sent in STORY:
        assert called(one, "POST", "/v1/events", tokens["erp"], sent).status == 202
    assert called(one, "GET", "/v1/sync?wait=100", tokens["vic"]).json["lag"] == 0
    [signal] = called(one, "GET", "/v1/signals", tokens["vic"]).json["items"]
    path = f"/v1/signals/{signal['id']}/accept"
    assert called(one, "POST", path, tokens["vic"], {}).status == 403
    assert called(one, "POST", path, tokens["ann"], {"by": "bob"}).json["reason"] == "foreign_name"
    accepted = called(one, "POST", path, tokens["ann"], {})
    assert (accepted.status, accepted.json["status"]) == (200, "accepted")
    [decision] = called(one, "GET", "/v1/decisions", tokens["ann"]).json["items"]
    assert (decision["by"], decision["kind"]) == ("ann", "accept")
    lines = called(one, "GET", "/v1/supplier/lines", tokens["vera"]).json["items"]
    assert [line["order"] for line in lines] == ["PO-1"]
    assert called(one, "GET", "/v1/positions", tokens["vera"]).status == 403
    refused = called(one, "GET", "/v1/dead-letters", tokens["ann"]), called(one, "GET", "/v1/positions", tokens["erp"])
    assert [answer.status for answer in refused] == [403, 403]
    assert called(one, "GET", "/v1/dead-letters", tokens["olga"]).json["items"] == []


def logged_in(at: Stockline, token: str) -> dict[str, str]:
    """The headers of a browser that has logged in with a token."""
    form = urlencode({"token": token, "next": "/"}).encode()
    entered = at.call("POST", "/login", form, "application/x-www-form-urlencoded")
    assert entered.status == 303, entered
    return {"Cookie": cookie(entered, SESSION)}


def seen(at: Client, session: dict[str, str]) -> int:
    """The status that a process answers to a session of an operator."""
    return at.call("GET", "/metrics", headers=session).status
