"""A watched folder: what is complete, what a crash at any moment leaves, and that no file is lost."""

import errno
import gzip
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.files import SendOptions
from connectors.folder import sftp, transfer
from connectors.folder.local import LocalPlace
from connectors.folder.places import is_safe
from connectors.folder.profile import Profile, Sftp
from connectors.mapping.values import Unreadable
from connectors.profiles import Unreachable
from engine.core.errors import DiskFull, UsageError
from tests.connectors.folder import HEAD, PROFILE, Bench, Countdown, Crash, rows, stepping

STEPS = ("files", "find", "fetch", "move", "put")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(transfer, "SIZES", SendOptions(batch_events=3))
    return Bench(tmp_path)


async def test_files_are_read_in_order_and_archived_with_a_receipt(bench: Bench) -> None:
    (bench.inbox / "b.csv").write_text(HEAD + rows(7, 4))
    (bench.inbox / "a.csv.gz").write_bytes(gzip.compress((HEAD + rows(0, 7, unit="DZ")).encode()))
    (bench.inbox / "notes.pdf").write_text("nothing for us")
    assert await bench.round() == 5
    assert [(name, event["data"]["qty"]) for name, event in bench.events.items()] == [
        *((f"D{n}", 12 * (n + 1)) for n in range(7)),
        *((f"D{n}", n + 1) for n in range(7, 11)),
    ]
    assert bench.names() == ["notes.pdf"]
    archived = [name for name in bench.names("archive") if not name.endswith(".receipt.json")]
    assert [name.split(".")[0] for name in archived] == ["a", "b"]
    assert archived[0].endswith(".csv.gz")
    first = bench.receipts()[0]
    assert {key: first[key] for key in ("file", "events", "duplicates", "refused", "untranslated", "error")} == {
        "file": "a.csv.gz", "events": 7, "duplicates": 0, "refused": 0, "untranslated": 0, "error": None,
    }  # fmt: skip
    assert list(bench.own.iterdir()) == []
    assert await bench.round() == 0


async def test_nothing_is_lost_or_counted_twice_whenever_the_process_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "SIZES", SendOptions(batch_events=3))
    crashes = 0
    for number in range(1, 200):
        bench = Bench(tmp_path / str(number))
        (bench.inbox / "a.csv").write_text(HEAD + rows(0, 5) + "broken\n" + rows(5, 2))
        (bench.inbox / "b.csv").write_text(HEAD + rows(7, 2, qty=0) + rows(9, 1))
        countdown = Countdown(number)
        source = bench.source()
        with monkeypatch.context() as patch:
            stepping(source._place, STEPS, countdown.step, patch)  # noqa: SLF001
            try:
                await bench.round(source, countdown.step)
            except Crash:
                crashes += 1
        await bench.round()
        check_after_crash(bench)
        if countdown.left > 0:
            break
    assert crashes > 30


def check_after_crash(bench: Bench) -> None:
    assert set(bench.events) == {*(f"D{n}" for n in range(7)), "D9"}
    assert [letter.place for letter in bench.letters.values()] == ["a.csv, line 7"]
    assert bench.names() == []
    assert [name.split(".")[0] for name in bench.names("archive")] == ["a", "a", "b", "b"]
    assert [(each["file"], each["events"], each["refused"]) for each in bench.receipts()] == [
        ("a.csv", 7, 0),
        ("b.csv", 1, 2),
    ]
    rejects = {name.split(".")[0]: name for name in bench.names("rejected")}
    assert sorted(rejects) == ["a", "b"]
    assert (bench.inbox / "rejected" / rejects["a"]).read_text() == (
        HEAD + "#stockline line 7: 1 cells where the heading has 5\nbroken\n"
    )
    assert (bench.inbox / "rejected" / rejects["b"]).read_text().count("#stockline line") == 2


@pytest.mark.parametrize("when", ["fetched", "before the archive", "while it is archived"])
async def test_a_file_that_is_replaced_is_lost_in_neither_form(
    bench: Bench, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.inbox / "a.csv"
    path.write_text(HEAD + rows(0, 7))
    source = bench.source()
    call, place = {"fetched": "fetch", "before the archive": "put", "while it is archived": "move"}[when], source._place  # noqa: SLF001
    original, replaced = getattr(place, call), False

    async def replacing(*arguments: Any) -> Any:
        nonlocal replaced
        answer = await original(*arguments) if call == "fetch" else None
        if not replaced:
            replaced = True
            draft = bench.inbox / ".new"
            draft.write_text(HEAD + rows(20, 3, article="B"))
            draft.rename(path)
        return answer if call == "fetch" else await original(*arguments)

    monkeypatch.setattr(place, call, replacing)
    await bench.round(source)
    await bench.round()
    assert {f"D{n}" for n in range(20, 23)} <= set(bench.events)
    if when != "fetched":
        assert {f"D{n}" for n in range(7)} <= set(bench.events)
        archived = [p for p in (bench.inbox / "archive").iterdir() if not p.name.endswith(".json")]
        assert sorted(p.read_text() for p in archived) == sorted([HEAD + rows(0, 7), HEAD + rows(20, 3, article="B")])
    assert bench.names() == []


async def test_the_rest_of_a_file_comes_from_its_copy_when_it_was_replaced_in_the_middle(bench: Bench) -> None:
    (bench.inbox / "a.csv").write_text(HEAD + rows(0, 7))
    with pytest.raises(Crash):
        await bench.round(step=Countdown(5).step)
    (bench.inbox / "a.csv").write_text(HEAD + rows(20, 3))
    await bench.round()
    assert set(bench.events) == {f"D{n}" for n in (*range(7), *range(20, 23))}
    assert not bench.letters


async def test_a_rest_that_is_gone_is_said(bench: Bench) -> None:
    (bench.inbox / "a.csv").write_text(HEAD + rows(0, 7))
    with pytest.raises(Crash):
        await bench.round(step=Countdown(5).step)
    (bench.inbox / "a.csv").unlink()
    for path in bench.own.iterdir():
        path.unlink()
    await bench.round()
    (letter,) = bench.letters.values()
    assert "the rest of it is lost" in letter.detail
    assert await bench.round() == 0


async def test_a_file_that_is_sent_again_is_all_duplicates_and_another_content_is_new(bench: Bench) -> None:
    for content in (rows(0, 4), rows(0, 4), rows(0, 5)):
        (bench.inbox / "a.csv").write_text(HEAD + content)
        os.utime(bench.inbox / "a.csv", ns=(len(bench.receipts()) * 10**9,) * 2)
        await bench.round()
    assert sorted((each["events"], each["duplicates"]) for each in bench.receipts()) == [(4, 0), (4, 4), (5, 4)]


async def test_files_may_stay_where_they_are(bench: Bench) -> None:
    bench.keys["after"] = "keep"
    (bench.inbox / "a.csv").write_text(HEAD + rows(0, 4))
    assert await bench.round() == 2
    assert await bench.round() == 0
    (bench.inbox / "a.csv").write_text(HEAD + rows(0, 5))
    assert await bench.round() == 2
    assert (set(bench.events), bench.duplicates, bench.names()) == ({f"D{n}" for n in range(5)}, 4, ["a.csv"])
    (bench.inbox / "a.csv").unlink()
    (bench.inbox / "b.csv").write_text(HEAD + rows(9, 1))
    await bench.round()
    assert bench.position is not None
    assert list(bench.position["kept"]) == ["b.csv"]


async def test_a_file_that_cannot_be_read_is_set_aside_and_costs_the_others_nothing(bench: Bench) -> None:
    (bench.inbox / "a.xlsx").write_bytes(b"PK\x03\x04 nonsense")
    (bench.inbox / "b.csv.gz").write_bytes(gzip.compress((HEAD + rows(0, 4000)).encode())[:-3000])
    (bench.inbox / "c.csv").write_text("no;such;heading\n")
    (bench.inbox / "d.csv").write_text(HEAD + rows(0, 1))
    (bench.inbox / "e.csv").write_text("")
    await bench.round()
    assert bench.names() == []
    assert len([name for name in bench.names("rejected") if name.endswith(".receipt.json")]) == 4
    assert {each["file"]: bool(each["error"]) for each in bench.receipts()} == {
        "a.xlsx": True, "b.csv.gz": True, "c.csv": True, "d.csv": False, "e.csv": True,
    }  # fmt: skip
    assert sorted(letter.place for letter in bench.letters.values()) == ["a.xlsx", "b.csv.gz", "c.csv", "e.csv"]
    assert all(letter.detail.startswith("the file cannot be read") for letter in bench.letters.values())


async def test_a_record_is_translated_by_the_profile_of_today(bench: Bench) -> None:
    (bench.inbox / "a.csv").write_text(HEAD + rows(0, 1) + rows(1, 1, unit="PAL"))
    await bench.round()
    (letter,) = bench.letters.values()
    assert "the unit 'PAL' is not declared" in letter.detail
    with pytest.raises(Unreadable, match="PAL"):
        await bench.source().replay(letter.record)
    (bench.inbox.parent / "wms.toml").write_text(PROFILE.replace("DZ = 12", "DZ = 12\nPAL = 480"))
    (event,) = await bench.source().replay(letter.record)
    assert (await bench.post_events([event])).accepted == 1
    assert bench.events["D1"]["data"]["qty"] == 960


@pytest.mark.parametrize("record", [b"", b"nothing", b"#stockline file a.pdf\nx", b"#stockline file a.csv\n"])
async def test_a_record_that_is_none_is_said(bench: Bench, record: bytes) -> None:
    with pytest.raises(Unreadable):
        await bench.source().replay(record)


async def test_links_and_devices_are_left_alone(bench: Bench) -> None:
    secret = bench.inbox.parent / "secret.csv"
    secret.write_text(HEAD + rows(0, 1))
    (bench.inbox / "a.csv").symlink_to(secret)
    os.mkfifo(bench.inbox / "b.csv")
    (bench.inbox / "c.csv").mkdir()
    assert await bench.round() == 0
    with pytest.raises(Unreachable):
        await LocalPlace(bench.inbox).fetch("a.csv", bench.own / "x")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a.csv", "a/b.csv", "a\\b.csv", "a\0.csv", "a\n.csv", "\N{RIGHT-TO-LEFT OVERRIDE}vsc.exe"],
)
def test_names_that_lead_elsewhere_or_show_as_others_are_no_files(name: str) -> None:
    assert not is_safe(name)
    assert is_safe("Größe 1 (neu).csv")


async def test_a_marker_goes_with_its_file(bench: Bench) -> None:
    bench.keys["ready"] = "marker"
    (bench.inbox / "a.csv").write_text(HEAD + rows(0, 1))
    assert await bench.round() == 0
    (bench.inbox / "a.csv.done").touch()
    assert await bench.round() == 1
    assert bench.names() == []


async def test_a_folder_that_is_away_and_a_disk_that_is_full_are_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bench.inbox / "a.csv").write_text(HEAD + rows(0, 1))
    bench.inbox.rename(bench.inbox.parent / "away")
    with pytest.raises(Unreachable, match="No such file"):
        await bench.round()
    (bench.inbox.parent / "away").rename(bench.inbox)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFull, match="stays where it is"):
            await bench.round()
    assert await bench.round() == 1


async def test_an_unread_profile_and_too_many_files_are_wrong_usage(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.keys["after"] = "keep"
    monkeypatch.setattr("connectors.folder.source.MAX_KEPT", 1)
    for name in ("a.csv", "b.csv"):
        (bench.inbox / name).write_text(HEAD)
    with pytest.raises(UsageError, match="set after"):
        await bench.round()


@pytest.mark.parametrize(
    "change",
    [
        {"archive": ".."},
        {"archive": "a/b"},
        {"marker": "done"},
        {"sftp": {"host": "h", "user": "u", "known_hosts": "k"}},
        {"sftp": {"host": "h", "user": "u", "password": {"env": "P"}}},
    ],
)
def test_a_profile_that_leads_astray_is_refused(bench: Bench, change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Profile.model_validate(bench.keys | change)


async def test_a_server_is_not_spoken_to_without_known_hosts(tmp_path: Path) -> None:
    keys = {"host": "127.0.0.1", "port": 1, "user": "u", "known_hosts": tmp_path / "none", "key": {"env": "K"}}
    with pytest.raises(UsageError, match="known hosts is missing"):
        await sftp.SftpPlace(Sftp.model_validate(keys), "in").connect()
