"""Forms of enrolment."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from msp.agents.words import CAPABILITY_WORDS, CLIENT_WORDS, SHARED_WORDS
from msp.web.fields import options, plain_text
from tenants.assets.words import KIND_WORDS


def _id_field() -> Any:
    rules = [Optional(), Length(max=256), plain_text]
    return StringField(_l("Agent id"), rules, description=_l("Empty: made from the name. It never changes."))


class EnrolForm(FlaskForm):
    """A token for an asset that exists; the id is asked for only while it has none."""

    controller_id = _id_field()


class UnknownAssetForm(FlaskForm):
    """A machine of which only a name is known yet."""

    tenant = SelectField(_l("Client"), choices=())
    name = StringField(_l("Name"), [DataRequired(_l("Give the asset a name.")), Length(max=120), plain_text])
    kind = SelectField(_l("Kind"), choices=options(KIND_WORDS.items()), default="workstation")
    controller_id = _id_field()


class AdmitForm(FlaskForm):
    """Whether a waiting device is an asset of its own, or one that is known."""

    asset = SelectField(_l("It is"), choices=())


class SharedForm(FlaskForm):
    """Something that a client's machines share."""

    kind = SelectField(_l("Kind"), choices=options(SHARED_WORDS.items()))
    name = StringField(
        _l("Name"), [DataRequired(_l("Give it a name of at most 80 characters.")), Length(max=80), plain_text]
    )
    issuer = StringField(
        _l("Issuer's digest"),
        [Optional(), Length(max=200), plain_text],
        description=_l("For a certificate authority only: as the proxy sends it."),
    )


class ClientForm(FlaskForm):
    """Which client an asset runs, and what it can do."""

    client = SelectField(_l("Client program"), choices=options(CLIENT_WORDS.items()))
    understands_skip = BooleanField(CAPABILITY_WORDS["understands_skip"])
    takes_many_files = BooleanField(CAPABILITY_WORDS["takes_many_files"])
    cancels_download = BooleanField(CAPABILITY_WORDS["cancels_download"])
    cancels_install = BooleanField(CAPABILITY_WORDS["cancels_install"])
    confirms_boot = BooleanField(CAPABILITY_WORDS["confirms_boot"])
    keeps_result = BooleanField(CAPABILITY_WORDS["keeps_result"])
    installs_packages = BooleanField(CAPABILITY_WORDS["installs_packages"])

    def wanted(self) -> dict[str, bool]:
        """Each capability as ticked."""
        return {name: bool(self[name].data) for name in CAPABILITY_WORDS}
