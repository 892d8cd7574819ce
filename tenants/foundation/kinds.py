"""The registry of tables: tenant-owned, provider-owned or global. A table of no declared kind fails the start."""

from enum import StrEnum
from typing import Any

from sqlalchemy import Table

from tenants.foundation.db import Base


class Kind(StrEnum):
    """Whose rows a table holds."""

    TENANT = "tenant"
    PROVIDER = "provider"
    GLOBAL = "global"


class UndeclaredTable(RuntimeError):
    """A table exists whose kind nobody declared."""


def models() -> list[type[Any]]:
    """Every mapped class, sorted by table name."""
    mapped = (mapper.class_ for mapper in Base.registry.mappers)
    return sorted(mapped, key=lambda model: str(model.__tablename__))


def kind_of(model: type[Any]) -> Kind:
    """The declared kind of a mapped class. Raises UndeclaredTable."""
    declared = getattr(model, "__portal_kind__", None)
    if declared is None:
        raise UndeclaredTable(f"{model.__name__} declares no kind: tenant-owned, provider-owned or global")
    return Kind(declared)


def tenant_column(table: Table) -> str:
    """The column that names the tenant; the anchor table is its own tenant."""
    return "id" if table.name == "tenants" else "tenant_id"


def check_all() -> None:
    """Refuse tables without a kind, mapped or not. Raises UndeclaredTable."""
    mapped = {model.__table__.name for model in models() if kind_of(model)}
    stray = set(Base.metadata.tables) - mapped
    if stray:
        raise UndeclaredTable(f"tables without a declared kind: {', '.join(sorted(stray))}")


def tenant_models() -> list[type[Any]]:
    """Every tenant-owned class, the anchor included, parents before children."""
    order = {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}
    owned = [model for model in models() if kind_of(model) is Kind.TENANT]
    return sorted(owned, key=lambda model: order[model.__table__.name])
