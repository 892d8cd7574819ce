"""Evidence for everyone to check; each module puts its views on the one blueprint."""

from flask import Flask

from msp.reports import calculator, comparing, enclosing, jobs, trials
from msp.reports.blueprint import bp
from msp.web import navigation

__all__ = ["bp", "calculator", "comparing", "jobs", "trials"]


def install(app: Flask) -> None:
    """Put the calculator into the navigation of staff and of clients, and statements into mails."""
    enclosing.install()
    navigation.add(app, *calculator.PLACES)
