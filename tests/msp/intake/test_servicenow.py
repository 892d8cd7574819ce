"""Reading the log: every fault by its line, every event once and in its order."""

from datetime import UTC, datetime

import pytest

from msp.intake.servicenow import TWIN, Unreadable, read_log
from tests.msp.intake.incidents import COLUMNS, row, write

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def read(path, zone="Asia/Jakarta"):
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        return read_log(lines, zone, NOW)


def test_a_row_in_our_words(tmp_path):
    (found,), faults = read(write(tmp_path / "log.csv", row()))
    assert not faults
    assert (found.line, found.number, found.sequence) == (2, "INC1", 0)
    assert found.at == datetime(2026, 3, 2, 3, 5, tzinfo=UTC)
    assert found.opened_at == datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
    assert (found.state, found.reason, found.priority) == ("new", None, "P3")
    assert (found.impact, found.urgency, found.group) == ("medium", "medium", "Group 1")
    assert found.subject == "Category 5: Symptom 2"
    assert found.resolved_at is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Active", ("in_progress", None)),
        ("Awaiting User Info", ("waiting", "requester")),
        ("Awaiting Evidence", ("waiting", "requester")),
        ("Awaiting Vendor", ("waiting", "vendor")),
        ("Awaiting Problem", ("waiting", "change")),
        ("Resolved", ("resolved", None)),
        ("Closed", ("closed", None)),
    ],
)
def test_states(tmp_path, state, expected):
    (found,), _ = read(write(tmp_path / "log.csv", row(incident_state=state)))
    assert (found.state, found.reason) == expected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"incident_state": "-100"}, 'incident_state "-100" is not known'),
        ({"number": "?"}, "number must have"),
        ({"number": "x" * 81}, "number must have"),
        ({"sys_mod_count": "many"}, 'sys_mod_count "many"'),
        ({"sys_mod_count": "-1"}, "sys_mod_count"),
        ({"sys_mod_count": "²"}, "sys_mod_count"),
        ({"sys_mod_count": "9999999"}, "sys_mod_count"),
        ({"sys_updated_at": "?"}, "sys_updated_at is unknown"),
        ({"sys_updated_at": "2026-03-02 10:05"}, "is no time like"),
        ({"sys_updated_at": "31-02-2026 10:05"}, "is no time like"),
        ({"sys_updated_at": "20-11-2027 10:05"}, "lies in the future"),
        ({"opened_at": "yesterday"}, 'opened_at "yesterday"'),
        ({"priority": "5 - Planning"}, 'priority "5 - Planning" is not known'),
        ({"impact": "?"}, "impact"),
        ({"urgency": ""}, "urgency"),
        ({"caller_id": "a\x00b"}, ""),
        ({"category": "one,two"}, "has 18 cells instead of 17"),
        ({"category": '"open'}, "is no row"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path, changes, reason):
    rows = [row(number="INC0"), row(**changes), row(number="INC9")]
    _found, faults = read(write(tmp_path / "log.csv", *rows))
    assert [fault.line for fault in faults][:1] == [3]
    assert reason in faults[0].reason


def test_bytes_that_are_no_text_spoil_their_row_only(tmp_path):
    path = write(tmp_path / "log.csv", row(number="INC0"), row(caller_id="XX"), row(number="INC9"))
    path.write_bytes(path.read_bytes().replace(b"XX", b"\xff\xfe"))
    found, faults = read(path)
    assert [one.number for one in found] == ["INC0", "INC9"]
    assert [fault.line for fault in faults] == [3]


def test_a_mark_of_byte_order_is_no_part_of_the_first_column(tmp_path):
    path = write(tmp_path / "log.csv", row())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read(path)[0]) == 1


@pytest.mark.parametrize("columns", [COLUMNS[1:], ("a", "b")])
def test_a_file_without_the_columns_is_refused_whole(tmp_path, columns):
    with pytest.raises(Unreadable, match="no column number"):
        read(write(tmp_path / "log.csv", row(), columns=columns))


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "log.csv").write_text("")
    with pytest.raises(Unreadable, match="empty"):
        read(tmp_path / "log.csv")


def test_events_are_ordered_by_time_then_count(tmp_path):
    rows = [
        row(sys_mod_count="4", sys_updated_at="02-03-2026 10:07"),
        row(sys_mod_count="3", sys_updated_at="02-03-2026 10:07"),
        row(sys_mod_count="9", sys_updated_at="02-03-2026 10:06"),
    ]
    found, _ = read(write(tmp_path / "log.csv", *rows))
    assert [one.sequence for one in found] == [9, 3, 4]


def test_a_repeated_row_is_one_event_and_a_repeated_count_is_two(tmp_path):
    rows = [row(), row(), row(sys_updated_at="02-03-2026 10:09")]
    found, _ = read(write(tmp_path / "log.csv", *rows))
    assert [one.sequence for one in found] == [0, TWIN]


def test_times_are_the_client_s(tmp_path):
    (found,), _ = read(write(tmp_path / "log.csv", row()), zone="UTC")
    assert found.at == datetime(2026, 3, 2, 10, 5, tzinfo=UTC)
