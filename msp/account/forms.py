"""Forms of one's own account: shape and single fields only."""

from typing import Any
from zoneinfo import available_timezones

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    HiddenField,
    IntegerField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    widgets,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from msp.web.fields import email_field, name_field, options, plain_text

HOME_ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")


def password_field(label: Any) -> PasswordField:
    """A password, old or new; its strength is the service's business."""
    return PasswordField(label, [InputRequired(_l("Type your password.")), Length(max=1000)])


class SignInForm(FlaskForm):
    """Address and password."""

    email = StringField(
        _l("E-mail address"),
        [DataRequired(_l("Type your e-mail address.")), Length(max=254), plain_text],
    )
    password = password_field(_l("Password"))
    next = HiddenField()


class CodeForm(FlaskForm):
    """A code of the second factor."""

    code = StringField(_l("Code"), [DataRequired(_l("Type the code.")), Length(max=40), plain_text])
    next = HiddenField()


class AskForm(FlaskForm):
    """A button and nothing else."""


class ForgottenForm(FlaskForm):
    """The address that a new password is asked for."""

    email = email_field(_l("E-mail address"))


class NewPasswordForm(FlaskForm):
    """A new password, by a link that proves the mailbox."""

    password = password_field(_l("New password"))


class ChangePasswordForm(FlaskForm):
    """The present password and the new one."""

    current = password_field(_l("Present password"))
    password = password_field(_l("New password"))


class EmailForm(FlaskForm):
    """A new address, vouched for by the password."""

    email = email_field(_l("New e-mail address"))
    current = password_field(_l("Present password"))


class ProveForm(FlaskForm):
    """The password once more, before something that weakens or renews the account's protection."""

    current = password_field(_l("Present password"))


class ProfileForm(FlaskForm):
    """How the person is called, and how pages speak and count time."""

    name = name_field(_l("Name"))
    language = SelectField(
        _l("Language"),
        choices=options([("", _l("As the browser asks")), ("id", "Bahasa Indonesia"), ("en", "English")]),
    )
    time_zone = SelectField(_l("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = sorted(one for one in available_timezones() if "/" in one and one not in HOME_ZONES)
        self.time_zone.choices = options(
            [
                ("", _l("The portal's own")),
                ("Asia/Jakarta", "WIB (Asia/Jakarta)"),
                ("Asia/Makassar", "WITA (Asia/Makassar)"),
                ("Asia/Jayapura", "WIT (Asia/Jayapura)"),
                *((one, one) for one in others),
            ]
        )


class TokenForm(FlaskForm):
    """An API token: its name, its rights, its life."""

    name = StringField(
        _l("Name"),
        [DataRequired(_l("Say what the token is for.")), Length(max=80), plain_text],
        description=_l("What uses it, for instance: monthly report."),
    )
    days = IntegerField(
        _l("Days until it ends"),
        [
            InputRequired(_l("Type a number of days.")),
            NumberRange(1, 365, _l("A token lives from 1 to 365 days.")),
        ],
        default=90,
    )
    tenant = SelectField(_l("For"))
    rights = SelectMultipleField(
        _l("Rights"), option_widget=widgets.CheckboxInput(), widget=widgets.ListWidget(prefix_label=False)
    )


class AcceptForm(FlaskForm):
    """What a newcomer says of oneself."""

    name = name_field(_l("Your name"))
    password = password_field(_l("Password"))
