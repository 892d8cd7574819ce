"""Who acts. Services receive an Actor as `by`; they never look at a request."""

from dataclasses import dataclass, field
from enum import StrEnum

from tenants.foundation.permissions import CLIENT_ROLES, PERMISSIONS, STAFF_ROLES, MemberRole, Permission
from tenants.foundation.scope import Role, Scope


class ActorKind(StrEnum):
    """What sort of actor: a person, a machine's agent, or the portal itself."""

    USER = "user"
    AGENT = "agent"
    SYSTEM = "system"


TIERS = ("L1", "L2", "L3")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which role, through which door (`via`: web, api, agent, job, import, command)."""

    kind: ActorKind
    name: str
    id: int | None = None
    role: MemberRole | None = None
    tenants: frozenset[int] = field(default_factory=frozenset)
    via: str = "web"
    permissions: frozenset[Permission] = field(default_factory=frozenset)

    @classmethod
    def person(
        cls,
        *,
        user_id: int,
        name: str,
        role: MemberRole,
        tenants: frozenset[int],
        reads_company: bool = False,
        via: str = "web",
    ) -> "Actor":
        """A signed-in person with all rights of the role.

        `reads_company`: of a client's person, whether all tickets of the company are read, or only the own.
        """
        reads = {Permission.VIEW_COMPANY_TICKETS} if reads_company and role in CLIENT_ROLES else set()
        return cls(ActorKind.USER, name, user_id, role, tenants, via, PERMISSIONS[role] | reads)

    @classmethod
    def system(cls, name: str, *, via: str = "job") -> "Actor":
        """The portal acting by itself; it holds no permissions and asks nobody."""
        return cls(ActorKind.SYSTEM, name, via=via)

    @property
    def is_staff(self) -> bool:
        """Whether this is one of the provider's people."""
        return self.role in STAFF_ROLES

    @property
    def tier(self) -> str | None:
        """L1, L2 or L3 for engineers; managers and owners count as L3, dispatchers as L1."""
        own = {MemberRole.L1: "L1", MemberRole.L2: "L2", MemberRole.L3: "L3", MemberRole.DISPATCHER: "L1"}
        leads = (MemberRole.OWNER, MemberRole.MANAGER)
        return "L3" if self.role in leads else own.get(self.role) if self.role else None

    def may(self, permission: Permission) -> bool:
        """Whether the right is held; unknown means no."""
        return permission in self.permissions

    def scope(self) -> Scope:
        """The scope of this person's requests."""
        role = Role.STAFF if self.is_staff else Role.CLIENT
        return Scope(role, self.tenants, self.id)
