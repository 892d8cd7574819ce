"""A gateway of texts in Twilio's form: a real server on loopback that takes, refuses, or breaks off."""

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

ACCOUNT, TOKEN = "AC0123456789", "a token that the tests and the gateway share"
OURS = "+6281100000000"
PHONE, STRANGER = "+6281234567890", "+6281999999999"


class Gateway:
    """What was sent to it, and how it answers: a status, "break" before an answer, or "silent" at the door."""

    def __init__(self):
        self.taken, self.answers = [], []

    def respond(self, handler):
        length = int(handler.headers.get("Content-Length", 0))
        fields = {name: found[0] for name, found in parse_qs(handler.rfile.read(length).decode()).items()}
        self.taken.append((handler.path, handler.headers.get("Authorization"), fields))
        how = self.answers.pop(0) if self.answers else 201
        if how == "break":
            handler.connection.close()
            return
        body = json.dumps({"sid": f"SM{len(self.taken):030d}"} if how == 201 else {"message": "no"}).encode()
        if how == "junk":
            how, body = 201, b"<html>"
        handler.send_response(how)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Location", "http://169.254.169.254/")
        handler.end_headers()
        handler.wfile.write(body)

    @property
    def bodies(self):
        return [fields["Body"] for _path, _secret, fields in self.taken]


def basic():
    return "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


@contextmanager
def running():
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            gateway.respond(self)

        def log_message(self, *_args):
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    gateway.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
