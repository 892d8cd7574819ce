"""The statement's PDF as mails bring it along."""

from sqlalchemy import select

from contracts.statements.models import Statement
from msp.mail import enclosures
from msp.mail.enclosures import Enclosure, NotMade
from msp.reports import pages
from msp.reports.printing import PressFailed
from tenants.foundation.db import db

KIND = "statement"
LARGEST = 4_000_000
"""Bytes of a PDF that a mail brings along: as text in the mail it grows by a third, and many servers take 10 MB."""


def enclose(statement_id: int, language: str) -> Enclosure:
    """A statement's PDF in a language. Raises NotMade."""
    statement = db.session.scalars(select(Statement).where(Statement.id == statement_id)).one()
    try:
        sheet = pages.as_sheet(statement, language)
    except PressFailed as why:
        raise NotMade(str(why)) from why
    return Enclosure(pages.file_name(statement, "pdf"), "application/pdf", sheet)


def is_small_enough(statement_id: int, language: str) -> bool:
    """Whether a mail may bring it along: printed to find out. Raises NotMade."""
    return len(enclose(statement_id, language).content) <= LARGEST


def install() -> None:
    """Let mails enclose statements."""
    enclosures.provide(KIND, enclose)
