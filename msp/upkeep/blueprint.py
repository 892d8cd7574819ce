"""The blueprint of upkeep, apart from its views so that each module of views can be imported alone."""

from flask import Blueprint

bp = Blueprint("upkeep", __name__)
