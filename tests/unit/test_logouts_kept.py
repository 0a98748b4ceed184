"""On one machine a logout is kept in the data directory: until the session would have ended, and after any crash."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.access.gate import LoginGate
from engine.access.principal import Login, Principal
from engine.access.sessions import Ended
from engine.access.tokens import TokenFile
from engine.bus.disk import logouts
from engine.bus.disk.logouts import NAME, LogoutFile
from engine.core.errors import EnvironmentFailure
from engine.processes.admission import admission_of
from engine.processes.logouts import kept_logouts
from engine.settings import Settings, load_access
from tests.unit.logins import principal

NOW = 1_000_000.0
SECRET = "a secret that outlives the process: 0123"
ANN = Login(Principal("ann", frozenset({"planner"})), "token")


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def opened(folder: Path, clock: Clock) -> LogoutFile:
    file = LogoutFile(folder / NAME, clock)
    file.open()
    return file


async def test_a_logout_is_on_the_disk_once_it_is_answered_until_the_session_would_have_ended(tmp_path: Path) -> None:
    clock = Clock()
    file = opened(tmp_path, clock)
    await file.tell("short", NOW + 10)
    await file.tell("long", NOW + 20)
    assert LogoutFile(tmp_path / NAME, clock).open() == [Ended("short", NOW + 10), Ended("long", NOW + 20)]
    clock.now = NOW + 10
    assert LogoutFile(tmp_path / NAME, clock).open() == [Ended("long", NOW + 20)]
    assert b"short" not in (tmp_path / NAME).read_bytes()
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("lost", range(1, 20, 6))
async def test_a_line_that_a_crash_cut_short_costs_only_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, lost: int
) -> None:
    file = opened(tmp_path, Clock())
    await file.tell("before", NOW + 10)
    whole = (tmp_path / NAME).read_bytes()
    await file.tell("torn", NOW + 10)
    (tmp_path / NAME).write_bytes((tmp_path / NAME).read_bytes()[:-1][:-lost])
    await file.tell("after", NOW + 10)
    assert [ended.session for ended in LogoutFile(tmp_path / NAME, Clock()).open()] == ["before", "after"]
    assert "was written in part and is passed over" in caplog.text
    assert len((tmp_path / NAME).read_bytes()) < 2 * len(whole)


async def test_the_file_does_not_grow_with_what_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logouts, "SPARE_LINES", 5)
    clock = Clock()
    file = opened(tmp_path, clock)
    await file.tell("lasting", NOW + 1e9)
    for _ in range(30):
        clock.now += 10
        await file.tell("passing", clock.now + 5)
        # What is kept, what may be added to it, and as much again as was kept when the file was written anew.
        assert (tmp_path / NAME).read_bytes().count(b"session") <= 2 + 5 + 2
    assert [ended.session for ended in LogoutFile(tmp_path / NAME, clock).open()] == ["lasting", "passing"]


async def test_a_logout_that_cannot_be_kept_holds_until_the_restart_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    gate = gate_of(folder)
    (folder / NAME).unlink()
    folder.rmdir()
    session = gate.sessions.login(gate.sessions.begin(ANN))
    await gate.log_out(session)
    assert not gate.holds(session)
    assert "a restart will not know of a logout" in caplog.text
    with pytest.raises(EnvironmentFailure, match=r"cannot keep who logged out in .*logouts: No such file"):
        gate_of(folder)


def gate_of(folder: Path, secret: str | None = SECRET) -> LoginGate:
    """The gate of a process that starts on this data directory."""
    access = load_access(tokens=folder.parent / "tokens", session_secret=secret)
    TokenFile(folder.parent / "tokens").create(principal("operator"), None)
    admission = admission_of(Settings(data=folder), access)
    kept_logouts(admission, access, folder)
    assert isinstance(admission.gate, LoginGate)
    return admission.gate


async def test_a_restart_knows_who_logged_out_and_takes_the_others(tmp_path: Path) -> None:
    gate = gate_of(tmp_path)
    ended, kept = gate.sessions.begin(ANN), gate.sessions.begin(ANN)
    login = gate.sessions.login(ended)
    await gate.log_out(login)
    again = gate_of(tmp_path)
    assert not again.sessions.holds(login)
    assert again.sessions.login(kept).principal == ANN.principal
    assert (login.expires or 0) > time.time()


def test_where_no_session_outlives_the_process_nothing_is_kept(tmp_path: Path) -> None:
    assert gate_of(tmp_path, secret=None).tell is None
    assert not (tmp_path / NAME).exists()
