"""The application that jobs of this process run in; set once by whoever starts the process."""

from flask import Flask

_given: list[Flask] = []


def use(app: Flask) -> None:
    """Let jobs of this process run in this application."""
    _given[:] = [app]


def application() -> Flask:
    """The application in use. Raises RuntimeError where none was set."""
    if not _given:
        raise RuntimeError("no application was set for the jobs of this process")
    return _given[0]
