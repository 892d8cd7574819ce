"""The blueprint of the channels."""

from flask import Blueprint

bp = Blueprint("intake", __name__)
