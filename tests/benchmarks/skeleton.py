"""The yardstick: the least that such pages cost in the same stack, on the same tables, in the same database roles.

A page of five queries (session with its user, clients for the filter, 25 tickets, their clients, their assignees), an
insert, and a check-in that records when the agent was seen. No rules, no clocks, no words in two languages.
"""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, jsonify, render_template, request, session
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, LargeBinary, String, insert, select, tuple_, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Rows of the portal's own tables, with the columns that a page shows."""


db = SQLAlchemy(model_class=Base)


class Tenant(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    slug: Mapped[str] = mapped_column(String)
    name: Mapped[str] = mapped_column(String)


class User(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String)
    email: Mapped[str] = mapped_column(String)


class Session(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "sign_in_sessions"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    user_id: Mapped[int] = mapped_column(BigInteger)


class Token(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "api_tokens"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    user_id: Mapped[int] = mapped_column(BigInteger)
    tenant_id: Mapped[int] = mapped_column(BigInteger)


class Staff(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "staff_members"
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String)


class Ticket(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "tickets"
    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    code: Mapped[str] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String)
    subject: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    impact: Mapped[str] = mapped_column(String)
    urgency: Mapped[str] = mapped_column(String)
    priority: Mapped[str] = mapped_column(String)
    priority_overridden: Mapped[bool]
    tier: Mapped[str] = mapped_column(String)
    rev: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String)
    requester_user_id: Mapped[int] = mapped_column(BigInteger)
    requester_name: Mapped[str] = mapped_column(String)
    assignee_user_id: Mapped[int | None] = mapped_column(BigInteger)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    queue_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    is_open: Mapped[bool]


class Credential(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "agent_credentials"
    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    asset_id: Mapped[int] = mapped_column(BigInteger)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)


class Asset(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "assets"
    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    last_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Action(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "actions"
    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    asset_id: Mapped[int] = mapped_column(BigInteger)
    phase: Mapped[str] = mapped_column(String)


def _scope(role: str, tenants: str = "{}", user: int | str = "") -> None:
    db.session.connection().exec_driver_sql(
        "SELECT set_config('role', %s, true), set_config('app.tenants', %s, true), set_config('app.user', %s, true)",
        (role, tenants, str(user)),
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def create() -> Flask:
    """The yardstick's application; settings from the environment as the portal's."""
    app = Flask("skeleton", template_folder=str(Path(__file__).parent))
    app.config.update(
        SECRET_KEY=os.environ["SECRET_KEY"],
        SQLALCHEMY_DATABASE_URI=os.environ["DATABASE_URL"],
        SQLALCHEMY_ENGINE_OPTIONS={"pool_pre_ping": True},
    )
    db.init_app(app)
    app.add_url_rule("/page", view_func=page)
    app.add_url_rule("/insert", view_func=add, methods=["POST"])
    app.add_url_rule("/check-in/<token>", view_func=check_in)
    app.config["EVERYONE"] = os.environ["SKELETON_TENANTS"]
    return app


def page() -> Any:
    """25 open tickets over all clients with names, a filter and a layout."""
    from flask import current_app

    _scope("portal_gate")
    found = select(User).join(Session, Session.user_id == User.id)
    user = db.session.scalars(found.where(Session.token_hash == _digest(session["_user_id"]))).one()
    _scope("portal_staff", current_app.config["EVERYONE"], user.id)
    clients = db.session.scalars(select(Tenant).order_by(Tenant.name)).all()
    queue = select(Ticket).where(Ticket.is_open).order_by(Ticket.queue_at, Ticket.id).limit(25)
    tickets = db.session.scalars(queue).all()
    theirs = db.session.scalars(select(Tenant).where(Tenant.id.in_({one.tenant_id for one in tickets})))
    holders = db.session.scalars(
        select(Staff).where(Staff.user_id.in_({one.assignee_user_id for one in tickets}))
    )
    return render_template(
        "skeleton.html",
        user=user,
        clients=clients,
        tickets=tickets,
        names={one.id: one for one in theirs},
        holders={one.user_id: one for one in holders},
    )


def add() -> Any:
    """A row from a program."""
    given = request.get_json()
    token = request.headers["Authorization"].removeprefix("Bearer ")
    _scope("portal_gate")
    found = select(Token, User).join(User, User.id == Token.user_id).where(Token.token_hash == _digest(token))
    credential, user = db.session.execute(found).one()
    _scope("portal_client", f"{{{credential.tenant_id}}}", user.id)
    now = datetime.now(UTC)
    values = {name: given[name] for name in ("subject", "impact", "urgency")}
    ticket_id = db.session.execute(
        insert(Ticket)
        .values(
            tenant_id=credential.tenant_id,
            code=f"S{now.timestamp()}{os.getpid()}"[:20],
            kind="incident",
            state="new",
            priority="P3",
            priority_overridden=False,
            tier="L1",
            rev=1,
            source="api",
            requester_user_id=user.id,
            requester_name=user.name,
            opened_at=now,
            **values,
        )
        .returning(Ticket.id)
    ).scalar_one()
    db.session.commit()
    return jsonify({"id": ticket_id, **values}), 201


def check_in(token: str) -> Any:
    """Who calls, noted as seen, and what waits for it."""
    _scope("portal_gate")
    found = select(Credential).where(Credential.token_hash == _digest(token))
    who = db.session.scalars(found).one()
    _scope("portal_agents", f"{{{who.tenant_id}}}")
    key = tuple_(Asset.tenant_id, Asset.id) == (who.tenant_id, who.asset_id)
    db.session.execute(
        update(Asset)
        .where(key)
        .values(last_seen_at=datetime.now(UTC))
        .execution_options(synchronize_session=False)
    )
    waits = select(Action.id).where(
        Action.tenant_id == who.tenant_id, Action.asset_id == who.asset_id, Action.phase == "eligible"
    )
    waiting = db.session.scalars(waits.limit(1)).all()
    db.session.commit()
    return jsonify({"wait": "00:01:00", "work": waiting})


# The bare callable: the portal's own server settings look for the portal's database in a Flask application.
app = create().wsgi_app if "SKELETON_TENANTS" in os.environ else None
