"""The table of jobs: what each kind of work calls, on which queue, in whose scope."""

from collections.abc import Callable
from dataclasses import dataclass

from msp.background.doorbell import QUEUES
from tenants.foundation.scope import Scope, of_tenant
from tenants.foundation.work import Claimed

Handler = Callable[[Claimed], None]
ScopeOf = Callable[[Claimed], Scope]


def own_tenant(claimed: Claimed) -> Scope:
    """The usual scope of a job: the tenant of its row."""
    return of_tenant(claimed.tenant_id)


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of work: its handler, queue and scope."""

    kind: str
    handler: Handler
    queue: str
    scope: ScopeOf


JOBS: dict[str, Job] = {}


def job(kind: str, *, queue: str = "default", scope: ScopeOf = own_tenant) -> Callable[[Handler], Handler]:
    """Declare a handler; the wrapper gives it a scope and a transaction, and alone commits."""
    if queue not in QUEUES:
        raise ValueError(f"{queue} has no worker")

    def declare(handler: Handler) -> Handler:
        if kind in JOBS:
            raise ValueError(f"{kind} is declared twice")
        JOBS[kind] = Job(kind, handler, queue, scope)
        return handler

    return declare
