"""Progress of long work: shown every second, and the lease kept meanwhile, each in a transaction of its own."""

from collections.abc import Callable
from time import monotonic

from tenants.foundation import work
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.foundation.work import Claimed

SHOWN_EVERY_SECONDS = 1.0
RENEWED_EVERY_SECONDS = 15.0


def ticker(claimed: Claimed, show: Callable[[int], object]) -> Callable[[int], None]:
    """A function to call with how much is done, as often as one likes; `show` writes it down in the tenant's scope.

    What `show` raises ends the work. Raises FenceLost when the lease was lost.
    """
    shown = renewed = monotonic()

    def tick(done: int) -> None:
        nonlocal shown, renewed
        now = monotonic()
        if now - shown >= SHOWN_EVERY_SECONDS:
            shown = now
            with enter(of_tenant(claimed.tenant_id)):
                show(done)
                db.session.commit()
        if now - renewed >= RENEWED_EVERY_SECONDS:
            renewed = now
            _renew(claimed)

    return tick


def _renew(claimed: Claimed) -> None:
    with enter(sweeper()):
        work.renew(db.session(), claimed)
        db.session.commit()
