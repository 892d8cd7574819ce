"""A campaign from its draft to its end, with simulated agents."""

from datetime import timedelta

from msp.campaigns import services
from tenants.foundation import time
from tests.msp.campaigns import fleet


def test_a_campaign_reaches_every_asset_once(app, cast, machines):
    rollout = fleet.start(fleet.draft(app, cast))
    assert rollout.state == "running"
    assert [(lane.ordinal, lane.state, lane.member_count) for lane in rollout.lanes()] == [
        (1, "open", 1),
        (2, "waiting", 3),
        (2, "waiting", 2),
    ]
    for _ in range(4):
        for machine in machines:
            machine.cycle()
        rollout.tick()
    assert rollout.outcomes() == {"success": 6}
    assert rollout.state == "completing"
    assert rollout.tick(at=time.now() + timedelta(seconds=31)) == "completed"
    assert all(list(machine.applied.values()) == [1] for machine in machines)


def test_one_failing_wave_stops_the_campaign(app, cast, machines):
    rollout = fleet.start(fleet.draft(app, cast))
    for machine in machines:
        machine.fails = machine.slug == "provider"
        machine.cycle()
    assert rollout.tick() == "paused"
    for machine in machines:
        machine.cycle()
    rollout.tick()
    assert rollout.outcomes() == {"failed": 1, "planned": 5}
    with app.app_context(), rollout.seen():
        assert rollout.load().pause_cause == "failure"
    assert [lane.state for lane in rollout.lanes()] == ["failed", "waiting", "waiting"]
    numbers = next(one for one in rollout.decisions() if one.kind == "lane" and one.result == "failed").inputs
    assert (numbers["counts"]["bad"], numbers["counts"]["members"]) == (1, 1)
    assert not rollout.act("Nadia", services.resume_campaign, reason="it was the disk", at=time.now())
    assert not rollout.act("Nadia", services.resume_campaign, reason="really", at=time.now())
    assert rollout.act("Owen", services.resume_campaign, reason="agreed", at=time.now())
    rollout.tick()
    assert [lane.state for lane in rollout.lanes()] == ["passed", "open", "open"]
