"""Going on from an act on staff's pages."""

from typing import Any

from flask import flash, redirect


def back(said: str, address: str) -> Any:
    """To a page, saying what was done."""
    flash(said, "good")
    return redirect(address)
