"""`python -m tests.msp.timers.dying sweep|work before|after`: kills itself at the first commit of an effect."""

import os
import signal
import sys
from datetime import UTC, datetime

from sqlalchemy import event
from sqlalchemy.orm import Session

from contracts.timers import sweep
from msp.app import create_app
from msp.background.application import use
from msp.background.runner import run_all_due
from tenants.foundation import time
from tenants.foundation.scope import Role, current

AT = datetime(2026, 11, 17, 6, 6, tzinfo=UTC)


def die(_session: Session) -> None:
    """kill -9, once a tenant's work is about to be or has been committed."""
    if current().role is Role.WORKER:
        os.kill(os.getpid(), signal.SIGKILL)


def main(what: str, moment: str) -> None:
    """Begin the work; it does not end."""
    app = create_app()
    use(app)
    event.listen(Session, "before_commit" if moment == "before" else "after_commit", die)
    with app.app_context(), time.frozen(AT):
        {"sweep": sweep.sweep_due_timers, "work": run_all_due}[what]()


if __name__ == "__main__":
    main(*sys.argv[1:])
