"""The blueprint of training; its addresses are written in full, for staff and for the portal."""

from flask import Blueprint

bp = Blueprint("training", __name__)
