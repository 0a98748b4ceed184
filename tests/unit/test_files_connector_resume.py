"""Sending files again: a transfer continues where it stopped, and begins anew where the file or the log is another."""

import hashlib
import io
import json
import lzma
import time
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from connectors.client import EngineRefused
from connectors.files import SendOptions, send_files
from connectors.files.digest import DigestedSource
from connectors.files.resume import MAX_LOGS, SUFFIX
from engine.core.errors import EnvironmentFailure, UsageError
from tests.unit.test_files_connector_send import SMALL, event, server, write


def test_an_interrupted_file_goes_on_behind_what_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.ndjson", [event(n) for n in range(25)])
    with server() as engine:
        real, calls = engine.take, []

        def fail_in_the_second_batch(line: bytes) -> str | None:
            calls.append(line)
            if len(calls) == 11:
                engine.answers += [web.Response(status=500, text="broken")] * 1
            return real(line)

        monkeypatch.setattr(engine, "take", fail_in_the_second_batch)
        with pytest.raises(EngineRefused):
            send_files([path], engine.url, options=SMALL)
        monkeypatch.setattr(engine, "take", real)
        engine.posts.clear()
        report = send_files([path], engine.url, options=SMALL)
        assert [len(post) for post in engine.posts] == [5]
        assert report.files[0].resumed_at_line == 20
        assert len(engine.events) == 25
        engine.posts.clear()
        assert send_files([path], engine.url, options=SMALL).accepted == 0
        assert engine.posts == []


def test_a_file_that_has_grown_goes_on_and_a_replaced_one_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    write(path, [event(n) for n in range(5)])
    with server() as engine:
        send_files([str(path)], engine.url, options=SMALL)
        write(path, [event(n) for n in range(8)])
        assert send_files([str(path)], engine.url, options=SMALL).accepted == 3
        write(path, [event(n) for n in range(100, 120)])
        assert send_files([str(path)], engine.url, options=SMALL).accepted == 20
        write(path, [event(n) for n in range(100, 104)])
        assert send_files([str(path)], engine.url, options=SMALL).accepted == 4


def test_restart_sends_everything_again_and_nothing_counts_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [event(n) for n in range(5)])
    with server() as engine:
        send_files([path], engine.url, options=SMALL)
        again = SendOptions(restart=True, batch_events=10)
        assert send_files([path], engine.url, options=again).accepted == 5
        assert (len(engine.events), engine.duplicates) == (5, 5)


def test_the_state_may_live_elsewhere_and_is_kept_per_log(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [event(n) for n in range(5)])
    options = SendOptions(state_dir=tmp_path / "state")
    with server() as one, server() as other:
        assert send_files([path], one.url, options=options).accepted == 5
        assert send_files([path], other.url, options=options).accepted == 5
        assert send_files([path], one.url, options=options).accepted == 0
    assert not (tmp_path / f"a.ndjson{SUFFIX}").exists()
    assert len(list((tmp_path / "state").iterdir())) == 1


def test_the_same_log_at_another_address_goes_on_and_another_log_at_the_same_address_gets_everything(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.ndjson", [event(n) for n in range(5)])
    with server() as one, server() as other:
        other.log = one.log
        assert send_files([path], one.url, options=SMALL).accepted == 5
        assert send_files([path], other.url, options=SMALL).accepted == 0
        one.log = "begun anew"
        report = send_files([path], one.url, options=SMALL)
    assert (report.accepted, report.files[0].resumed_at_line) == (5, 0)
    assert "not known to be in this log" in str(report.files[0].anew)


def test_the_state_names_a_bounded_number_of_logs(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [event(0)])
    with server() as engine:
        for number in range(MAX_LOGS + 3):
            engine.log = f"log-{number}"
            assert send_files([path], engine.url, options=SMALL).accepted == 1
        assert send_files([path], engine.url, options=SMALL).accepted == 0
        engine.log = "log-0"
        assert send_files([path], engine.url, options=SMALL).accepted == 1
    assert len(json.loads((tmp_path / f"a.ndjson{SUFFIX}").read_bytes())["logs"]) == MAX_LOGS


def test_a_log_that_is_replaced_while_a_file_is_sent_ends_the_transfer_and_gets_everything_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.ndjson", [event(n) for n in range(25)])
    with server() as engine:
        real = engine.take

        def another_log_from_the_second_batch_on(line: bytes) -> str | None:
            engine.log = "another" if len(engine.events) >= 10 else engine.log
            return real(line)

        monkeypatch.setattr(engine, "take", another_log_from_the_second_batch_on)
        with pytest.raises(EnvironmentFailure, match="another log"):
            send_files([path], engine.url, options=SMALL)
        assert send_files([path], engine.url, options=SMALL).accepted == 25


def test_to_an_engine_that_does_not_name_its_log_nothing_is_resumed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [event(n) for n in range(5)])
    with server() as engine:
        engine.log = None
        assert [send_files([path], engine.url, options=SMALL).accepted for _ in range(2)] == [5, 5]
    assert not (tmp_path / f"a.ndjson{SUFFIX}").exists()


@pytest.mark.parametrize("state", [b"", b"{}", b'{"target":["http://x","ndjson 1"],"offset":9,"lines":1,"head":"0"}'])
def test_a_state_file_that_is_damaged_or_of_an_older_form_lets_the_file_begin_anew(
    tmp_path: Path, state: bytes
) -> None:
    path = write(tmp_path / "a.ndjson", [event(n) for n in range(5)])
    (tmp_path / f"a.ndjson{SUFFIX}").write_bytes(state)
    with server() as engine:
        assert [send_files([path], engine.url, options=SMALL).accepted for _ in range(2)] == [5, 0]


@pytest.mark.parametrize("line", [0, 1500, 2999])
@pytest.mark.parametrize("suffix", ["", ".xz"])
def test_a_file_that_differs_anywhere_from_what_was_sent_is_sent_anew(tmp_path: Path, line: int, suffix: str) -> None:
    path, pack = tmp_path / f"a.ndjson{suffix}", lzma.compress if suffix else bytes
    lines = [event(n) for n in range(3000)]
    path.write_bytes(pack(b"\n".join(lines) + b"\n"))
    with server() as engine:
        assert send_files([str(path)], engine.url).accepted == 3000
        lines[line] = lines[line].replace(b'"qty": 1', b'"qty": 2').replace(b'"id": "e', b'"id": "f')
        path.write_bytes(pack(b"\n".join([*lines, event(3000)]) + b"\n"))
        report = send_files([str(path)], engine.url)
        assert (report.accepted, len(engine.events)) == (3001, 3002)
        assert "differs from what was sent before" in str(report.files[0].anew)
        assert send_files([str(path)], engine.url).accepted == 0


def test_a_file_that_differs_is_not_sent_anew_once_the_log_may_have_forgotten_its_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, day = write(tmp_path / "a.ndjson", [event(0)]), 24 * 3600
    with server() as engine:
        now = time.time()
        for days, lines in ((0, 1), (6, 2), (7.5, 3)):
            monkeypatch.setattr(time, "time", lambda days=days: now + days * day)
            assert (
                send_files([write(tmp_path / "a.ndjson", [event(n) for n in range(lines)])], engine.url).accepted == 1
            )
        write(tmp_path / "a.ndjson", [event(9)])
        with pytest.raises(UsageError, match=r"8 days ago.* --restart sends all"):
            send_files([path], engine.url)
        assert send_files([path], engine.url, options=SendOptions(restart=True)).accepted == 1
        write(tmp_path / "a.ndjson", [event(10)])
        assert send_files([path], engine.url).accepted == 1


def test_a_file_that_is_overwritten_while_it_is_sent_is_sent_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.ndjson", [event(n) for n in range(5)])
    with server() as engine:
        real = engine.take

        def overwrite(line: bytes) -> str | None:
            write(tmp_path / "a.ndjson", [event(n) for n in range(5, 10)])
            return real(line)

        monkeypatch.setattr(engine, "take", overwrite)
        send_files([path], engine.url, options=SMALL)
        monkeypatch.setattr(engine, "take", real)
        assert send_files([path], engine.url, options=SMALL).accepted == 5
        assert len(engine.events) == 10


@given(
    whole=st.binary(max_size=300),
    steps=st.lists(st.tuples(st.sampled_from(["read", "ask", "back"]), st.integers(0, 300)), max_size=20),
    ahead=st.integers(0, 64),
)
def test_a_digest_is_that_of_the_bytes_up_to_the_mark_and_holds_a_bounded_number_of_them(
    whole: bytes, steps: list[tuple[str, int]], ahead: int
) -> None:
    source, at, read = DigestedSource(io.BytesIO(whole), ahead), 0, 0
    for step, number in steps:
        if step == "read":
            at += len(source.read(number))
            read = max(read, at)
        elif step == "back":
            at = min(number, read)
            source.seek(at)
        else:
            found = source.up_to(number)
            assert found in (None, hashlib.sha256(whole[:number]).hexdigest())
            assert (found is not None) or number != read
        assert source.held <= ahead
