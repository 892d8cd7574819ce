"""Sample values for the style guide: every component with every state, of companies that don't exist."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace as Thing
from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect
from markupsafe import Markup
from wtforms import (
    BooleanField,
    DateField,
    Form,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    validators,
    widgets,
)

from msp.web import charts, look, words

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"
HOUR = 3600


def choices(**named: str) -> list[SelectChoice]:
    """Choices of a select field."""
    return [SelectChoice(value, label) for value, label in named.items()]


class TicketForm(Form):
    """A form with every kind of field."""

    subject = StringField(
        "Subject", [validators.InputRequired()], description="One line that names the problem."
    )
    body = TextAreaField("What happens", [validators.InputRequired(), validators.Length(max=2000)])
    impact = SelectField("Impact", choices=choices(high="Everyone", medium="A team", low="One person"))
    urgency = RadioField("Urgency", choices=choices(high="Work stands still", low="It can wait"))
    sites = SelectMultipleField(
        "Sites",
        choices=choices(jkt="Jakarta", sby="Surabaya"),
        option_widget=widgets.CheckboxInput(),
        widget=widgets.ListWidget(prefix_label=False),
    )
    secret = PasswordField("Code")
    since = DateField("Since", [validators.Optional()])
    told = BooleanField("I spoke with the caller")


def verdict(state: str, used: int, target: int = 8 * HOUR, due: datetime | None = NOW) -> Any:
    """What a clock says, in seconds used of the target; without `due` it never comes."""
    shown = due if due is None else due + timedelta(seconds=target - used)
    return Thing(state=state, elapsed_seconds=used, remaining_seconds=target - used, due_at=shown)


def verdicts() -> list[tuple[str, Any, dict[str, Any]]]:
    """Each state of a clock with the words of its case."""
    waiting = {"reason": "requester", "since": NOW - timedelta(hours=3), "kind": "resolution"}
    return [
        ("running", verdict("running", 2 * HOUR), {"kind": "resolution"}),
        ("at risk", verdict("running", 7 * HOUR), {"kind": "resolution"}),
        ("outside hours", verdict("outside_hours", HOUR), {"kind": "update"}),
        ("paused", verdict("paused", 3 * HOUR + 1200, due=None), waiting),
        (
            "paused, for the requester",
            verdict("paused", 3 * HOUR, due=None),
            {**waiting, "audience": "requester"},
        ),
        ("met", verdict("met", HOUR), {"kind": "response"}),
        ("missed", verdict("missed", 9 * HOUR + 1200), {"kind": "resolution"}),
        ("not applicable", verdict("not_applicable", 0, 0, None), {"kind": "vendor"}),
        ("never due", verdict("outside_hours", 0, due=None), {"kind": "resolution"}),
    ]


def strip() -> list[Any]:
    """Two days of a ticket with all kinds of intervals."""
    start = datetime(2026, 11, 18, 3, 10, tzinfo=UTC)
    lengths = [
        ("counted", 7, "", ""),
        ("outside_hours", 14, "", ""),
        ("counted", 2, "", ""),
        ("paused", 3.5, "waiting for the requester", "Leo Hartono"),
        ("counted", 3, "", ""),
        ("outside_hours", 14, "", ""),
        ("holiday", 6, "", ""),
        ("counted", 1.5, "", ""),
    ]
    spans = []
    for kind, hours, reason, by in lengths:
        end = start + timedelta(hours=hours)
        spans.append(Thing(from_at=start, to_at=end, kind=kind, reason=reason, by=by))
        start = end
    return spans


def tickets() -> list[Any]:
    """A queue as the desk sees it."""
    rows = [
        (
            "SGR-7K3Q-XP4M",
            "Nobody in Surabaya can open the warehouse scanner app",
            "P1",
            "L2",
            "in_progress",
            "",
            "Sagara Logistik",
            "Leo Hartono",
            verdict("missed", 9 * HOUR),
        ),
        (
            "ASR-2M9T-QW7C",
            "Printer at the front desk prints empty labels",
            "P3",
            "L1",
            "waiting",
            "requester",
            "Klinik Bunda Asri",
            "Tina Rahma",
            verdict("paused", 3 * HOUR, due=None),
        ),
        (
            "SGR-4H8N-ZC2V",
            "New laptop for Rina, starts Monday",
            "P4",
            "L1",
            "new",
            "",
            "Sagara Logistik",
            "",
            verdict("running", 2 * HOUR),
        ),
        (
            "TLS-9D3F-KM6R",
            "Mail from the bank lands in quarantine",
            "P2",
            "L1",
            "in_progress",
            "",
            "Toko Lestari",
            "Tina Rahma",
            verdict("running", 7 * HOUR),
        ),
        (
            "ASR-5P7X-TB8H",
            "Backup of the records server did not finish",
            "P2",
            "L3",
            "in_progress",
            "",
            "Klinik Bunda Asri",
            "Nadia Putri",
            verdict("outside_hours", HOUR),
        ),
        (
            "TLS-6V2J-RD9N",
            "Password forgotten",
            "P4",
            "L1",
            "resolved",
            "",
            "Toko Lestari",
            "Tina Rahma",
            verdict("met", HOUR),
        ),
    ]
    names = ("code", "subject", "priority", "tier", "state", "reason", "tenant", "assignee", "verdict")
    return [Thing(**dict(zip(names, row, strict=True))) for row in rows]


def entries() -> list[Any]:
    """A ticket's history with every kind of entry."""

    def at(minutes: int) -> datetime:
        return NOW - timedelta(minutes=minutes)

    files = [Thing(name="scanner.png", url="/files/1", size=482_113), Thing(name="app.log", url="", size=902)]
    return [
        Thing(
            at=at(400),
            who="Rina Wulandari",
            kind="public",
            role="Sagara Logistik",
            via="by mail",
            body="Good morning,\nsince 8 o'clock none of the scanners can sign in.",
            attachments=files,
        ),
        Thing(
            at=at(395), who="", kind="system", text="The priority was set to P1: impact high, urgency high."
        ),
        Thing(at=at(380), who="Tina Rahma", kind="event", icon="person-check", text="took the ticket."),
        Thing(
            at=at(300),
            who="Tina Rahma",
            kind="internal",
            role="L1",
            body="Certificate of the sign-in server ran out at midnight. Needs L2 to renew.",
        ),
        Thing(at=at(295), who="Tina Rahma", kind="event", icon="arrow-left-right", text="handed over to L2."),
        Thing(
            at=at(200),
            who="Leo Hartono",
            kind="public",
            role="L2",
            body=Markup("<p>We found the cause and are renewing the certificate.</p>"),
        ),
    ]


def board() -> dict[str, Any]:
    """Waves and clients, every lane state among them."""
    waves = [
        Thing(name="First", detail="own machines"),
        Thing(name="Early", detail="5 %"),
        Thing(name="All", detail="the rest"),
    ]

    def lane(state: str, ok: int = 0, bad: int = 0, gone: int = 0, total: int = 40, reason: str = "") -> Any:
        return Thing(
            state=state, ok=ok, bad=bad, gone=gone, open=total - ok - bad - gone, total=total, reason=reason
        )

    rows = [
        Thing(tenant="Nusantara Managed IT", url="", lanes=[lane("passed", 12, total=12), None, None]),
        Thing(
            tenant="Sagara Logistik",
            url="#",
            lanes=[lane("passed", 2, total=2), lane("soaking", 9, 0, 1, 10), lane("planned", total=188)],
        ),
        Thing(
            tenant="Klinik Bunda Asri",
            url="#",
            lanes=[None, lane("failed", 3, 2, total=6), lane("waiting", reason="previous")],
        ),
        Thing(
            tenant="Toko Lestari",
            url="#",
            lanes=[None, lane("open", 4, total=11), lane("waiting", reason="consent")],
        ),
        Thing(
            tenant="Bengkel Maju",
            url="#",
            lanes=[
                lane("skipped", total=0),
                lane("inconclusive", 2, 0, 3, 5),
                lane("waiting", reason="window"),
            ],
        ),
    ]
    return {"waves": waves, "board_rows": rows}


def figures() -> dict[str, Any]:
    """One chart of each kind with the rows of the table behind it."""
    weeks = ["W41", "W42", "W43", "W44", "W45", "W46"]
    answered, solved = [31, 28, 30, 22, 18, 15], [210, 190, 205, 240, 180, 160]
    bars = [
        charts.Bar("Sagara Logistik", 92, "92 min"),
        charts.Bar("Klinik Bunda Asri", 41, "41 min"),
        charts.Bar("Toko Lestari", 12, "12 min"),
    ]
    parts = [("Met", "good"), ("Missed", "missed"), ("None due", "quiet")]
    stacks = [
        charts.Stack(
            priority,
            [charts.Part(name, value, tone) for (name, tone), value in zip(parts, values, strict=True)],
        )
        for priority, values in (
            ("P1 Critical", (14, 2, 0)),
            ("P2 High", (41, 1, 3)),
            ("P3 Medium", (120, 4, 9)),
        )
    ]
    hours = [f"{hour:02}" for hour in range(7, 19)]
    load = [[(day + 2) * (hour * 7 % 11) / 3 // 1 for hour in range(12)] for day in range(5)]
    days = ["Mon", "Tue", "Wed", "Thu", "Fri"]
    return {
        "bars": charts.bars(bars, title="Minutes to the first answer"),
        "bar_rows": [[bar.label, bar.words] for bar in bars],
        "stacks": charts.stacked_bars(stacks, title="Met and missed by priority"),
        "stack_rows": [[stack.label, *(part.value for part in stack.parts)] for stack in stacks],
        "stack_legend": charts.legend([part for stack in stacks for part in stack.parts]),
        "lines": charts.line(
            [charts.Series("P1", answered, "a"), charts.Series("P2", [40, 41, None, 38, 30, 17], "c")],
            labels=weeks,
            title="Minutes to the first answer by week",
            unit="min",
        ),
        "line_rows": list(zip(weeks, answered, solved, strict=True)),
        "heat": charts.heat_map(
            rows=days, columns=hours, values=load, title="Tickets by hour", unit="tickets"
        ),
        "heat_rows": [[name, *values] for name, values in zip(days, load, strict=True)],
        "heat_head": ["Day", *hours],
    }


def form(*, wrong: bool = False) -> TicketForm:
    """The form as first seen, or as it comes back with errors and what was typed."""
    typed = TicketForm(
        data={"subject": "", "body": f"It says {HOSTILE}", "urgency": "high", "sites": ["sby"]}
    )
    if wrong:
        typed.subject.errors = ["Say in one line what does not work."]
        typed.secret.errors = ["The code has six digits.", "It is used once."]
    return typed


def sample() -> dict[str, Any]:
    """Everything that templates/styleguide/index.html shows."""
    states = {name: list(table) for name, table in words.TABLES.items()}
    return {
        "now": NOW,
        "zone": "Asia/Jakarta",
        "verdicts": verdicts(),
        "spans": strip(),
        "tickets": tickets(),
        "hostile": HOSTILE,
        "entries": entries(),
        "states": states,
        "waiting_reasons": list(words.WAITING),
        "form": form(),
        "wrong_form": form(wrong=True),
        **board(),
        **figures(),
    }


@cache
def small_app(language: str = "en") -> Flask:
    """An app that knows only how to show templates: no database, no session store, no features."""
    app = Flask("look", template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(SECRET_KEY="only for tests", SERVER_NAME="portal.test")
    Babel(app, locale_selector=lambda: language, timezone_selector=lambda: "Asia/Jakarta")
    CSRFProtect(app)
    look.install(app)
    app.jinja_env.globals["asset"] = lambda name: f"/static/{name}"
    for endpoint in ("switch_language", "switch_tenant", "sign_out"):
        app.add_url_rule(f"/{endpoint}", f"account.{endpoint}", lambda: "", methods=["POST"])
    return app


def context() -> dict[str, Any]:
    """What a signed-in person's page knows, with names that try to break out of it."""
    companies = [Thing(name="Sagara Logistik", slug="sagara"), Thing(name=HOSTILE, slug="x")]
    items = [
        Thing(label=HOSTILE, url="/desk/", icon="inbox", active=True, badge=3),
        Thing(label="Queue", url="/q", icon="list", active=False),
    ]
    return {
        "current_actor": Thing(name=HOSTILE, role="dispatcher", is_staff=True),
        "companies": companies,
        "current_tenant": companies[0],
        "provider_name": HOSTILE,
        "navigation": items,
        "search_url": "/search",
        "locale": "en",
    }
