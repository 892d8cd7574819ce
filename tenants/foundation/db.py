"""The database: declarative base, the three kinds of tables, and the session that carries the scope."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    Text,
    Uuid,
    any_,
    bindparam,
    false,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry
from sqlalchemy.types import UserDefinedType

from tenants.foundation.errors import NotFound
from tenants.foundation.scope import Role, Scope

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA = MetaData(naming_convention=NAMING)
TYPES: dict[Any, Any] = {
    int: BigInteger,
    str: Text,
    datetime: DateTime(timezone=True),
    dict[str, Any]: JSONB,
    list[Any]: JSONB,
    uuid.UUID: Uuid,
}


class Ids(UserDefinedType[str]):
    """Row ids as one parameter, written as PostgreSQL's array: `{1,2}`.

    A list of parameters would be another statement for each length, to be planned anew.
    """

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_options: Any) -> str:
        """The type's name in SQL."""
        return "BIGINT[]"


def among(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """Whether a column holds one of the ids: `IN` as one parameter."""
    written = "{" + ",".join(map(str, ids)) + "}"
    return cast(ColumnElement[bool], column == any_(bindparam(None, written, Ids())))


class Base(DeclarativeBase):
    """Declarative base; what every column type of ours maps to."""

    metadata = METADATA
    registry = registry(metadata=METADATA, type_annotation_map=TYPES)
    # What each database role may do beyond the defaults of the table's kind (see rowsecurity.py).
    __grants__: ClassVar[dict[Role, str]] = {}


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


class TenantOwned:
    """Mixin of every row that belongs to one tenant; its key is `(tenant_id, id)`."""

    __portal_kind__: ClassVar[str] = "tenant"
    tenant_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tenants.id"), primary_key=True, sort_order=-20
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, sort_order=-19)

    @classmethod
    def rows_for_client(cls) -> ColumnElement[bool]:
        """Which rows the client's own people may take home: none of a table that does not say otherwise."""
        return false()


class AllForClient:
    """Mixin before TenantOwned: the client's own people may take home every row."""

    @classmethod
    def rows_for_client(cls) -> ColumnElement[bool]:
        """All of them."""
        return true()


class ProviderOwned:
    """Mixin of rows that belong to the provider; clients read none but those that `__rows__` lets them."""

    __portal_kind__: ClassVar[str] = "provider"
    # Which rows a role may touch, as a condition in SQL, where that is not all; `{tenants}` is the scope's array.
    __rows__: ClassVar[dict[Role, str]] = {}
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, sort_order=-20)


class Global:
    """Mixin of rows above tenants (people, sessions), reached only through the gate or by their own person."""

    __portal_kind__: ClassVar[str] = "global"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, sort_order=-20)


def belongs(parent: str, column: str, **options: Any) -> ForeignKeyConstraint:
    """A foreign key that cannot cross tenants: `(tenant_id, column)` references `parent(tenant_id, id)`."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{parent}.tenant_id", f"{parent}.id"], **options)


def public_id() -> Mapped[uuid.UUID]:
    """A random id that may be shown outside; its index is plain, since unique ones lead with the tenant."""
    return mapped_column(Uuid, default=uuid.uuid4, index=True)


def moment(**options: Any) -> Mapped[Any]:
    """An aware moment, stored in UTC."""
    return mapped_column(DateTime(timezone=True), **options)


def choice(column: str, values: Sequence[str]) -> CheckConstraint:
    """A check that a text column holds one of the values; enum types would lose their index under row security."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def take_scope(session: Session, scope: Scope, connection: Any = None) -> None:
    """Tell PostgreSQL, for this transaction, the role, the tenants and the user in force: one round trip."""
    user = "" if scope.user_id is None else str(scope.user_id)
    (connection or session.connection()).exec_driver_sql(
        "SELECT set_config('role', %s, true), set_config('app.tenants', %s, true), set_config('app.user', %s, true)",
        (scope.role.value, scope.written, user),
    )


@contextmanager
def own_session() -> Iterator[None]:
    """A session that lives as long as the scope that was just entered."""
    registry = db.session.registry
    outer = registry() if registry.has() else None
    if outer is not None:
        registry.clear()
    try:
        yield
    finally:
        db.session.remove()
        if outer is not None:
            registry.set(outer)


def hold_row(model: Any, row_id: int) -> None:
    """Lock a row for this transaction: two who save what hangs on it come one after the other. Raises NotFound."""
    held = select(model.id).where(model.id == row_id).with_for_update(key_share=True)
    if db.session.scalar(held) is None:
        raise NotFound
