"""The desk's blueprint, apart from its views so that each module of views can be imported alone."""

from flask import Blueprint

bp = Blueprint("desk", __name__, url_prefix="/desk")
