"""Articles of every audience, written and published by Nadia, as everybody else does it."""

import pytest

from msp.knowledge import services
from msp.knowledge.rules import Step
from msp.knowledge.services import Draft
from tenants.foundation.db import db
from tests.tickets import MONDAY

TEXTS = {
    "id": {
        "title": "Printer tidak mencetak",
        "body": "Matikan printer, tunggu sepuluh detik, nyalakan kembali.",
    },
    "en": {
        "title": "The printer does not print",
        "body": "Switch the printer off, wait ten seconds, switch it on.",
    },
}


def draft(**changes):
    """What somebody usually writes."""
    return Draft(**{"kind": "article", "texts": TEXTS, "audience": "clients", **changes})


def runbook(*steps, **changes):
    texts = {"en": {"title": "New employee", "body": "For each new colleague."}}
    return draft(kind="runbook", audience="staff", texts=texts, steps=steps, **changes)


STEPS = (
    Step("Buat akun", "Make the account"),
    Step("Beri tahu pemohon", "Tell the requester", "requester_told"),
    Step("Selesaikan tiket", "Resolve the ticket", "state:resolved"),
)


@pytest.fixture
def write(within):
    """Write an article as somebody (Nadia), published unless told otherwise; its slug."""

    def _write(by="Nadia", *, publish=True, at=MONDAY, **changes):
        with within(by) as actor:
            said = changes.pop("draft", None) or draft(**changes)
            article = services.add_article(said, by=actor, at=at)
            if publish:
                services.publish_article(article, by=actor, at=at)
            db.session.commit()
            return article.slug

    return _write
