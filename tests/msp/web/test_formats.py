"""Values in words, in both languages."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask_babel import force_locale

from contracts.clock.clock import State
from contracts.timers.queries import Badge
from msp.web.formats import (
    bytes_words,
    clock_time,
    day,
    duration_words,
    initials,
    is_at_risk,
    moment,
    money,
    month,
    number,
    percent,
    relative,
    time_badge,
    waiting_words,
)
from tests.msp.web.samples import HOUR, NOW, small_app, verdict

NBSP, NARROW = "\u00a0", "\u202f"


@pytest.fixture(autouse=True)
def reading() -> Iterator[None]:
    with small_app().app_context():
        yield


@pytest.mark.parametrize(
    ("seconds", "wall", "business"),
    [
        (0, "0 s", "0 s"),
        (59.9, "59 s", "59 s"),
        (60, "1 min", "1 min"),
        (3599, "59 min", "59 min"),
        (7800, "2 h 10 min", "2 h 10 min"),
        (7200, "2 h", "2 h"),
        (93_600, "1 d 2 h", "26 h"),
        (172_800, "2 d", "48 h"),
        (-4800, "−1 h 20 min", "−1 h 20 min"),
    ],
)
def test_durations_have_two_units_and_business_time_no_days(seconds: float, wall: str, business: str) -> None:
    assert duration_words(seconds) == wall
    assert duration_words(seconds, business=True) == business


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(130, "in 2 h 10 min"), (-5, "5 min ago"), (0, "just now"), (0.5, "in a moment"), (-0.9, "just now")],
)
def test_a_moment_is_told_from_now(minutes: float, words: str) -> None:
    assert relative(NOW + timedelta(minutes=minutes), NOW) == words


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Asia/Jakarta", "Fri 20 Nov 2026 13:30 WIB"),
        ("Asia/Makassar", "Fri 20 Nov 2026 14:30 WITA"),
        ("Asia/Jayapura", "Fri 20 Nov 2026 15:30 WIT"),
        ("Asia/Kathmandu", "Fri 20 Nov 2026 12:15 UTC+05:45"),
        ("UTC", "Fri 20 Nov 2026 06:30 UTC"),
        (None, "Fri 20 Nov 2026 13:30 WIB"),
    ],
)
def test_a_moment_names_its_zone(zone: str | None, words: str) -> None:
    assert moment(NOW, zone) == words


def test_a_moment_leaves_out_what_it_shares_with_now() -> None:
    assert moment(NOW + timedelta(hours=2), "Asia/Jakarta", NOW) == "15:30 WIB"
    assert moment(NOW + timedelta(hours=12), "Asia/Jakarta", NOW) == "Sat 21 Nov 01:30 WIB"
    assert moment(NOW - timedelta(days=400), "Asia/Jakarta", NOW) == "Thu 16 Oct 2025 13:30 WIB"
    assert moment(None) == "–"


def test_outside_a_page_moments_are_utc() -> None:
    assert clock_time(datetime(2026, 11, 20, 6, 30, tzinfo=UTC), "Asia/Jakarta") == "13:30 WIB"


def test_dates_and_numbers_follow_the_language() -> None:
    on = date(2026, 11, 20)
    assert (day(on), month(on), number(12345.6, 1)) == (
        "Friday, 20 November 2026",
        "November 2026",
        "12,345.6",
    )
    with force_locale("id"):
        assert (day(on), month(on), number(12345.6, 1)) == (
            "Jumat, 20 November 2026",
            "November 2026",
            "12.345,6",
        )
        assert moment(NOW, "Asia/Makassar") == "Jum 20 Nov 2026 14:30 WITA"
    assert day(None) == "–"


def test_money_has_its_currency_and_no_idle_decimals() -> None:
    assert money(Decimal(12_500_000), "IDR") == f"IDR{NBSP}12,500,000"
    assert money(Decimal("12.5"), "USD") == f"${NBSP}12.50"
    with force_locale("id"):
        assert money(Decimal(12_500_000), "IDR") == f"Rp{NBSP}12.500.000"
        assert money(Decimal(-1500), "IDR") == f"−Rp{NBSP}1.500"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1400, "1.4 kB"),
        (482_113, "482 kB"),
        (999_999, "1.0 MB"),
        (17_179_869_184, "17.2 GB"),
        (10**16, "10,000 TB"),
    ],
)
def test_sizes_are_in_units_of_thousand(size: int, words: str) -> None:
    assert bytes_words(size) == words.replace(" ", NBSP)


def test_a_percentage_never_rounds_up_to_all() -> None:
    assert percent(0.9999) == f"99.9{NARROW}%"
    assert percent(Decimal(1)) == f"100{NARROW}%"
    assert percent(0.984) == f"98.4{NARROW}%"
    assert percent(None, none="none due") == "none due"


def test_initials_stand_for_any_name() -> None:
    assert [
        initials(name) for name in ("Dewi Lestari", "Rina", "Muhammad bin Ali", "", "<script>", "  ")
    ] == [
        "DL",
        "R",
        "MA",
        "?",
        "?",
        "?",
    ]


# -- clocks -----------------------------------------------------------------------------------------------


def test_a_running_clock_is_quiet_and_says_what_is_left() -> None:
    badge = time_badge(verdict("running", 2 * HOUR), NOW, "Asia/Jakarta")
    assert (badge.words, badge.due, badge.tone, badge.icon) == ("6 h left", "19:30 WIB", "", "clock")
    assert badge.detail == "2 h of 8 h business time used."


@pytest.mark.parametrize(("used", "risky"), [(6 * HOUR - 1, False), (6 * HOUR, True), (8 * HOUR, True)])
def test_amber_begins_at_three_quarters(used: int, risky: bool) -> None:
    assert is_at_risk(verdict("running", used)) is risky
    assert (time_badge(verdict("outside_hours", used), NOW).tone == "risk") is risky


@pytest.mark.parametrize("state", ["paused", "met", "not_applicable"])
def test_amber_is_only_for_clocks_that_can_still_be_missed(state: str) -> None:
    assert time_badge(verdict(state, 7 * HOUR), NOW).tone not in ("risk", "missed")


def test_a_miss_is_red_and_says_by_how_much() -> None:
    badge = time_badge(verdict("missed", 9 * HOUR + 1200), NOW, "Asia/Jakarta")
    assert (badge.words, badge.tone, badge.due) == ("Missed by 1 h 20 min", "missed", "12:10 WIB")


def test_a_pause_says_for_whom_and_where_the_clock_stands() -> None:
    waiting = verdict("paused", 3 * HOUR + 1200, due=None)
    badge = time_badge(
        waiting, NOW, "Asia/Jakarta", reason="requester", since=NOW - timedelta(days=3), audience="requester"
    )
    assert badge.words == "Paused: waiting for you"
    assert badge.detail == "Since Tue 17 Nov 13:30 WIB. The clock stands at 3 h 20 min of 8 h."
    assert time_badge(waiting, NOW, reason="vendor").words == "Paused: waiting for the vendor"
    assert time_badge(waiting, NOW).detail == "The clock stands at 3 h 20 min of 8 h."
    assert waiting_words("something new") == "waiting"


@pytest.mark.parametrize("state", ["paused", "missed", "running", "outside_hours"])
def test_a_list_shows_a_clock_of_which_it_does_not_know_what_is_left(state: str) -> None:
    unknown = Badge("resolution", State(state), None, None, NOW, 8 * HOUR)
    badge = time_badge(unknown, NOW, reason="requester", audience="requester")
    assert badge.words in ("Paused: waiting for you", "Missed", "No due time")
    assert not is_at_risk(replace(unknown, due_at=NOW))


def test_other_clocks_say_what_they_are() -> None:
    assert time_badge(verdict("met", HOUR), NOW).words == "Met"
    assert time_badge(verdict("not_applicable", 0, 0, None), NOW).words == "No target"
    never = time_badge(verdict("outside_hours", 0, due=None), NOW)
    assert (never.words, never.due, never.tone) == ("No due time", "", "")
