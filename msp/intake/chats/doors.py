"""The way in from a client's website: its public key, the pages that may embed it, and a visitor's signed token."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flask import g, request
from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import select

from msp.intake.chats.models import Chat, ChatDoor
from msp.intake.chats.queries import find_visitors_chat
from tenants.audit import services as audit
from tenants.foundation.actor import Actor, ActorKind
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import Role, Scope, enter, gate
from tenants.people.keys import key_for
from tenants.tenancy.models import Tenant

TOKEN_SECONDS = 24 * 3600
MOST_ORIGINS = 20


@dataclass(frozen=True, slots=True)
class Door:
    """A door that is open: whose it is, its key, and the pages that may embed the chat."""

    tenant_id: int
    key: str
    origins: tuple[str, ...]


def find_door(tenant_id: int) -> ChatDoor | None:
    """A client's door, open or shut."""
    return db.session.scalar(select(ChatDoor).where(ChatDoor.tenant_id == tenant_id))


def set_door(
    tenant_id: int, *, is_open: bool, origins: str, by: Actor, at: datetime, new_key: bool = False
) -> ChatDoor:
    """Open or shut a client's door and say which pages may embed it, one address a line. Raises Invalid."""
    pages = _read_origins(origins)
    door = find_door(tenant_id)
    if door is None:
        door = ChatDoor(tenant_id=tenant_id, public_key=_new_key(), changed_at=at, changed_by=by.name)
        db.session.add(door)
    elif new_key:
        door.public_key = _new_key()
    door.is_open, door.origins, door.changed_at, door.changed_by = is_open, pages, at, by.name
    db.session.flush()
    detail = {"is_open": is_open, "origins": pages, "new_key": new_key}
    audit.record("chat_door.set", tenant_id=tenant_id, by=by, object="chat_door", at=at, detail=detail)
    return door


def _new_key() -> str:
    return secrets.token_urlsafe(18)


def _read_origins(typed: str) -> list[str]:
    found = list(dict.fromkeys(_origin(one) for one in typed.split()))
    if len(found) > MOST_ORIGINS:
        raise Invalid("origins", _l("At most 20 addresses."))
    return found


def _origin(typed: str) -> str:
    """`https://host[:port]`, nothing that could say more in a header. Raises Invalid."""
    wrong = Invalid("origins", _l("Write one address a line, like https://www.example.com, without a path."))
    try:
        parts = urlsplit(typed)
        port = parts.port
    except ValueError:
        raise wrong from None
    host = parts.hostname or ""
    plain = host.isascii() and host.replace("-", "").replace(".", "").isalnum()
    if parts.scheme not in ("https", "http") or not plain or parts.username or parts.path not in ("", "/"):
        raise wrong
    if parts.query or parts.fragment or len(typed) > 200:
        raise wrong
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _knocked(key: str) -> Door:
    """Who is behind a key. Raises NotFound for one that is unknown, shut, or of a client that is not served."""
    if len(key) > 40 or not key.isascii():
        raise NotFound
    with enter(gate()):
        row = db.session.execute(
            select(ChatDoor, Tenant.state)
            .join(Tenant, Tenant.id == ChatDoor.tenant_id)
            .where(ChatDoor.public_key == key, ChatDoor.is_open)
        ).one_or_none()
    if row is None or row[1] != "active":
        raise NotFound
    return Door(row[0].tenant_id, key, tuple(row[0].origins))


def resolve_website() -> Scope:
    """The credential of a public page: the client whose key is in the address. Raises NotFound."""
    g.door = _knocked(str((request.view_args or {}).get("key", "")))
    return Scope(Role.CLIENT, frozenset({g.door.tenant_id}))


def resolve_visitor() -> Scope:
    """The credential of a visitor who talks: key and token of one conversation. Raises NotFound."""
    scope = resolve_website()
    g.chat_id = _read_token(g.door, str((request.view_args or {}).get("token", "")))
    return scope


def token_of(door: Door, chat: Chat) -> str:
    """What lets a visitor into one conversation for a day, without a cookie."""
    return _signer(door).dumps(chat.public_id.hex)


def _read_token(door: Door, token: str) -> str:
    try:
        return str(_signer(door).loads(token, max_age=TOKEN_SECONDS))
    except BadSignature:
        raise NotFound from None


def _signer(door: Door) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key_for("chat visitors"), salt=door.key)


def visitor_of(chat: Chat) -> Actor:
    """Somebody without an account as an actor of the client whose website it is."""
    own = frozenset({chat.tenant_id})
    return Actor(ActorKind.USER, chat.name, role=MemberRole.CLIENT_USER, tenants=own, via="website")


def visited_chat() -> Chat:
    """The conversation of this request's token. Raises NotFound."""
    return find_visitors_chat(g.door.tenant_id, g.chat_id)
