"""I1 to I12, whatever people, clients, machines and faults do: many short lives here, very many in the proofs."""

from tests.msp.campaigns.lives import live

LIVES, STEPS = 500, 6


def test_every_promise_holds_in_many_short_lives(app, cast, database_name):
    done = live(app, cast, database_name, lives=LIVES, steps=STEPS, seed=2026)
    assert sum(count for what, count in done.items() if what.startswith("lives")) >= LIVES
    assert {"all", "tick", "pause", "consent", "freeze", "retired", "FLUSHALL", "late job"} <= set(done)
