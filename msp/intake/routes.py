"""Where other systems bring what people wrote; each module puts its views on the one blueprint."""

from typing import Any

from flask import Flask

from msp.intake.blueprint import bp
from msp.intake.mail import sorting, webhook
from msp.intake.mail.acknowledging import how_to_acknowledge
from msp.intake.mail.people import address_of_author
from msp.mail.notices import judge_acknowledgements, know_authors

__all__ = ["bp", "sorting", "webhook"]


def install(app: Flask) -> None:
    """Who may bring mail, and who decides about automatic answers."""
    app.extensions["credentials"]["mailgate"] = webhook.resolve_mailgate
    judge_acknowledgements(how_to_acknowledge)
    know_authors(address_of_author)
    exempt: Any = app.extensions["csrf"].exempt
    exempt(webhook.bring_mail)
