"""The form of a class with what can be chosen in it, and what was typed as a plan."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from msp.training.forms import ClassForm
from msp.training.models import TrainingClass
from msp.training.services import Plan
from msp.training.words import language
from msp.web.fields import options
from tenants.people.queries import list_granted
from tenants.tenancy.models import Site, Tenant
from tenants.tenancy.queries import list_sites
from tenants.tickets.categories import Place, read_tree
from tenants.tickets.category_models import Category


class Planning:
    """A class that is planned (`row` None, perhaps about a `category`) or changed."""

    def __init__(self, tenant: Tenant, row: TrainingClass | None, category: str = "") -> None:
        self.tenant = tenant
        self.tree = read_tree()
        self.people = list_granted(tenant.id)
        self.sites = list_sites(tenant.id)
        self.form = ClassForm(data=self._shown(row, category))
        self._offer(row)

    def _offer(self, row: TrainingClass | None) -> None:
        form = self.form
        offered = self.tree.offered() if row is None else [self._own(row)]
        named = sorted((one.path(language()), str(one.category.public_id)) for one in offered if one)
        form.category.choices = options([("", _("Choose …")), *((key, path) for path, key in named)])
        sites = [(str(one.public_id), one.name) for one in self.sites]
        form.site.choices = options([("", _("No site")), *sites])
        trainers = [(str(one.public_id), one.name) for one in self.people]
        form.trainer.choices = options([("", _("Not named yet")), *trainers])

    def _own(self, row: TrainingClass) -> Place | None:
        return self.tree.find(row.category_id)

    def _shown(self, row: TrainingClass | None, category: str) -> dict[str, Any]:
        if row is None:
            place = self.tree.named(category)
            title = place.name(self.tenant.language) if place else ""
            return {"category": category, "title": title, "language": self.tenant.language[:2]}
        begins_at = row.begins_at.astimezone(ZoneInfo(row.time_zone))
        own = self._own(row)
        return {
            "category": str(own.category.public_id) if own else "",
            "title": row.title,
            "teaches": row.teaches,
            "language": row.language,
            "on": begins_at.date(),
            "starts_at": begins_at.time(),
            "minutes": row.minutes,
            "site": next((str(one.public_id) for one in self.sites if one.id == row.site_id), ""),
            "place": row.place,
            "link": row.link,
            "trainer": next(
                (str(one.public_id) for one in self.people if one.user_id == row.trainer_user_id), ""
            ),
            "seen": str(row.sequence),
        }

    @property
    def category(self) -> Category:
        """What was chosen; the form has refused what is not offered."""
        place = self.tree.named(self.form.category.data)
        assert place is not None
        return place.category

    @property
    def typed(self) -> Plan:
        """What was typed; a site's name and address stand for the place where none was."""
        form = self.form
        site: Site | None = next((one for one in self.sites if str(one.public_id) == form.site.data), None)
        trainer = next((one for one in self.people if str(one.public_id) == form.trainer.data), None)
        zone = (site.time_zone if site else None) or self.tenant.time_zone
        at_site = ", ".join(filter(None, (site.name, site.address.strip())))[:300] if site else ""
        return Plan(
            title=form.title.data or "",
            teaches=form.teaches.data or "",
            language=form.language.data,
            begins_at=_moment(form, zone),
            minutes=form.minutes.data,
            time_zone=zone,
            place=(form.place.data or "").strip() or at_site,
            link=form.link.data or "",
            site_id=site.id if site else None,
            trainer_user_id=trainer.user_id if trainer else None,
        )


def _moment(form: ClassForm, zone: str) -> datetime:
    """The wall clock in the zone; what is before the years of calendars is simply long ago."""
    try:
        found = datetime.combine(form.on.data, form.starts_at.data, ZoneInfo(zone))
        found + timedelta(days=2), found - timedelta(days=2)
    except OverflowError:
        return datetime(1, 1, 3, tzinfo=ZoneInfo("UTC"))
    return found
