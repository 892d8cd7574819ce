"""The search's blueprint, apart from its views."""

from flask import Blueprint

bp = Blueprint("search", __name__)
