"""What tests of campaigns have in common: machines, gates that let much pass, and small steps."""

from dataclasses import replace
from datetime import timedelta

from tenants.foundation import time
from tests.msp.campaigns import fleet

PATIENT = replace(fleet.QUICK, start_seconds=30 * 86400, silent_seconds=10**7)
LONG = fleet.replace_gate(lane_seconds=40 * 86400)
WIDE = fleet.replace_gate(max_bad=50, min_sample=50, pass_pct=1, max_gone_pct=100)


def enrol(app, cast, **counts):
    return [
        agent
        for slug, count in counts.items()
        for agent in fleet.enrol(app, cast.tenants[slug], slug, [f"{slug}-{n}" for n in range(count)])
    ]


def later(**more):
    return time.now() + timedelta(**more)


def cycle(machines, at=None):
    """Every machine does what it is told, and a second later tells what it holds."""
    begun = at or time.now()
    for moment in (begun, begun + timedelta(seconds=1)):
        with time.frozen(moment):
            for machine in machines:
                machine.cycle()


def each(machines):
    """Every machine does what it is told."""
    for machine in machines:
        machine.cycle()


def look(rollout):
    """The portal looks, after all that `cycle` told has arrived."""
    return rollout.tick(at=later(seconds=2))


def first_passes(rollout, machines):
    machines[0].cycle()
    assert rollout.tick() == "running"


def ends(rollout, tenant_id=None):
    return [
        (one.state, one.reason) for one in rollout.lanes() if tenant_id is None or one.tenant_id == tenant_id
    ]


def begin(machine):
    """The machine takes up what it is offered, and goes no further."""
    action = machine.offered()
    machine.take(action)
    machine.report(action, "proceeding")
    return action
