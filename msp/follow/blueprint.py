"""The blueprint of pages for requesters who come by a link, apart from its views."""

from flask import Blueprint

bp = Blueprint("follow", __name__, url_prefix="/follow")
