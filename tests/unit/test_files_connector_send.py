"""Sending files: against an HTTP server that behaves badly in every way that the contract allows."""

import asyncio
import json
import lzma
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors.client import EngineClient, EngineUnreachable, Patience
from connectors.files import SendOptions, send_files
from connectors.files.lines import MAX_LINE_BYTES
from engine.core.errors import UsageError
from tests.unit.fake_engine import FakeEngine, fake_engine

SMALL = SendOptions(batch_events=10, patience=Patience(seconds=1.0, busy_seconds=2.0))


def event(number: int, **change: object) -> bytes:
    body = {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "test",
        "type": "stock.issued",
        "time": "2026-03-02T09:14:05+00:00",
        "data": {"sku": "A", "location": "L", "qty": 1, **change},
    }
    return json.dumps(body).encode()


@contextmanager
def server() -> Iterator[FakeEngine]:
    """The fake engine on a thread of its own, since sending files is synchronous."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()
    found: list[FakeEngine] = []

    async def serve() -> None:
        async with fake_engine() as engine:
            found.append(engine)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(120)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(120)
        loop.close()


def write(path: Path, lines: list[bytes]) -> str:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return str(path)


def test_a_file_arrives_whole_and_in_batches(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [event(n) for n in range(25)])
    with server() as engine:
        report = send_files([path], engine.url, options=SMALL)
        assert [len(post) for post in engine.posts] == [10, 10, 5]
    assert (report.accepted, report.exit_code, report.files[0].complete) == (25, 0, True)


def test_refused_and_broken_lines_are_reported_by_their_number(tmp_path: Path) -> None:
    lines = [event(0), b"", b"not json", event(1, qty=0), b"x" * (MAX_LINE_BYTES + 1), event(2)]
    path = write(tmp_path / "a.ndjson", lines)
    with server() as engine:
        report = send_files([path], engine.url, options=SMALL)
    (file,) = report.files
    problems = [(problem.line, problem.kind, problem.reason.split(":")[0]) for problem in file.problems]
    assert problems == [
        (3, "refused", "not_json"),
        (4, "refused", "invalid_event"),
        (5, "broken", f"the line is longer than {MAX_LINE_BYTES} bytes"),
    ]
    assert (report.accepted, file.sent, file.refused, file.broken, report.exit_code) == (2, 4, 2, 1, 1)


def test_a_last_line_without_its_end_is_not_sent_until_it_has_one(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(event(0) + b"\n" + event(1)[:40])
    with server() as engine:
        report = send_files([str(path)], engine.url, options=SMALL)
        file = report.files[0]
        assert (file.accepted, file.unfinished and file.unfinished.line, file.complete, report.exit_code) == (
            1,
            2,
            False,
            1,
        )
        path.write_bytes(event(0) + b"\n" + event(1) + b"\n" + event(2))
        report = send_files([str(path)], engine.url, options=SMALL)
        file = report.files[0]
        assert (file.resumed_at_line, file.accepted, file.unfinished and file.unfinished.line) == (1, 1, 3)
        assert engine.letters == {}


def test_a_last_line_without_its_end_is_sent_on_demand_and_goes_on_when_it_gets_one(tmp_path: Path) -> None:
    path, whole = tmp_path / "a.ndjson", SendOptions(complete=True)
    path.write_bytes(event(0) + b"\n" + event(1))
    with server() as engine:
        report = send_files([str(path)], engine.url, options=whole)
        assert (report.accepted, report.exit_code, report.files[0].complete) == (2, 0, True)
        again = send_files([str(path)], engine.url, options=SMALL).files[0]
        assert (again.resumed_at_line, again.sent_before) == (2, True)
        path.write_bytes(event(0) + b"\n" + event(1) + b"\n" + event(2) + b"\n" + b"nonsense\n")
        report = send_files([str(path)], engine.url, options=SMALL)
        assert (report.accepted, [problem.line for problem in report.files[0].problems]) == (1, [4])


def test_duplicates_are_told_apart_where_the_engine_tells_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [event(0), event(1)])
    with server() as engine:
        assert send_files([path], engine.url, options=SMALL).files[0].duplicates is None
        answers: list[dict[str, Any]] = [{"accepted": 1, "duplicates": n, "refused": []} for n in (0, 1)]
        engine.answers = [web.Response(status=413), *(web.json_response(answer, status=202) for answer in answers)]
        file = send_files([path], engine.url, options=SendOptions(restart=True)).files[0]
    assert (file.accepted, file.duplicates) == (2, 1)


def test_a_packed_file_is_unpacked_and_resumed(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.xz"
    path.write_bytes(lzma.compress(b"".join(event(n) + b"\n" for n in range(25))))
    with server() as engine:
        assert send_files([str(path)], engine.url, options=SMALL).accepted == 25
        assert send_files([str(path)], engine.url, options=SMALL).accepted == 0


@pytest.mark.parametrize("status", [429, 503])
def test_an_engine_that_is_behind_is_waited_for(tmp_path: Path, status: int) -> None:
    path = write(tmp_path / "a.ndjson", [event(0)])
    with server() as engine:
        engine.answers = [web.Response(status=status, headers={"Retry-After": "0.05"}) for _ in range(3)]
        assert send_files([path], engine.url, options=SMALL).accepted == 1


def test_a_batch_that_is_too_large_is_halved_and_indices_stay_right(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [event(0), event(1), event(2), b"not json"])
    with server() as engine:
        engine.answers = [web.Response(status=413)]
        report = send_files([path], engine.url, options=SMALL)
    assert [problem.line for problem in report.files[0].problems] == [4]
    assert report.accepted == 3


def test_an_engine_that_stays_away_is_an_environment_failure(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [event(0)])
    patience = SendOptions(patience=Patience(seconds=0.3))
    with pytest.raises(EngineUnreachable) as caught:
        send_files([path], "http://127.0.0.1:1", options=patience)
    assert caught.value.exit_code == 3


def test_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        send_files([str(tmp_path / "none.ndjson")], "http://127.0.0.1:1")


async def test_lists_are_followed_over_their_pages() -> None:
    async with fake_engine() as engine, EngineClient(engine.url) as client:
        engine.signals = {str(n): {"id": str(n), "sku": "A", "location": "L", "status": "open"} for n in range(120)}
        assert len([signal async for signal in client.signals(status="open")]) == 120
