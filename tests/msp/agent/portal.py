"""The portal's side of the wire for the agent's tests: a real server on loopback that can be told to misbehave."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TENANT, CONTROLLER, TOKEN = "acme", "acme-pc-1", "token-of-acme-pc-1"
TERMINAL = ("closed", "canceled", "rejected")


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Fault:
    """How to misbehave once: a status, a cut after some bytes, or silence until released."""

    status: int = 0
    retry_after: str | None = None
    cut_after: int | None = None
    body: bytes = b""
    location: str | None = None


@dataclass
class Portal:
    """What is offered, what was received, and how the next answers go wrong."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    offers: list[dict[str, Any]] = field(default_factory=list)
    cancelling: str | None = None
    requests: list[Request] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    ranges: bool = True
    keeps_offering: bool = False
    enrolment_tokens: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    slow: threading.Event | None = None
    slow_started: threading.Event = field(default_factory=threading.Event)
    sleep: str = "00:05:00"
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def base(self) -> str:
        return f"{self.url}/ddi/{TENANT}/controller/v1/{CONTROLLER}"

    def offer(self, action: str, files: dict[str, bytes], **changes: Any) -> dict[str, Any]:
        """Offer an action with one chunk per file; `changes` overrule members of the deployment."""
        chunks = [self.chunk(path, content) for path, content in files.items()]
        deployment = {"download": "forced", "update": "forced", "chunks": chunks} | changes
        self.offers.append({"id": action, "deployment": deployment})
        return self.offers[-1]

    def chunk(self, path: str, content: bytes, part: str = "file") -> dict[str, Any]:
        name = f"a{len(self.files)}.bin"
        self.files[name] = content
        artifact = {
            "filename": name,
            "size": len(content),
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
            "_links": {"download": {"href": f"{self.base}/softwaremodules/1/artifacts/{name}"}},
        }
        metadata = [{"key": "path", "value": path}]
        return {"part": part, "name": "motd", "version": "7", "artifacts": [artifact], "metadata": metadata}

    def fail(self, where: str, *faults: Fault) -> None:
        """Misbehave at the next requests whose `METHOD path$` holds the words."""
        self.faults.setdefault(where, []).extend(faults)

    def fault_for(self, request: Request) -> Fault | None:
        line = f"{request.method} {request.path}$"
        for where, faults in self.faults.items():
            if where in line and faults:
                return faults.pop(0)
        return None

    def asked(self, where: str) -> list[Request]:
        return [r for r in self.requests if where in f"{r.method} {r.path}"]

    def receive(self, request: Request) -> None:
        with self.arrived:
            self.requests.append(request)
            self.arrived.notify_all()

    def wait_for(self, where: str, times: int = 1) -> None:
        """Return once so many requests like this have arrived; fail after 20 seconds."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.asked(where)) >= times, 20), f"{where} never came"

    def feedback(self, channel: str = "deploymentBase") -> list[tuple[str, str, int]]:
        """(execution, finished, code) of every feedback on the channel, in order."""
        found = []
        for request in self.asked(f"/{channel}/"):
            if request.method == "POST":
                status = request.json["status"]
                found.append((status["execution"], status["result"]["finished"], status["code"]))
        return found

    def terminal(self, channel: str = "deploymentBase") -> list[Request]:
        posts = [r for r in self.asked(f"/{channel}/") if r.method == "POST"]
        return [r for r in posts if r.json["status"]["execution"] in TERMINAL]

    def poll_document(self) -> dict[str, Any]:
        links = {name: {"href": f"{self.base}/{name}"} for name in self.links}
        if self.cancelling is not None:
            links["cancelAction"] = {"href": f"{self.base}/cancelAction/{self.cancelling}"}
        elif self.offers:
            links["deploymentBase"] = {"href": f"{self.base}/deploymentBase/{self.offers[0]['id']}?c=1"}
        return {"config": {"polling": {"sleep": self.sleep}}, "_links": links}

    def accept(self, request: Request) -> None:
        """Close what a terminal report closes."""
        parts = request.path.split("/")
        channel, action = parts[-3], parts[-2]
        if request.json["status"]["execution"] not in TERMINAL or self.keeps_offering:
            return
        if channel == "cancelAction":
            self.cancelling = None
        self.offers = [offer for offer in self.offers if offer["id"] != action]


class Handler(BaseHTTPRequestHandler):
    portal: Portal

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        request = Request(self.command, self.path, dict(self.headers), self.rfile.read(length))
        self.portal.receive(request)
        fault = self.portal.fault_for(request)
        if fault is not None and fault.cut_after is None:
            self.fail(fault)
        else:
            self.serve(request, fault)

    do_GET = do_POST = do_PUT = handle_any  # noqa: N815 (names of the standard library)

    def fail(self, fault: Fault) -> None:
        headers = {"Retry-After": fault.retry_after, "Location": fault.location}
        self.answer(fault.status, fault.body, {k: v for k, v in headers.items() if v is not None})

    def serve(self, request: Request, fault: Fault | None) -> None:
        portal, path = self.portal, request.path.partition("?")[0]
        credential = request.headers.get("Authorization", "")
        resource = path.removeprefix(f"/ddi/{TENANT}/controller/v1/{CONTROLLER}").strip("/")
        if resource == "enrolment":
            self.enrol(credential)
        elif credential.removeprefix("TargetToken ") not in portal.tokens:
            self.answer(401)
        elif request.method == "GET":
            self.get(resource, request, fault)
        else:
            if request.method == "POST":
                portal.accept(request)
            self.answer(200)

    def get(self, resource: str, request: Request, fault: Fault | None) -> None:
        portal, kind = self.portal, resource.partition("/")[0]
        if kind == "":
            self.json(portal.poll_document())
        elif kind == "deploymentBase" and portal.offers:
            self.json(portal.offers[0])
        elif kind == "cancelAction":
            self.json({"id": portal.cancelling, "cancelAction": {"stopId": portal.cancelling}})
        elif kind == "softwaremodules":
            self.send(portal.files[resource.rsplit("/", 1)[-1]], request, fault)
        else:
            self.answer(404)

    def enrol(self, credential: str) -> None:
        token = credential.removeprefix("EnrolmentToken ")
        if token not in self.portal.enrolment_tokens:
            self.answer(401)
            return
        self.portal.enrolment_tokens.discard(token)
        self.json({"token": TOKEN})

    def send(self, content: bytes, request: Request, fault: Fault | None) -> None:
        start = self.start_of(request)
        if start is not None and start >= len(content):
            self.answer(416)
            return
        body = content[start or 0 :]
        self.send_response(200 if start is None else 206)
        self.send_header("Content-Length", str(len(body)))
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.portal.slow is not None:
            self.trickle(body, self.portal.slow)
        else:
            self.wfile.write(body if fault is None else body[: fault.cut_after])

    def trickle(self, body: bytes, go_on: threading.Event) -> None:
        self.wfile.write(body[:10])
        self.wfile.flush()
        self.portal.slow_started.set()
        for byte in body[10:]:
            if go_on.wait(0.02):
                return
            self.wfile.write(bytes([byte]))

    def start_of(self, request: Request) -> int | None:
        value = request.headers.get("Range")
        if value is None or not self.portal.ranges:
            return None
        return int(value.removeprefix("bytes=").removesuffix("-"))

    def json(self, document: object) -> None:
        self.answer(200, json.dumps(document).encode())

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An agent that hangs up is part of the tests."""


@contextmanager
def serving() -> Iterator[Portal]:
    """A portal on a free port of loopback."""
    portal = Portal()
    handler = type("BoundHandler", (Handler,), {"portal": portal})
    server = Server(("127.0.0.1", 0), handler)
    portal.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield portal
    finally:
        if portal.slow is not None:
            portal.slow.set()
        server.shutdown()
        server.server_close()
