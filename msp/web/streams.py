"""Streams of changes: a page hears that what it shows moved, and fetches itself anew.

A stream carries no content, only a version: a digest of what the listener may see. PostgreSQL is read once a second for
each subject that somebody watches, however many do. Features say what a subject is and how it is read.
"""

import hashlib
import threading
import time as seconds
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from msp.web.access import SecondFactorNeeded, SignInNeeded
from tenants.foundation.errors import NotFound

LOOK_SECONDS = 1.0
BEAT_SECONDS = 15.0
LONGEST_SECONDS = 600.0
PER_PERSON = 6
MOST = 100
Digests = Mapping[int | None, str]


class Subject(Hashable, Protocol):
    """What somebody watches; equal ones are read once for all who do."""

    def read(self) -> Digests:
        """A digest of what counts for everybody (None), and of each tenant; enters its own scope."""


def combine(digests: Digests, tenants: Collection[int]) -> str:
    """One version from the digest for everybody and those of some tenants."""
    known = sorted((one for one in digests if one in tenants), key=str)
    said = "/".join([digests.get(None, ""), *(f"{one}:{digests[one]}" for one in known)])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def digest_of(rows: object) -> str:
    """A digest of rows as they were read."""
    return hashlib.sha256(repr(rows).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody without an account, known by the place they call from."""

    source: str


class Full(Exception):
    """Nobody else can listen: this person has too many streams open, or the process has."""

    def __init__(self, *, is_person: bool) -> None:
        super().__init__("too many streams")
        self.is_person = is_person


@dataclass(slots=True)
class Topic:
    """A subject that somebody watches."""

    listeners: int = 0
    digests: Digests | None = None


@dataclass
class Hub:
    """Who listens to what in this process; one thread reads for all of them, while there is anybody."""

    app: Flask
    most: int = MOST
    is_serving: Callable[[], bool] = lambda: True
    _topics: dict[Subject, Topic] = field(default_factory=dict)
    _people: Counter[Hashable] = field(default_factory=Counter)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _reader: threading.Thread | None = None

    def sit(self, subject: Subject, person: Hashable, first: Digests) -> None:
        """Take a seat. Raises Full."""
        with self._changed:
            is_person = self._people[person] >= PER_PERSON
            if is_person or self._people.total() >= self.most or not self._has_room_for(person):
                raise Full(is_person=is_person)
            self._people[person] += 1
            topic = self._topics.setdefault(subject, Topic(digests=first))
            topic.listeners += 1
            if self._reader is None:
                self._reader = threading.Thread(target=self._read_on, name="streams", daemon=True)
                self._reader.start()

    def _has_room_for(self, person: Hashable) -> bool:
        """Guests take at most half of the seats, so that those who work here always find one."""
        guests = sum(seats for one, seats in self._people.items() if isinstance(one, Guest))
        return not isinstance(person, Guest) or guests < self.most // 2

    def rise(self, subject: Subject, person: Hashable) -> None:
        """Leave a seat."""
        with self._changed:
            self._people[person] -= 1
            self._people += Counter()
            topic = self._topics[subject]
            topic.listeners -= 1
            if not topic.listeners:
                del self._topics[subject]

    @property
    def listeners(self) -> int:
        """How many listen."""
        return self._people.total()

    def wait(self, subject: Subject, known: str, tenants: Collection[int], patience: float) -> str | None:
        """The version once it is another than `known`, or that same one when patience is over; None: lost."""
        until = seconds.monotonic() + patience
        with self._changed:
            while self.is_serving():
                digests = self._topics[subject].digests
                if digests is None:
                    return None
                version = combine(digests, tenants)
                left = until - seconds.monotonic()
                if version != known or left <= 0:
                    return version
                self._changed.wait(min(left, LOOK_SECONDS))
        return None

    def _read_on(self) -> None:
        while True:
            seconds.sleep(LOOK_SECONDS)
            with self._changed:
                if not self._topics:
                    self._reader = None
                    return
                watched = list(self._topics)
            found = {one: self._read(one) for one in watched}
            with self._changed:
                for subject, digests in found.items():
                    if subject in self._topics:
                        self._topics[subject].digests = digests
                self._changed.notify_all()

    def _read(self, subject: Subject) -> Digests | None:
        """What the subject says now; None when the database does not answer."""
        try:
            with self.app.app_context():
                return subject.read()
        except (SQLAlchemyError, NotFound):
            self.app.logger.exception("a subject that is watched could not be read")
            return None


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens to what: `person` counts the seats, `still_may` asks at each beat, inside an app context."""

    subject: Subject
    person: Hashable
    tenants: frozenset[int]
    still_may: Callable[[], bool]

    def stream(self, hub: Hub, version: str) -> Iterator[str]:
        """The version now and whenever it changes, and a beat so that silence can be told from loss."""
        ends = seconds.monotonic() + LONGEST_SECONDS
        yield f"retry: 3000\n\n{_event('version', version)}"
        while seconds.monotonic() < ends:
            found = hub.wait(self.subject, version, self.tenants, BEAT_SECONDS)
            if found is None:
                return
            if found == version and not self._may(hub):
                yield _event("end", "")
                return
            yield _event("version", found) if found != version else _event("beat", "")
            version = found

    def _may(self, hub: Hub) -> bool:
        with hub.app.app_context():
            try:
                return self.still_may()
            except (NotFound, SQLAlchemyError):
                return False


def _event(kind: str, data: str) -> str:
    return f"event: {kind}\ndata: {data}\n\n"


def serve(listener: Listener, digests: Digests) -> Response:
    """The answer to somebody who wants to listen: the stream, or that there is no seat."""
    hub: Hub = current_app.extensions["streams"]
    try:
        hub.sit(listener.subject, listener.person, digests)
    except Full as full:
        return Response(status=429 if full.is_person else 503, headers={"Retry-After": "30"})
    version = combine(digests, listener.tenants)
    answer = Response(listener.stream(hub, version), content_type="text/event-stream")
    # Also when the listener is gone before anything was sent.
    answer.call_on_close(lambda: hub.rise(listener.subject, listener.person))
    # A server in front must pass each event on at once.
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def prepare(bp: Blueprint) -> None:
    """Let a blueprint of streams refuse in status codes, and only the portal's own pages read it."""
    bp.register_error_handler(SignInNeeded, _nobody)
    bp.register_error_handler(SecondFactorNeeded, _nobody)
    bp.after_request(_let_pages_listen)


def _nobody(_error: Exception) -> Response:
    return Response(status=401)


def _let_pages_listen(answer: Response) -> Response:
    """Only the portal's own pages may read a stream that another port or host serves."""
    pages: str = current_app.extensions["settings"].public_url
    if request.headers.get("Origin") == pages:
        answer.headers["Access-Control-Allow-Origin"] = pages
        answer.headers["Access-Control-Allow-Credentials"] = "true"
    answer.headers["Vary"] = "Origin"
    return answer
