"""What the numbers may be said to say."""

from datetime import UTC, datetime, timedelta

import pytest
from flask_babel import force_locale

from msp.training.rules import Effect, Group, Verdict, judge, per_head, reminder_for
from msp.training.words import find_words
from msp.web.formats import NARROW_SPACE

BEGAN = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
OVER = BEGAN + timedelta(days=90)


def effect(heads=3, before=6, after=4, others=(5, 0, 0)):
    return Effect(Group(heads, before, after), Group(*others))


@pytest.mark.parametrize(
    ("given", "at", "expected"),
    [
        (effect(), OVER, Verdict("told")),
        (effect(heads=2), OVER, Verdict("few_people")),
        # What will never be enough is said at once.
        (effect(heads=2), BEGAN, Verdict("few_people")),
        (effect(after=3), OVER, Verdict("few_tickets")),
        (effect(after=3, others=(5, 1, 0)), OVER, Verdict("told")),
        (effect(after=0, before=0), BEGAN, Verdict("not_yet", 90)),
        (effect(), OVER - timedelta(seconds=1), Verdict("not_yet", 1)),
        (effect(), BEGAN + timedelta(days=1, seconds=1), Verdict("not_yet", 89)),
    ],
)
def test_verdicts(given, at, expected):
    assert judge(given, BEGAN, at) == expected


def test_per_head():
    assert per_head(6, 3) == 2
    assert per_head(0, 0) is None
    assert Group(4, 8, 2).change == -0.75
    assert Group(4, 0, 2).change is None


def test_reminded_the_day_before_if_that_is_ahead():
    assert reminder_for(BEGAN, BEGAN - timedelta(days=2)) == BEGAN - timedelta(days=1)
    assert reminder_for(BEGAN, BEGAN - timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            effect(others=(5, 4, 4)),
            "After the class, those who came asked 33 % less than before, and the others as",
        ),
        (
            effect(before=4, after=8, others=(5, 0, 1)),
            "100 % more than before, and the others for the first time.",
        ),
        (effect(before=0, after=0, others=(5, 9, 3)), "asked nothing, as before, and the others 66 % less"),
        (effect(others=(0, 0, 0)), "After the class, those who came asked 33 % less than before."),
    ],
)
def test_findings(app, given, said):
    with app.test_request_context(), force_locale("en"):
        words = find_words(given, judge(given, BEGAN, OVER))
        assert said in words.replace(NARROW_SPACE, " ")
