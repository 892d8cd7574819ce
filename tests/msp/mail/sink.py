"""A mail server on this machine that remembers what it was given."""

import asyncio
import dataclasses
import socket
from email import message_from_bytes
from email.policy import default


class Server:
    """Takes mail and remembers it; `answer` is what it says to the next texts."""

    def __init__(self):
        self.received, self.answer = [], "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802
        self.received.append(message_from_bytes(envelope.content, policy=default))
        if self.answer == "hang up":
            session.loop_transport.abort()
            await asyncio.sleep(0)
        return self.answer

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        session.loop_transport = server.transport
        envelope.mail_from = address
        return "250 OK"


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def point(app, monkeypatch, url):
    settings = dataclasses.replace(app.extensions["settings"], mail_url=url)
    monkeypatch.setitem(app.extensions, "settings", settings)
