"""A hundred thousand broken mails, each of which ends somewhere and none of which is uncaught."""

import os

import pytest

from tests import mails, mutations
from tests.msp.intake.test_hostile import count_by_state

MAILS = int(os.environ.get("PROVE_CASES", "100000"))
BATCH = 1_000


@pytest.mark.prove
def test_many_broken_mails(app, cast):
    with app.app_context():
        box = mails.add_mailbox(cast, default="acme")
    for seed in range(max(1, MAILS // BATCH)):
        broken = mutations.mutated(min(BATCH, MAILS), seed=1_000 + seed)
        marked = (raw + b"%d\n" % seed for raw in broken)
        mails.bring(app, cast, box, *marked, deferred=False)
    found = count_by_state(app, cast)
    expected = max(1, MAILS // BATCH) * min(BATCH, MAILS)
    print(f"broken mails: {expected}; {dict(found)}; uncaught: 0")
    assert found.total() == expected
    assert set(found) <= {"ticket", "bounce", "quarantined", "dropped"}
