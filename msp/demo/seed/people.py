"""The provider's staff and the clients' people, with the accounts and tokens that the demo prints."""

from dataclasses import dataclass, replace
from typing import Any

from msp.demo.seed.times import Stage
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole, Permission
from tenants.foundation.scope import enter, gate
from tenants.people import principals
from tenants.people.invitations import join_company
from tenants.people.models import User
from tenants.people.queries import list_members
from tenants.people.rules import Reach
from tenants.people.sharing import set_ticket_sharing
from tenants.people.staff import NOWHERE, create_person
from tenants.people.tokens import mint_token
from tenants.tenancy.models import Tenant

PASSWORD = "selamat-datang-2026"  # noqa: S105 everyone's, and printed: nobody real lives here
TOKEN_DAYS = 365


@dataclass(frozen=True)
class Person:
    """Somebody with an account. `home` is a client, or empty for the provider's staff; `granted` empty means all."""

    key: str
    name: str
    role: MemberRole
    home: str = ""
    granted: tuple[str, ...] = ()
    language: str = "id"

    @property
    def email(self) -> str:
        """Fictional, in a domain that never exists."""
        return f"{self.key}@{self.home or 'nusantara'}.example"


STAFF = (
    Person("ratna", "Ratna Widyastuti", MemberRole.OWNER),
    Person("bagus", "Bagus Prasetyo", MemberRole.MANAGER),
    Person("dewi", "Dewi Anggraini", MemberRole.DISPATCHER),
    Person("tono", "Tono Saputra", MemberRole.L1, granted=("kopi-senja", "batik-lestari")),
    Person("wulan", "Wulan Maharani", MemberRole.L1, granted=("klinik-sehat", "lentera-timur")),
    Person("hendra", "Hendra Gunawan", MemberRole.L2),
    Person("nyoman", "Nyoman Wirawan", MemberRole.L3),
)
CLIENTS = (
    Person("sari", "Sari Kusumawardani", MemberRole.CLIENT_ADMIN, "kopi-senja"),
    Person("budi", "Budi Hartono", MemberRole.CLIENT_USER, "kopi-senja"),
    Person("ayu", "Ayu Lestari", MemberRole.CLIENT_ADMIN, "batik-lestari"),
    Person("joko", "Joko Susilo", MemberRole.CLIENT_USER, "batik-lestari"),
    Person("putri", "Putri Maharani", MemberRole.CLIENT_USER, "batik-lestari"),
    Person("rahma", "dr. Rahma Daeng", MemberRole.CLIENT_ADMIN, "klinik-sehat"),
    Person("ilham", "Ilham Syarif", MemberRole.CLIENT_USER, "klinik-sehat"),
    Person("yohana", "Yohana Wenda", MemberRole.CLIENT_ADMIN, "lentera-timur", language="en"),
    Person("markus", "Markus Rumbiak", MemberRole.CLIENT_USER, "lentera-timur", language="en"),
)
# Keeps the books of two companies.
GUEST, SECOND_HOME = "putri", "kopi-senja"
# Her company chose her to read all of its tickets: it is she who knows what each department waits for.
READER = "putri"


def introduce(stage: Stage) -> None:
    """Give everyone an account."""
    with enter(gate()):
        for person in (*STAFF, *CLIENTS):
            stage.people[person.key] = _account(person, stage).id
        guest = db.session.get_one(User, stage.people[GUEST])
        join_company(stage.tenants[SECOND_HOME], guest, MemberRole.CLIENT_USER, at=stage.began)
        db.session.commit()
    _share(stage, by=actor_of(stage, "ayu"))


def _share(stage: Stage, *, by: Actor) -> None:
    with enter(by.scope()):
        company = db.session.get_one(Tenant, *by.tenants)
        people = list_members(company.id)
        chosen = [str(one.public_id) for one in people if one.user_id == stage.people[READER]]
        set_ticket_sharing(company, "chosen", chosen, by=by, at=stage.began)
        db.session.commit()


def _account(person: Person, stage: Stage) -> User:
    allowed = frozenset(stage.tenants[slug] for slug in person.granted)
    is_client = bool(person.home)
    return create_person(
        email=person.email,
        name=person.name,
        password=PASSWORD,
        role=person.role,
        reach=NOWHERE if is_client else Reach(all_tenants=not allowed, allowed=allowed),
        tenant_id=stage.tenants[person.home] if is_client else None,
        language=person.language,
        by=stage.by,
        at=stage.began,
    )


def actor_of(stage: Stage, key: str) -> Actor:
    """The person as an actor, of the first company for clients."""
    with enter(gate()):
        found = principals.by_user_id(stage.people[key])
    assert found is not None
    person = next(one for one in (*STAFF, *CLIENTS) if one.key == key)
    if not person.home:
        return found.actor
    home = frozenset({stage.tenants[person.home]})
    reads = person.role == MemberRole.CLIENT_ADMIN or key == READER
    return Actor.person(
        user_id=found.user_id, name=person.name, role=person.role, tenants=home, reads_company=reads
    )


def accounts() -> list[dict[str, Any]]:
    """What credentials.json says of accounts; staff belong to no client."""
    return [
        {
            "email": one.email,
            "password": PASSWORD,
            "role": str(one.role),
            "tenant": one.home or None,
            "name": one.name,
        }
        for one in (*STAFF, *CLIENTS)
    ]


def mint_tokens(stage: Stage) -> list[dict[str, Any]]:
    """A token with all of the person's rights for each person."""
    return [_mint(person, stage) for person in (*STAFF, *CLIENTS)]


def _mint(person: Person, stage: Stage) -> dict[str, Any]:
    actor = actor_of(stage, person.key)
    # Not every role may mint its own; the demo hands one to everybody.
    able = replace(actor, permissions=actor.permissions | {Permission.MINT_TOKENS})
    tenant_id = stage.tenants[person.home] if person.home else None
    with enter(gate()):
        _, secret = mint_token(
            name="demo",
            rights=sorted(actor.permissions),
            days=TOKEN_DAYS,
            tenant_id=tenant_id,
            by=able,
            at=stage.now,
        )
        db.session.commit()
    return {"role": str(person.role), "tenant": person.home or None, "email": person.email, "token": secret}
