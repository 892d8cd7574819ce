"""What comes back by itself: upkeep at two clients, a window, a freeze at the year's end, and a patch policy."""

from datetime import UTC, date, datetime, time

from msp.demo.seed.people import actor_of
from msp.demo.seed.times import Stage
from msp.upkeep import policies
from msp.upkeep.services import Plan, add_plan
from msp.windows.rules import Recurring
from msp.windows.services import add_freeze, add_window
from tenants.foundation.db import db
from tenants.foundation.scope import enter

JAKARTA = "Asia/Jakarta"


def plan(stage: Stage) -> None:
    """Agree on it as the manager would."""
    by = actor_of(stage, "bagus")
    with enter(by.scope()):
        today = stage.now.date()
        clinic, coffee = stage.tenants["klinik-sehat"], stage.tenants["kopi-senja"]
        add_window(
            tenant_id=clinic,
            name="Malam Minggu",
            rule="FREQ=WEEKLY;BYDAY=SA",
            first_on=today,
            starts_at=time(22),
            minutes=300,
            time_zone=JAKARTA,
            by=by,
            at=stage.now,
        )
        add_freeze(
            tenant_id=coffee,
            name="Libur akhir tahun",
            begins_at=datetime(today.year, 12, 23, 17, tzinfo=UTC),
            ends_at=datetime(today.year + 1, 1, 3, 17, tzinfo=UTC),
            by=by,
            at=stage.now,
        )
        _plans(stage, today)
        policies.add_policy(
            policies.Policy(
                name="Pembaruan kritis server",
                tenant_ids=[coffee, stage.tenants["batik-lestari"]],
                asset_kind="server",
                severity="critical",
                least_age_days=3,
                rule=Recurring("FREQ=MONTHLY;BYDAY=2TU", today, time(9), 60, JAKARTA),
            ),
            by=by,
            at=stage.now,
        )
        db.session.commit()


def _plans(stage: Stage, today: date) -> None:
    by = actor_of(stage, "bagus")
    backups = Plan(
        title="Uji pemulihan cadangan",
        rule=Recurring("FREQ=MONTHLY;BYDAY=1MO", today, time(9), 120, JAKARTA),
        checklist=("Pulihkan satu berkas", "Bandingkan isinya", "Catat lamanya"),
        tier="L2",
    )
    add_plan(stage.tenants["kopi-senja"], backups, by=by, at=stage.now)
    printers = Plan(
        title="Bersihkan printer kasir",
        rule=Recurring("FREQ=MONTHLY;BYMONTHDAY=15", today, time(10), 90, JAKARTA),
        checklist=("Bersihkan kepala cetak", "Ganti kertas", "Cetak halaman uji"),
    )
    add_plan(stage.tenants["batik-lestari"], printers, by=by, at=stage.now)
