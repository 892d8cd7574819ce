"""The cast: Acme with Alice and Bob, Globex with Mallory, and the provider's Tina, Leo, Nadia, Dana and Owen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.people import principals, sessions
from tenants.people.models import ApiToken, Membership, StaffGrant, StaffMember, User
from tenants.people.passwords import hash_password
from tenants.tenancy.models import Tenant

PASSWORD = "correct horse battery staple"
BEGAN = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
TENANTS = (
    ("provider", "NMS", "Nusantara Managed Services", "own"),
    ("acme", "ACME", "Acme", "client"),
    ("globex", "GLBX", "Globex", "client"),
)
CLIENTS = (
    ("Alice", "acme", MemberRole.CLIENT_ADMIN),
    ("Bob", "acme", MemberRole.CLIENT_USER),
    ("Mallory", "globex", MemberRole.CLIENT_ADMIN),
    ("Gus", "globex", MemberRole.CLIENT_USER),
)
STAFF = (
    ("Tina", MemberRole.L1, ("acme",)),
    ("Leo", MemberRole.L2, None),
    ("Nadia", MemberRole.L3, None),
    ("Dana", MemberRole.DISPATCHER, None),
    ("Mia", MemberRole.MANAGER, None),
    ("Owen", MemberRole.OWNER, None),
)


@dataclass(frozen=True)
class Cast:
    """Ids of the cast: `cast.tenants["acme"]`, `cast.users["Alice"]`."""

    tenants: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)

    def tenant(self, slug: str) -> int:
        return self.tenants[slug]


def email(name: str) -> str:
    return f"{name.lower()}@example.test"


def seed(app: Flask) -> None:
    """Write the cast into the template, as the gate and as each tenant's worker."""
    tenants = _seed_tenants()
    users = _seed_users()
    for slug, tenant_id in tenants.items():
        with enter(of_tenant(tenant_id)):
            for name, home, role in CLIENTS:
                if home == slug:
                    db.session.add(
                        Membership(
                            tenant_id=tenant_id,
                            user_id=users[name],
                            name=name,
                            email=email(name),
                            role=role,
                            joined_at=BEGAN,
                        )
                    )
            for name, _role, allowed in STAFF:
                if allowed and slug in allowed:
                    db.session.add(StaffGrant(tenant_id=tenant_id, user_id=users[name], granted_at=BEGAN))
            db.session.commit()
    from tests import scenery

    scenery.seed(app, Cast(tenants, users))


def _seed_tenants() -> dict[str, int]:
    from tests.cluster import TEMPLATE, _run

    rows = ", ".join(
        f"(gen_random_uuid(), '{slug}', '{prefix}', '{name}', '{kind}')"
        for slug, prefix, name, kind in TENANTS
    )
    _run(
        "INSERT INTO tenants (public_id, slug, prefix, name, kind, state, time_zone, language, address, created_at)"
        f" SELECT v.*, 'active', 'Asia/Jakarta', 'id', '', '{BEGAN.isoformat()}' FROM (VALUES {rows}) AS v",
        database=TEMPLATE,
    )
    return load_tenants()


def load_tenants() -> dict[str, int]:
    with enter(gate()):
        return dict(db.session.execute(select(Tenant.slug, Tenant.id)).all())


def _seed_users() -> dict[str, int]:
    with enter(gate()):
        for name in [one[0] for one in (*CLIENTS, *STAFF)]:
            db.session.add(
                User(
                    email=email(name),
                    name=name,
                    password_hash=hash_password(PASSWORD),
                    language="en",
                    time_zone="Asia/Jakarta",
                    created_at=BEGAN,
                )
            )
        db.session.flush()
        users = dict(db.session.execute(select(User.name, User.id)).all())
        for name, role, allowed in STAFF:
            db.session.add(
                StaffMember(
                    user_id=users[name],
                    name=name,
                    email=email(name),
                    role=role,
                    all_tenants=allowed is None,
                    joined_at=BEGAN,
                )
            )
        db.session.commit()
    return users


def load() -> Cast:
    """The cast's ids from the database in force; needs no app context of the caller."""
    from msp.background.application import application

    with application().app_context(), enter(gate()):
        users = dict(db.session.execute(select(User.name, User.id)).all())
        tenants = dict(db.session.execute(select(Tenant.slug, Tenant.id)).all())
    return Cast(tenants, users)


def actor(app: Flask, cast: Cast, name: str) -> Actor:
    """The Actor of a person."""
    with app.app_context(), enter(gate()):
        found = principals.by_user_id(cast.users[name])
    assert found is not None, name
    return found.actor


@contextmanager
def within(app: Flask, cast: Cast, who: str) -> Iterator[Any]:
    """The scope of a person (by name) or a tenant's worker (by slug); yields the actor or tenant id."""
    if who in cast.tenants:
        with app.app_context(), enter(of_tenant(cast.tenants[who])):
            yield cast.tenants[who]
        return
    person = actor(app, cast, who)
    with app.app_context(), enter(person.scope()):
        yield person


def sign_in(app: Flask, cast: Cast, name: str) -> FlaskClient:
    """A client that holds a real session of the person."""
    with app.app_context(), enter(gate()):
        key = sessions.begin_session(cast.users[name], at=time.now())
        db.session.commit()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = key
        cookie["_fresh"] = True
    return client


def mint_token(app: Flask, cast: Cast, name: str) -> str:
    """An API token with all rights of the person, bound to the person's company if it is a client's."""
    import secrets

    person = actor(app, cast, name)
    key = secrets.token_urlsafe(32)
    with app.app_context(), enter(gate()):
        db.session.add(
            ApiToken(
                token_hash=principals.digest(key),
                user_id=cast.users[name],
                tenant_id=None if person.is_staff else next(iter(person.tenants)),
                name="test",
                permissions=sorted(person.permissions),
                created_at=time.now(),
                expires_at=time.now() + timedelta(days=30),
            )
        )
        db.session.commit()
    return key
