"""Fields that several features' forms have: their shape, and nothing of what they mean."""

import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l
from wtforms import DecimalField, HiddenField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, NumberRange, Optional, Regexp


def options(pairs: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    """Choices of a select field from values and their words."""
    return [SelectChoice(value, label) for value, label in pairs]


def request_key_field() -> Any:
    """The key by which a second click is recognised; made when the form is shown."""
    return HiddenField(
        default=lambda: str(uuid.uuid4()),
        validators=[Regexp(r"^[0-9A-Za-z-]{0,64}\Z")],
        filters=[lambda key: key or None],
    )


def plain_text(_form: Any, field: Any) -> None:
    """Refuse control characters: no person types them, and the database cannot hold all of them."""
    if any(ord(one) < 32 or ord(one) == 127 for one in field.data or ""):
        raise ValidationError(_l("Use plain text without control characters."))


def mail_address(_form: Any, field: Any) -> None:
    """Refuse what cannot be an e-mail address; addresses of test domains are as good as others."""
    try:
        validate_email(field.data or "", check_deliverability=False, test_environment=True)
    except EmailNotValidError as wrong:
        raise ValidationError(_l("This is not an e-mail address.")) from wrong


def _strip(typed: str | None) -> str | None:
    return typed.strip() if typed else typed


def email_field(label: Any) -> Any:
    """An e-mail address in its plain form."""
    rules = [
        DataRequired(_l("Type an e-mail address.")),
        Length(max=254, message=_l("An e-mail address has at most 254 characters.")),
        plain_text,
        mail_address,
    ]
    return StringField(label, rules, filters=[_strip])


def phone_field(label: Any) -> Any:
    """A telephone number as it was typed; the service writes it in full."""
    rules = [Length(max=40, message=_l("A telephone number has at most 40 characters.")), plain_text]
    return StringField(label, rules, filters=[_strip])


class HoursField(DecimalField):
    """A number of hours with one decimal, between six minutes and a year."""

    data: Decimal | None

    def __init__(self, label: Any, **more: Any) -> None:
        rules = [
            Optional(),
            NumberRange(Decimal("0.1"), 8760, _l("Give a time between one minute and a year.")),
        ]
        super().__init__(label, rules, places=1, **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it. ValueError for what is no number, also where Python calls it one."""
        super().process_formdata(valuelist)
        if self.data is not None and not self.data.is_finite():
            self.data = None
            raise ValueError(self.gettext("Not a valid decimal value."))


def name_field(label: Any) -> Any:
    """A person's name."""
    rules = [
        DataRequired(_l("Type a name.")),
        Length(max=120, message=_l("A name has at most 120 characters.")),
        plain_text,
    ]
    return StringField(label, rules, filters=[_strip])
