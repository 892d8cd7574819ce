"""Forms of the console: shapes and single fields; whether the values fit is the services' business."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from msp.web.fields import mail_address, options
from tenants.assets.words import KIND_WORDS
from tenants.foundation import time
from tenants.tenancy.models import Site
from tenants.tenancy.rules import LEVELS, PRIORITIES, SitePlan, known_zones
from tenants.tickets.rules import DEFAULT_MATRIX

HOME_ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
LANGUAGES = (("id", "Bahasa Indonesia"), ("en", "English"))
FEWEST_SITES = 2
MOST_SITES = 50


def trimmed(typed: Any) -> Any:
    """What was typed without spaces around it."""
    return typed.strip() if isinstance(typed, str) else typed


def zone_choices() -> list[tuple[str, str]]:
    """Zones with their distance from UTC; those at home first."""
    others = sorted(known_zones() - set(HOME_ZONES))
    return [(zone, _zone_words(zone)) for zone in (*HOME_ZONES, *others)]


def _zone_words(zone: str) -> str:
    offset = time.now().astimezone(ZoneInfo(zone)).strftime("%z")
    return f"{zone.replace('_', ' ')} (UTC{offset[:3]}:{offset[3:]})"


def _text(label: Any, *rules: Any, longest: int = 120, **more: Any) -> StringField:
    checks = [*rules, Length(max=longest, message=_l("This is too long: at most %(max)d characters."))]
    return StringField(label, checks, filters=[trimmed], **more)


class TenantForm(FlaskForm):
    """What is known of a client."""

    rev = HiddenField()
    name = _text(_l("Company name"), DataRequired(_l("Enter the company's name.")))
    address = TextAreaField(_l("Address"), [Length(max=500)], filters=[trimmed])
    time_zone = SelectField(_l("Time zone"), default="Asia/Jakarta")
    language = RadioField(
        _l("Language of mails and of the portal at first"), choices=options(LANGUAGES), default="id"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.time_zone.choices = options(zone_choices())


class MatrixForm(FlaskForm):
    """A priority for each impact and urgency."""

    rev = HiddenField()

    def cell(self, impact: str, urgency: str) -> Any:
        """The field of an impact and an urgency."""
        return self[f"matrix_{impact}_{urgency}"]

    def matrix(self) -> dict[str, str] | None:
        """The matrix that was chosen, None where it is the default one."""
        chosen = {key: self.cell(*key.split("/")).data for key in DEFAULT_MATRIX}
        return None if chosen == DEFAULT_MATRIX else chosen

    @staticmethod
    def values(matrix: Mapping[str, str] | None) -> dict[str, str]:
        """The fields' data for a matrix."""
        return {f"matrix_{key.replace('/', '_')}": value for key, value in (matrix or DEFAULT_MATRIX).items()}


for _impact in LEVELS:
    for _urgency in LEVELS:
        _field = SelectField(
            choices=options((one, one) for one in PRIORITIES), default=DEFAULT_MATRIX[f"{_impact}/{_urgency}"]
        )
        setattr(MatrixForm, f"matrix_{_impact}_{_urgency}", _field)


class OnboardingForm(MatrixForm, TenantForm):
    """The guided page: company, addresses of its pages and tickets, sites, priorities, first administrator."""

    key = HiddenField()
    slug = _text(_l("Short name"), longest=39)
    prefix = _text(_l("Prefix of ticket codes"), longest=6)
    site_count = HiddenField(default=str(FEWEST_SITES))
    contract = RadioField(
        _l("Contract"),
        choices=options(
            [
                ("standard", _l("Standard terms from today on; they can be changed afterwards")),
                ("", _l("None yet")),
            ]
        ),
        default="standard",
        validate_choice=False,
    )
    admin_name = _text(_l("Name"))
    admin_email = _text(_l("E-mail address"), Optional(), mail_address, longest=254)

    def site_rows(self) -> list[tuple[Any, Any]]:
        """The fields of each site: name and address."""
        count = sum(1 for name in self._fields if name.startswith("site_") and name.endswith("_name"))
        return [(self[f"site_{place}_name"], self[f"site_{place}_address"]) for place in range(count)]

    def sites(self) -> list[tuple[int, SitePlan]]:
        """Sites that were filled in, each with its row."""
        rows = enumerate(self.site_rows())
        plans = [(place, SitePlan(name.data or "", address.data or "")) for place, (name, address) in rows]
        return [(place, plan) for place, plan in plans if plan.name or plan.address]


def onboarding_form(rows: int, **kwargs: Any) -> OnboardingForm:
    """The form with as many rows for sites as asked for."""
    fields: dict[str, Any] = {}
    for place in range(max(FEWEST_SITES, min(rows, MOST_SITES))):
        fields[f"site_{place}_name"] = _text(_l("Site %(number)s, name", number=place + 1))
        fields[f"site_{place}_address"] = _text(_l("Site %(number)s, address", number=place + 1), longest=500)
    form: OnboardingForm = type("SizedOnboardingForm", (OnboardingForm,), fields)(**kwargs)
    return form


class SuspendForm(FlaskForm):
    """Why a client is suspended."""

    rev = HiddenField()
    reason = TextAreaField(_l("Reason"), [Length(max=500)], filters=[trimmed])


class OffboardForm(FlaskForm):
    """Typing the short name says that it is meant."""

    rev = HiddenField()
    typed_slug = _text(_l("Short name"))


class SiteForm(FlaskForm):
    """A place of a client."""

    name = _text(_l("Name"), DataRequired(_l("Enter a name.")))
    address = TextAreaField(_l("Address"), [Length(max=500)], filters=[trimmed])


class AssetForm(FlaskForm):
    """What people say about an asset."""

    rev = HiddenField()
    name = _text(_l("Name"), DataRequired(_l("Enter a name.")))
    kind = SelectField(_l("Kind"), choices=options(KIND_WORDS.items()), default="workstation")
    site = SelectField(_l("Site"), validate_choice=False, default="")
    serial = _text(_l("Serial number"))
    tags = _text(_l("Tags"), longest=900)
    controller_id = _text(_l("Agent id"), longest=256)
    remote_url = _text(_l("Link to its remote tool"), longest=500)
    notes = TextAreaField(_l("Notes"), [Length(max=4000)], filters=[trimmed])

    def offer(self, sites: list[Site]) -> None:
        """Let a site of this client be chosen."""
        self.site.choices = options(
            [("", _l("No site")), *((str(site.public_id), site.name) for site in sites)]
        )


class ImportForm(FlaskForm):
    """A file's text between looking and doing, and how its columns are understood."""

    text = HiddenField()
    file_name = HiddenField()
    skip_bad = BooleanField(_l("Leave out rows that need mending and import the others"))
