import pytest
from aiosmtpd.controller import Controller

from tests.msp.mail.sink import Server, free_port, point


@pytest.fixture
def smtp():
    handler = Server()
    handler.port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    yield handler
    controller.stop()


@pytest.fixture
def mailing(app, cast, smtp, monkeypatch):
    """A server that the portal's mail goes to."""
    point(app, monkeypatch, f"smtp://127.0.0.1:{smtp.port}")
    with app.app_context():
        yield smtp
