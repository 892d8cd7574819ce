"""What the statement's pages share, whoever looks: its context, its lines, its PDF and its CSV."""

import json
from datetime import date
from itertools import dropwhile
from typing import Any

from flask import Response, make_response, request
from flask_babel import lazy_gettext as _l

from contracts.statements import queries
from contracts.statements.models import Statement
from contracts.statements.queries import Listed
from contracts.statements.rules import CLOCKS, PRIORITIES
from msp.reports import charts, promised, words
from msp.reports.printing import print_statement
from msp.reports.sheet import write_lines
from msp.reports.view import StatementView, read, read_lines
from msp.web.languages import reader_language
from msp.web.paging import Page, asked, cut
from msp.web.words import name_of
from tenants.foundation.errors import Invalid

MISSED_SHOWN = 20


def head_of(statement: Statement) -> dict[str, Any]:
    """The frozen head as a document."""
    head: dict[str, Any] = json.loads(statement.head)
    return head


def statement_context(statement: Statement) -> dict[str, Any]:
    """All that the page of a statement shows."""
    view = read(statement)
    missed = queries.list_lines(statement, verdict="missed", limit=MISSED_SHOWN + 1)
    aside = queries.list_lines(statement, verdict="set_aside", limit=MISSED_SHOWN + 1)
    return {
        "view": view,
        "words": words,
        "numbers": queries.list_numbers(statement),
        "credit": queries.find_credit(statement),
        "missed": read_lines(missed[:MISSED_SHOWN]),
        "more_missed": len(missed) > MISSED_SHOWN,
        "set_aside": read_lines(aside[:MISSED_SHOWN]),
        "trend": _trend(statement),
        "figure_rows": [
            [f"{name_of('timer', one.clock)} · {one.priority}", one.met, one.missed, one.set_aside]
            for one in view.figures
        ],
        "versions": words.versions(view),
        "closed_by": words.closed_by(view),
        "charts": charts,
        "promised": promised,
    }


def _trend(statement: Statement) -> list[StatementView]:
    """What holds for this month and those before it, the oldest first."""
    found = queries.list_latest(
        statement.tenant_id, statement.contract_id, upto=statement.month, limit=charts.TREND_MONTHS
    )
    views = [read(one) for one in reversed(found)]
    # A line begins with the first month in which anything was decided.
    return list(dropwhile(lambda view: not view.totals, views))


def asked_page() -> tuple[tuple[date, int] | None, int]:
    """From where on, and how many statements a list shows. Raises Invalid."""
    after, limit = asked(str, int)
    try:
        return (date.fromisoformat(after[0]), after[1]) if after else None, limit
    except ValueError as wrong:
        raise Invalid("after", _l("This page's address is not valid. Start from the first page.")) from wrong


def cut_page(rows: list[Listed], limit: int) -> Page[Listed]:
    """A page of statements from `limit + 1` of them."""
    return cut(rows, limit, page_key)


def page_key(one: Listed) -> tuple[str, int]:
    """What a list of statements is sorted by."""
    return one.statement.month.isoformat(), one.statement.id


def lines_context(statement: Statement) -> dict[str, Any]:
    """A page of a statement's lines, narrowed to one figure's where asked."""
    after, limit = asked(int)
    narrowed = {
        "clock": _one_of("clock", CLOCKS),
        "priority": _one_of("priority", PRIORITIES),
        "verdict": _one_of("verdict", ("met", "missed", "set_aside")),
    }
    rows = queries.list_lines(statement, **narrowed, after=after[0] if after else None, limit=limit + 1)
    page = cut(rows, limit, lambda line: (line.position,))
    return {
        "view": read(statement),
        "words": words,
        "page": page,
        "lines": read_lines(page.items),
        "narrowed": narrowed,
    }


def _one_of(name: str, allowed: tuple[str, ...]) -> str:
    """A filter of the address; anything unknown narrows nothing."""
    typed = request.args.get(name, "")
    return typed if typed in allowed else ""


def as_pdf(statement: Statement) -> Response:
    """The statement as PDF, in the reader's language."""
    sheet = as_sheet(statement, reader_language())
    return _download(sheet, "application/pdf", file_name(statement, "pdf"))


def as_sheet(statement: Statement, language: str) -> bytes:
    """The statement as PDF, in a language. Raises PressFailed."""
    view = read(statement)
    lines = read_lines(queries.list_lines(statement))
    decision = queries.find_credit(statement)
    return print_statement(view, lines, decision=decision, language=language)


def as_csv(statement: Statement) -> Response:
    """The statement's lines as CSV."""
    text = write_lines(read_lines(queries.list_lines(statement)), read(statement))
    return _download(text.encode(), "text/csv; charset=utf-8", file_name(statement, "csv"))


def file_name(statement: Statement, ending: str) -> str:
    """Under which name a statement is taken home."""
    slug = read(statement).head["tenant"]["slug"]
    return f"sla-{slug}-{statement.month:%Y-%m}-{statement.number}.{ending}"


def _download(body: bytes, media_type: str, name: str) -> Response:
    answer = make_response(body)
    answer.headers["Content-Type"] = media_type
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
