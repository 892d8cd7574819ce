"""A statement as PDF: every word prepared in the reader's language, then set by the press in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from msp.reports import promised, words
from msp.reports.view import FigureView, LineView, StatementView
from msp.web.formats import day, duration_words, moment, money, month, number, percent, short_day
from msp.web.words import name_of

TEMPLATE = Path(__file__).parents[2] / "templates" / "print" / "statement.typ"
FONTS = Path(__file__).parents[1] / "static" / "vendor"
LONGEST_SECONDS = 30


class PressFailed(RuntimeError):
    """The press printed nothing; the message says why."""


def print_statement(view: StatementView, lines: Sequence[LineView], *, decision: Any, language: str) -> bytes:
    """The PDF of a statement with every line. `decision` is its credit's row, if any. Raises PressFailed."""
    with force_locale(language):
        document = _document(view, lines, decision, language)
    return press(document)


def press(document: dict[str, Any]) -> bytes:
    """Set a document. Raises PressFailed."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "msp.reports.press", str(TEMPLATE), str(FONTS)],
            input=json.dumps(document, ensure_ascii=False).encode(),
            capture_output=True,
            check=False,
            timeout=LONGEST_SECONDS,
            cwd=Path(__file__).parents[2],
        )
    except subprocess.TimeoutExpired as slow:
        raise PressFailed(f"no page within {LONGEST_SECONDS} s") from slow
    if done.returncode != 0:
        raise PressFailed(done.stderr.decode("utf-8", "replace")[-2000:])
    return done.stdout


def _document(view: StatementView, lines: Sequence[LineView], decision: Any, language: str) -> dict[str, Any]:
    head = view.head
    return {
        "language": language,
        "provider": current_app.extensions["settings"].provider_name,
        "title": _("Service level statement"),
        "client": head["tenant"]["name"],
        "contract": head["contract"]["name"],
        "period": month(view.month),
        "page": _("Page"),
        "of": _("of"),
        "facts": _facts(view),
        "amendment": _amendment(view),
        "kept": {
            "title": _("How far we kept our promise"),
            "formula": _("Kept = met / (met + missed)"),
            "bars": [_bar(one) for one in view.totals],
            "none": _("No target was due in this month."),
        },
        "figures": _table(
            [_("Target"), _("Met"), _("Missed"), _("Set aside"), _("Kept")],
            [_figure(one) for one in view.figures],
            _("Figures by target and priority"),
        ),
        "credit": _credit(view, decision),
        "missed": _table(
            [_("Ticket"), _("Target"), _("Allowed"), _("Used"), _("Was due"), _("Why")],
            [_missed(one, view.zone) for one in lines if one.verdict != "met"],
            _("What we missed, and why"),
        )
        | {"none": _("Nothing was missed.")},
        "lines": _table(
            [
                _("No."),
                _("Ticket"),
                _("Target"),
                _("Verdict"),
                _("Allowed"),
                _("Used"),
                _("Paused"),
                _("Decided"),
            ],
            [_line(one, view.zone) for one in lines],
            _("Every target behind the figures"),
        )
        | {"none": _("No target was due in this month.")},
        "patches": _patches(view),
        "hours": _hours(view),
        "notes": _notes(view),
        "digest": view.statement.sha256,
    }


def _facts(view: StatementView) -> list[list[str]]:
    facts = [
        [_("Client"), view.head["tenant"]["name"]],
        [_("Contract"), view.head["contract"]["name"]],
        [_("Month"), f"{month(view.month)} ({view.zone})"],
        [_("Terms"), words.versions(view)],
        [_("Closed"), moment(view.statement.closed_at, view.zone)],
    ]
    return [*facts, [_("Fee"), money(view.head["fee"], view.head["currency"])]] if view.head["fee"] else facts


def _amendment(view: StatementView) -> str:
    if view.statement.number == 1:
        return ""
    return _(
        "Amendment %(number)s. It replaces the statement with the digest %(digest)s… Reason: %(reason)s",
        number=view.statement.number,
        digest=view.head["replaces"][:12],
        reason=view.head["reason"],
    )


def _bar(figure: FigureView) -> dict[str, Any]:
    kept = percent(figure.ratio, 2, none=_("none due"))
    of = _("%(met)s of %(decided)s met", met=number(figure.met), decided=number(figure.decided))
    return {
        "name": str(name_of("timer", figure.clock)),
        "share": float(figure.ratio or 0),
        "words": kept,
        "of": of,
    }


def _figure(figure: FigureView) -> list[str]:
    return [
        f"{name_of('timer', figure.clock)} · {figure.priority}",
        number(figure.met),
        number(figure.missed),
        number(figure.set_aside),
        percent(figure.ratio, 2, none=_("none due")),
    ]


def _credit(view: StatementView, decision: Any) -> dict[str, Any]:
    """The arithmetic of the credit in sentences; no title where the contract has no table."""
    if view.credit is None:
        return {"title": "", "sentences": []}
    sentences = [words.credit_step(one) for one in view.credit.steps]
    if not sentences:
        sentences = [_("Every step of the contract's credit table was kept: no credit is due.")]
    elif view.credit.fee:
        sentences.append(words.credit_sum(view.credit))
    if decision is not None:
        sentences.append(_("Decision: %(state)s.", state=words.credit_state(decision.state)))
        if decision.reason:
            sentences.append(_("Reason: %(reason)s", reason=decision.reason))
    return {"title": _("Credit"), "sentences": sentences}


def _patches(view: StatementView) -> dict[str, Any]:
    """The patch promise with every machine; no title where none was made or measured."""
    patches = view.patches
    if patches is None:
        return {"title": "", "sentences": [], "rows": [], "head": []}
    head = [_("Machine"), _("Release"), _("Verdict"), _("Installed"), _("Due")]
    rows = [_machine(one, view.zone) for one in sorted(patches.lines, key=lambda one: one.is_kept)]
    sentences = [promised.patch_sentence(patches), promised.patch_formula()]
    return _table(head, rows, _("Critical updates")) | {"sentences": sentences}


def _machine(line: promised.MachineLine, zone: str) -> list[str]:
    verdict = _("in time") if line.is_kept else _("late")
    return [line.asset, line.release, verdict, promised.days_words(line), moment(line.due_at, zone)]


def _hours(view: StatementView) -> dict[str, Any]:
    """Hours used with every entry; no title where none are included or measured."""
    hours = view.hours
    if hours is None:
        return {"title": "", "sentences": [], "rows": [], "head": []}
    head = [_("Day"), _("Ticket"), _("Who"), _("Time"), ""]
    rows = [_worked(one) for one in hours.lines]
    sentences = [promised.hours_sentence(hours), promised.hours_formula()]
    return _table(head, rows, _("Hours used")) | {"sentences": sentences}


def _worked(line: promised.HoursLine) -> list[str]:
    kind = _("billable") if line.is_billable else _("included")
    return [short_day(line.on), f"{line.ticket}\n{line.what}", line.person, _span(line.minutes * 60), kind]


def _missed(line: LineView, zone: str) -> list[str]:
    return [
        f"{line.ticket}\n{line.subject}",
        f"{name_of('timer', line.clock)} · {line.priority}",
        _span(line.target_seconds),
        _span(line.elapsed_seconds),
        moment(line.due_at, zone),
        words.cause(line.cause) + (f"\n{_('Set aside:')} {line.set_aside}" if line.set_aside else ""),
    ]


def _line(line: LineView, zone: str) -> list[str]:
    return [
        str(line.position),
        f"{line.ticket}\n{line.subject}",
        f"{name_of('timer', line.clock)} · {line.priority}",
        words.verdict(line.verdict),
        _span(line.target_seconds),
        _span(line.elapsed_seconds),
        _paused(line),
        moment(line.decided_at, zone),
    ]


def _paused(line: LineView) -> str:
    paused = _span(line.paused_seconds) if line.paused_seconds else "–"
    if not line.maintenance_seconds:
        return paused
    return f"{paused}\n{_('maintenance %(span)s', span=_span(line.maintenance_seconds))}"


def _span(seconds: int | None) -> str:
    return "–" if seconds is None else duration_words(seconds, business=True)


def _table(head: list[str], rows: list[list[str]], title: str) -> dict[str, Any]:
    return {"title": title, "head": head, "rows": rows}


def _notes(view: StatementView) -> list[str]:
    return [
        *words.other_promises(view),
        _(
            "The month is that of %(zone)s. A target belongs to the month in which it was decided: when the reply or"
            " the solution came, or when the time ran out. Allowed, used and paused are business time of the contract.",
            zone=view.zone,
        ),
        _(
            "This statement was frozen on %(day)s. Its digest covers the head and all %(count)s lines; a correction is"
            " another statement, and this one stays.",
            day=day(view.statement.closed_at.date()),
            count=number(view.statement.line_count),
        ),
    ]
