"""Streams of chats: staff hear that the queue moved, both sides that somebody said something."""

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, g, request
from flask_login import current_user

from msp.intake.chats.doors import visited_chat
from msp.intake.chats.models import Chat
from msp.intake.chats.presence import note_presence
from msp.intake.chats.queries import digests_of, find_chat, read_queue
from msp.web import streams
from msp.web.access import actor, credential, require
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import enter, gate, of_tenant, sweeper
from tenants.people import principals
from tenants.people.limits import source_of

bp = Blueprint("chat_streams", __name__)
streams.prepare(bp)


@dataclass(frozen=True, slots=True)
class Queue:
    """The open chats of every client; each listener's version holds the own clients' only."""

    def read(self) -> streams.Digests:
        """What the sweeper sees: numbers of chats, no words."""
        with enter(sweeper()):
            return read_queue()


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation."""

    tenant_id: int
    chat_id: int

    def read(self) -> streams.Digests:
        """Raises NotFound."""
        with enter(of_tenant(self.tenant_id)):
            found = db.session.get(Chat, (self.tenant_id, self.chat_id))
            if found is None:
                raise NotFound
            return digests_of(found)


def address(path: str) -> str:
    """Where pages listen: on their own host, or where LIVE_URL says."""
    return f"{current_app.extensions['settings'].live_url}/streams/{path}"


def _now(token: str, permission: Permission) -> Actor | None:
    """Whoever the session stands for at this moment, with the right still held."""
    with enter(gate()):
        found = principals.by_session(token, time.now())
    return found.actor if found is not None and found.actor.may(permission) else None


@bp.get("/streams/chats")
@require(Permission.WORK_TICKETS)
def stream_queue() -> Response:
    """The versions of the queue; who listens is there to answer."""
    who, token = actor(), current_user.get_id()

    def still_may() -> bool:
        now = _now(token, Permission.WORK_TICKETS)
        if now is not None and now.id is not None:
            note_presence(now.id, at=time.now())
        return now is not None and now.tenants == who.tenants

    return streams.serve(streams.Listener(Queue(), who.id, who.tenants, still_may), read_queue())


@bp.get("/streams/desk/chats/<chat>")
@require(Permission.WORK_TICKETS)
def stream_desk_chat(chat: str) -> Response:
    """The versions of one conversation, for staff."""
    return _stream(chat, Permission.WORK_TICKETS)


@bp.get("/streams/portal/chats/<chat>")
@require(Permission.OPEN_OWN_TICKETS)
def stream_portal_chat(chat: str) -> Response:
    """The versions of one's own conversation."""
    return _stream(chat, Permission.OPEN_OWN_TICKETS)


def _stream(public_id: str, permission: Permission) -> Response:
    found, who, token = find_chat(public_id, by=actor()), actor(), current_user.get_id()

    def still_may() -> bool:
        now = _now(token, permission)
        if now is None:
            return False
        if now.is_staff and now.id is not None:
            note_presence(now.id, at=time.now())
        with enter(now.scope()):
            find_chat(public_id, by=now)
        return True

    talk = Talk(found.tenant_id, found.id)
    return streams.serve(streams.Listener(talk, who.id, frozenset(), still_may), digests_of(found))


@bp.get("/streams/visitors/<key>/<token>")
@credential("visitor")
def stream_visitor(key: str, token: str) -> Response:
    """The versions of a visitor's conversation."""
    found = visited_chat()
    talk, tenant_id = Talk(found.tenant_id, found.id), g.door.tenant_id

    def still_may() -> bool:
        with enter(of_tenant(tenant_id)):
            return db.session.get_one(Chat, (tenant_id, talk.chat_id)).state != "ended"

    # Seats are counted by address, so that one visitor's many conversations leave some for others.
    person = streams.Guest(source_of(request.remote_addr))
    return streams.serve(streams.Listener(talk, person, frozenset(), still_may), digests_of(found))
