"""What people can: the list of skills, who has them, and which of them a category of tickets asks for."""

from collections.abc import Mapping
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from msp.staff.checks import audited, one_line
from msp.staff.models import LEVELS, CategorySkill, Skill, StaffSkill
from msp.web.languages import reader_language
from tenants.foundation.actor import Actor
from tenants.foundation.db import db, hold_row
from tenants.foundation.errors import Invalid, NotFound
from tenants.people.models import StaffMember
from tenants.tenancy.clashes import naming_clashes
from tenants.tenancy.queries import as_uuid
from tenants.tickets.category_models import Category

TAKEN = _l("There is a skill of this name already.")
CLASHES = {"uq_skills_name_en": ("name_en", TAKEN), "uq_skills_name_id": ("name_id", TAKEN)}
NAME_IT = _l("Give it a name of at most 80 characters.")


def name_of_skill(skill: Skill) -> str:
    """The skill's name in the reader's language."""
    return skill.name_id if reader_language() == "id" else skill.name_en


def list_skills(*, retired: bool = False) -> list[Skill]:
    """The skills by name; retired ones only when asked for."""
    listed = select(Skill) if retired else select(Skill).where(Skill.is_active)
    return sorted(db.session.scalars(listed), key=lambda one: name_of_skill(one).casefold())


def find_skill(public_id: str) -> Skill:
    """A skill. Raises NotFound."""
    found = db.session.scalar(select(Skill).where(Skill.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def add_skill(name_en: str, name_id: str, *, by: Actor, at: datetime) -> Skill:
    """A new skill. Raises Invalid naming what is unfit or there already."""
    skill = Skill()
    with naming_clashes(CLASHES):
        _name(skill, name_en, name_id)
        db.session.add(skill)
    audited("skill.add", f"skill:{skill.public_id}", by, at, name=skill.name_en)
    return skill


def change_skill(
    skill: Skill, name_en: str, name_id: str, *, is_active: bool, by: Actor, at: datetime
) -> None:
    """Rename a skill or retire it: people keep it, nobody is asked for it any more. Raises Invalid."""
    before = skill.name_en
    with naming_clashes(CLASHES):
        _name(skill, name_en, name_id)
        skill.is_active = is_active
    audited(
        "skill.change",
        f"skill:{skill.public_id}",
        by,
        at,
        before=before,
        after=skill.name_en,
        active=is_active,
    )


def _name(skill: Skill, name_en: str, name_id: str) -> None:
    skill.name_en = one_line(name_en, "name_en", 80, NAME_IT)
    skill.name_id = one_line(name_id, "name_id", 80, NAME_IT)


def levels_of(user_ids: list[int] | None = None) -> dict[int, dict[int, int]]:
    """By person, the level of each skill."""
    asked = select(StaffSkill.user_id, StaffSkill.skill_id, StaffSkill.level)
    if user_ids is not None:
        asked = asked.where(StaffSkill.user_id.in_(user_ids))
    found: dict[int, dict[int, int]] = {}
    for user_id, skill_id, level in db.session.execute(asked):
        found.setdefault(user_id, {})[skill_id] = level
    return found


def set_levels(person: StaffMember, levels: Mapping[int, int], *, by: Actor, at: datetime) -> None:
    """Say how well somebody can what; a skill that is not named, or with 0, is taken away. Raises Invalid."""
    wanted = {skill: level for skill, level in levels.items() if level}
    if not set(wanted.values()) <= set(LEVELS):
        raise Invalid("level", _l("A level is 1, 2 or 3."))
    hold_row(StaffMember, person.id)
    before = levels_of([person.user_id]).get(person.user_id, {})
    db.session.execute(delete(StaffSkill).where(StaffSkill.user_id == person.user_id))
    db.session.add_all(
        StaffSkill(user_id=person.user_id, skill_id=skill, level=level) for skill, level in wanted.items()
    )
    detail = {"before": _plain(before), "after": _plain(wanted)}
    audited("staff.skills", f"staff:{person.public_id}", by, at, **detail)


def _plain(levels: Mapping[int, int]) -> dict[str, int]:
    return {str(skill): level for skill, level in sorted(levels.items())}


def needs_of(category_id: int | None) -> dict[int, int]:
    """Which skills a category asks for, at which level; nothing without a category."""
    if category_id is None:
        return {}
    asked = (
        select(CategorySkill.skill_id, CategorySkill.level)
        .join(Skill, Skill.id == CategorySkill.skill_id)
        .where(CategorySkill.category_id == category_id, Skill.is_active)
        .order_by(CategorySkill.skill_id)
    )
    return {row.skill_id: row.level for row in db.session.execute(asked)}


def set_needs(category_id: int, needs: Mapping[int, int], *, by: Actor, at: datetime) -> None:
    """Say which skills tickets of a category ask for; 0 asks for none. Raises Invalid."""
    wanted = {skill: level for skill, level in needs.items() if level}
    if not set(wanted.values()) <= set(LEVELS):
        raise Invalid("level", _l("A level is 1, 2 or 3."))
    hold_row(Category, category_id)
    db.session.execute(delete(CategorySkill).where(CategorySkill.category_id == category_id))
    db.session.add_all(
        CategorySkill(category_id=category_id, skill_id=skill, level=level) for skill, level in wanted.items()
    )
    audited("category.skills", f"category:{category_id}", by, at, needs=_plain(wanted))
