"""Canned replies know names and nothing else."""

import random

import pytest

from tenants.foundation.errors import Invalid
from tenants.tickets import replies
from tests.tickets import MONDAY, leo

VALUES = {
    "requester": "Bob $code {{subject}}",
    "code": "ACME-1",
    "subject": "$staff",
    "client": "Acme",
    "staff": "Tina",
    "provider": "NMS",
}
PIECES = (
    "{{7*7}}", "{% for x in y %}", "${7*7}", "${requester.__class__}", "$requester.__class__", "$code[0]",
    "$staff(1)", "<%= 7*7 %>", "#{7*7}", "*{7*7}", "@{7*7}", "[[${7*7}]]", "{{config}}", "{{''.__class__.__mro__}}",
    "{$smarty.version}", "%(code)s", "{code}", "{0.__class__}", "$", "$$", "$1", "$_", "${}", "${code", "$codes",
    "$Code", "${ code }", "$CODE", "$(id)", "`id`", "{php}echo 1;{/php}", "{{#with x}}{{/with}}", "<#assign x=1>",
    "~{x}", "${{7*7}}", "{{constructor.constructor('x')()}}", "$subject_", "$provider1", "\\$x", "$ſtaff",
)  # fmt: skip


def probes():
    """200 attacks, one piece each or several in a row."""
    dice = random.Random(7)
    joined = (
        "".join(dice.choices([one for one in PIECES if one not in ("$", "$$", "\\$x")], k=3))
        for _ in range(200)
    )
    return [*PIECES, *joined][:200]


@pytest.mark.parametrize("probe", probes())
def test_what_is_no_name_of_the_list_stays_as_it_is(probe):
    assert replies.fill(probe, VALUES) == probe


def test_names_are_filled_in_once():
    assert replies.fill("Dear $requester, ${code}: $subject. $client/$staff, $provider", VALUES) == (
        "Dear Bob $code {{subject}}, ACME-1: $staff. Acme/Tina, NMS"
    )


def test_a_missing_value_is_nothing():
    assert replies.fill("[$code]", {}) == "[]"


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 81), ("language", "fr"), ("body", " "), ("body", "a\x00")],
)
def test_bad_input_is_named(cast, within, field, value):
    given = {"name": "Hello", "language": "en", "body": "Hi", field: value}
    with within("Mia"), pytest.raises(Invalid) as refused:
        replies.save_reply(None, **given, by=leo(cast), at=MONDAY)
    assert refused.value.field == field
