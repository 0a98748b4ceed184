"""Records that are not taken: the reject file, mended and sent again; the dry run; the engine's reasons in words."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from connectors.client import EngineUnreachable, Patience
from connectors.files import SendOptions, load_profile, send_files
from connectors.files.dry_run import Preview, preview_files
from connectors.files.sender import plan_files
from connectors.files.words import in_words
from engine.core.errors import UsageError
from engine.core.events import decode
from engine.core.outcomes import Rejection
from tests.unit.test_files_connector_send import SMALL, event, server, write

PROFILE = """
source = "wms"
id = "{doc}-{row}"
delimiter = ";"
encoding = "cp1252"
record_lines = 3
skip_lines = 1
time = { columns = ["at"], formats = ["%d.%m.%Y"] }
skip_matching = ["^Summe"]

[[rules]]
when = { kind = "OUT" }
type = "stock.issued"
data = { sku = { column = "article" }, location = "LDS", qty = { column = "qty", as = "integer" } }

[[rules]]
when = { kind = "INFO" }
skip = "information"
"""
HEAD = "Export für Köln\r\ndoc;at;kind;article;qty\r\n"
ROWS = (
    "D1;02.03.2026;OUT;A;1\r\n"
    "D2;02.03.2026;OUT;Ä;x\r\n"
    "D3;02.03.2026;OUT;A;0\r\n"
    'D4;02.03.2026;OUT;"A;""B""";zwei\r\n'
    "D5;02.03.2026;INFO;A;1\r\n"
    "Summe;;\r\n"
    'D6;02.03.2026;OUT;="0012";3\r\n'
)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "wms.toml"
    path.write_text(PROFILE)
    return path


def export(folder: Path, rows: str = ROWS) -> Path:
    path = folder / "export.csv"
    path.write_bytes((HEAD + rows).encode("cp1252"))
    return path


def test_the_reject_file_holds_heading_reasons_and_the_exact_rows(tmp_path: Path, profile: Path) -> None:
    path = export(tmp_path)
    with server() as engine:
        report = send_files([str(path)], engine.url, profile, options=SMALL).files[0]
    assert (report.accepted, report.refused, report.broken) == (2, 1, 2)
    assert report.skipped == {"information": 1, "a line that `skip_matching` names": 1}
    assert report.rejects == str(tmp_path / "export.rejects.csv")
    assert (tmp_path / "export.rejects.csv").read_bytes().decode("cp1252").splitlines() == [
        "Export für Köln",
        "doc;at;kind;article;qty",
        "#stockline line 4: qty: 'x' is not a number",
        "D2;02.03.2026;OUT;Ä;x",
        "#stockline line 5: invalid_event",
        "D3;02.03.2026;OUT;A;0",
        "#stockline line 6: qty: 'zwei' is not a number",
        'D4;02.03.2026;OUT;"A;""B""";zwei',
    ]


def test_a_reject_file_that_is_mended_gives_the_ids_of_the_original(tmp_path: Path, profile: Path) -> None:
    path = export(tmp_path)
    with server() as engine:
        send_files([str(path)], engine.url, profile, options=SMALL)
        rejects = tmp_path / "export.rejects.csv"
        mended = rejects.read_bytes().replace(b";x", b";7").replace(b";0\n", b";8\n").replace(b"zwei", b"2")
        rejects.write_bytes(mended)
        report = send_files([str(rejects)], engine.url, profile, options=SMALL).files[0]
        assert (report.accepted, report.broken, report.refused, report.rejects) == (3, 0, 0, None)
        found = {json.loads(line)["id"]: json.loads(line)["data"] for line in engine.events.values()}
    assert {name: (data["sku"], data["qty"]) for name, data in found.items()} == {
        "D1-3": ("A", 1),
        "D2-4": ("Ä", 7),
        "D3-5": ("A", 8),
        "D4-6": ('A;"B"', 2),
        "D6-9": ("0012", 3),
    }


def test_a_transfer_that_is_cut_off_writes_each_reject_once(tmp_path: Path, profile: Path) -> None:
    rows = "".join(f"D{n};02.03.2026;OUT;A;{n if n % 3 else 'x'}\r\n" for n in range(60))
    path = export(tmp_path, rows)
    rejects = tmp_path / "export.rejects.csv"
    with server() as engine:
        whole = send_files([str(path)], engine.url, profile, options=SMALL)
        expected = rejects.read_bytes()
        assert (whole.files[0].broken, expected.count(b"#stockline")) == (20, 20)
        rejects.unlink()
        state = tmp_path / "export.csv.stockline-sent"
        state.unlink()
        original, count = type(engine).take, 0

        def fails_in_the_middle(self: Any, line: bytes) -> str | None:
            nonlocal count
            count += 1
            if count == 25:
                raise RuntimeError
            return original(self, line)

        type(engine).take = fails_in_the_middle  # type: ignore[method-assign]
        try:
            with pytest.raises(Exception, match="500"):
                send_files([str(path)], engine.url, profile, options=SMALL)
        finally:
            type(engine).take = original  # type: ignore[method-assign]
        # What a crash leaves behind the position that was saved is cut off.
        rejects.write_bytes(rejects.read_bytes() + b"#stockline line 99: half a li")
        send_files([str(path)], engine.url, profile, options=SMALL)
    assert rejects.read_bytes() == expected


def test_rejects_of_an_earlier_call_are_not_overwritten(tmp_path: Path, profile: Path) -> None:
    path = export(tmp_path)
    with server() as engine:
        send_files([str(path)], engine.url, profile, options=SMALL)
        (tmp_path / "export.rejects.csv").write_text("half mended")
        again = SendOptions(restart=True)
        send_files([str(path)], engine.url, profile, options=again)
    assert (tmp_path / "export.rejects.csv.before").read_text() == "half mended"
    assert b"line 4" in (tmp_path / "export.rejects.csv").read_bytes()


def test_lines_of_events_are_set_aside_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [event(0), b"not json", event(1)])
    with server() as engine:
        report = send_files([path], engine.url, options=SMALL).files[0]
        rejects = tmp_path / "a.rejects.ndjson"
        assert report.rejects == str(rejects)
        assert rejects.read_bytes().startswith(b"#stockline line 2: not_json")
        rejects.write_bytes(rejects.read_bytes().replace(b"not json", event(2)))
        assert send_files([str(rejects)], engine.url, options=SMALL).accepted == 1


def test_a_reject_file_is_of_one_file_and_never_that_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [event(0)])
    with pytest.raises(UsageError, match="overwrite"):
        plan_files([path], rejects=tmp_path / "a.ndjson")
    with pytest.raises(UsageError, match="belongs to one file"):
        plan_files([path, path], rejects=tmp_path / "r.ndjson")


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
@pytest.mark.parametrize("text", [b"[{}]", b'\xef\xbb\xbf \n[\n{"id":"1"}\n]\n', b'{\r\n  "id": "1"\r\n}\r\n'])
def test_a_document_of_json_is_no_file_of_events(tmp_path: Path, name: str, text: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    with pytest.raises(UsageError, match="one event in each line"):
        plan_files([str(path)])


def test_a_file_of_events_may_be_called_json(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [event(0), b"[", event(1)])
    with server() as engine:
        report = send_files([path], engine.url, options=SMALL)
    assert (report.accepted, report.files[0].refused) == (2, 1)


def test_a_dry_run_counts_and_shows_and_sends_nothing(tmp_path: Path, profile: Path) -> None:
    path = export(tmp_path, ROWS + "D7;02.03.2026;OUT;A")
    plan = plan_files([str(path)], profile)
    (preview,) = preview_files(plan).files
    assert (preview.events, dict(preview.by_type)) == (2, {"stock.issued": 2})
    told = json.loads(json.dumps(Preview([preview]).as_dict()))["files"][0]
    assert (told["skipped"], told["by_type"]) == (dict(preview.skipped), dict(preview.by_type))
    assert (preview.broken, preview.refused, dict(preview.skipped)) == (
        2,
        1,
        {"information": 1, "a line that `skip_matching` names": 1},
    )
    assert [first["data"]["sku"] for first in preview.first] == ["A", "0012"]
    assert [(problem.line, problem.kind) for problem in preview.problems] == [
        (4, "broken"),
        (5, "refused"),
        (6, "broken"),
    ]
    assert preview.problems[1].reason == "invalid_event: data.qty must be a whole number of at least 1"
    assert (preview.unfinished and preview.unfinished.line, preview_files(plan).exit_code) == (10, 1)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["export.csv", "wms.toml"]


def test_a_dry_run_writes_the_rejects_where_it_is_told_to(tmp_path: Path, profile: Path) -> None:
    path, rejects = export(tmp_path), tmp_path / "out.csv"
    (preview,) = preview_files(plan_files([str(path)], profile, rejects), rejects=rejects).files
    assert (preview.rejects, rejects.read_bytes().count(b"#stockline line")) == (str(rejects), 3)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"data": {"qty": "x"}}, "data.qty is text, and must be a whole number"),
        ({"data": {"qty": 0}}, "data.qty must be a whole number of at least 1"),
        ({"data": {"colour": 1}}, "data.colour is no field of such an event"),
        ({"data": {"sku": ""}}, "data.sku must be text of at least 1 characters"),
        ({"type": "stock.lost"}, "type is not one of the values that it can have: 'stock.lost'"),
        ({"time": "2026-03-02"}, "time is not one of the values that it can have"),
        ({"time": "2026-03-02T08:00:00"}, "time has no offset"),
    ],
)
def test_reasons_of_the_engine_are_said_in_words(change: dict[str, Any], expected: str) -> None:
    body = json.loads(event(0))
    body["data"].update(change.pop("data", {}))
    body.update(change)
    rejection = decode(json.dumps(body).encode())
    assert isinstance(rejection, Rejection)
    said = in_words(f"{rejection.reason}: {rejection.detail}")
    assert "`" not in said
    assert "$" not in said
    assert expected in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("name = ", "is not TOML"),
        ("colour = 'red'", "colour: there is no such key"),
        ("format = 'klingon'", "no format is called klingon; known: csv"),
        ("rules = [{ type = 'stock.issued', data = { sku = { colum = 'a' } } }]", "rules.0.data.sku.column: this key"),
        (
            "rules = [{ type = 'stock.issued', data = { sku = { column = 'a', as = 'colour' } } }]",
            "'colour' is none of",
        ),
    ],
)
def test_faults_of_a_profile_are_said_in_its_own_words(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(line)
    with pytest.raises(UsageError) as refused:
        load_profile(path)
    assert said in str(refused.value)
    assert "pydantic" not in str(refused.value)
    assert "Field required" not in str(refused.value)


def test_memory_does_not_grow_with_the_file(tmp_path: Path, profile: Path) -> None:
    peaks = []
    for count in (1_000, 6_000):
        rows = "".join(f"D{n};02.03.2026;OUT;A;{n % 7}\r\n" for n in range(count))
        plan = plan_files([str(export(tmp_path, rows))], profile)
        tracemalloc.start()
        (preview,) = preview_files(plan, rejects=tmp_path / "rejects.csv").files
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert preview.events + preview.refused == count
    assert peaks[1] - peaks[0] < 700_000, peaks


def test_an_engine_that_is_away_leaves_no_reject_file(tmp_path: Path, profile: Path) -> None:
    path = export(tmp_path)
    with pytest.raises(EngineUnreachable):
        send_files([str(path)], "http://127.0.0.1:1", profile, options=SendOptions(patience=Patience(seconds=0.2)))
    assert not (tmp_path / "export.rejects.csv").exists()
