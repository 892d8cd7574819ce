"""One table of periodic work: what the sweeper does besides ringing for due rows, and how often."""

from contracts.timers.sweep import sweep_due_side_timers, sweep_due_timers
from msp.account.jobs import forget_expired, sweep_misheld_tickets
from msp.api.idempotency import forget_old_answers
from msp.background.periodic import Periodic
from msp.campaigns.jobs import ring_due_campaigns
from msp.campaigns.restored import pause_restored
from msp.campaigns.sightings import FLUSH_SECONDS, flush_sightings
from msp.intake.chats.ending import sweep_idle_chats
from msp.intake.leftovers import sweep_leftover_files
from msp.intake.mail.erasing import erase_mails_of_the_gone
from msp.intake.mail.fetching import sweep_due_mailboxes
from msp.knowledge.jobs import sweep_seen_assets
from msp.knowledge.reading import forget_old_misses
from msp.reports.comparing import ask_for_checks
from msp.reports.jobs import ask_for_closings
from msp.staff.certificates import sweep_expiring
from msp.threads.visiting import sweep_due_visits
from msp.timers.jobs import sweep_due_closings, sweep_unsettled_rest
from msp.training.jobs import sweep_due_reminders
from msp.upkeep.opening import sweep_due_plans
from msp.upkeep.proposing import sweep_due_policies


def table() -> tuple[Periodic, ...]:
    """The schedule. Each entry is safe to run twice and in two sweepers at once."""
    return (
        Periodic("timers", 2, sweep_due_timers),
        Periodic("timers beside tickets", 2, sweep_due_side_timers),
        Periodic("closing of rested tickets", 5, sweep_due_closings),
        Periodic("closing times of tickets that have none", 600, sweep_unsettled_rest),
        Periodic("chats in which nobody speaks", 20, sweep_idle_chats),
        # Before campaigns are looked at for the first time.
        Periodic("campaigns of a restored database", 60, pause_restored),
        Periodic("campaigns", 1, ring_due_campaigns),
        Periodic("sightings of agents", FLUSH_SECONDS, flush_sightings),
        Periodic("tickets of people who may not hold them", 600, sweep_misheld_tickets),
        Periodic("visits that begin", 30, sweep_due_visits),
        Periodic("training on the next day", 300, sweep_due_reminders),
        Periodic("mailboxes", 5, sweep_due_mailboxes),
        Periodic("mails of clients that left", 3600, erase_mails_of_the_gone),
        # A part of the files in each hour of the day.
        Periodic("files that nobody owns", 1800, sweep_leftover_files),
        Periodic("upkeep", 60, sweep_due_plans),
        Periodic("patch policies", 60, sweep_due_policies),
        Periodic("certificates that expire", 3600, sweep_expiring),
        Periodic("steps of runbooks that wait for an asset", 30, sweep_seen_assets),
        Periodic("months to close", 600, ask_for_closings),
        Periodic("forget expired tries and sessions", 3600, forget_expired),
        Periodic("ask for nightly comparisons of timers", 3600, ask_for_checks),
        Periodic("forget answers to repeatable requests", 3600, forget_old_answers),
        Periodic("forget searches without an answer", 3600, forget_old_misses),
    )
