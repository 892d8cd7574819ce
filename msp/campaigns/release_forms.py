"""The form of a release."""

from datetime import UTC, datetime, time
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    MultipleFileField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from msp.campaigns import contents
from msp.campaigns.contents import INTERPRETERS, Unfit
from msp.campaigns.forms import storable
from msp.campaigns.releases import MOST_REFERENCES, Content
from msp.web.fields import options, plain_text
from msp.web.words import SEVERITIES
from tenants.foundation.errors import InvalidMany

KINDS = {"file": _l("Files"), "deb": _l("Packages (Debian)"), "script": _l("Script")}
REBOOTS = {
    "never": _l("Never"),
    "if_needed": _l("If the system asks for it"),
    "always": _l("Always"),
}
CHECKS_HELP = _l(
    "One per line: disk_free_mb / 500, service_active nginx, file_present /etc/hosts, tcp_port_open 443 or "
    "package_at_least openssl 3.0"
)
_WRONG = {
    "package": _l("A line is a package and its version, such as openssl 3.0.15-1. Not understood: %(line)s"),
    "none": _l("Name at least one package with its version."),
    "twice": _l("Name each package once."),
    "check": _l("This check is not known: %(line)s"),
    "too many": _l("These are too many lines."),
    "word": _l("Use words such as debian or amd64, separated by commas."),
    "unknown": _l("Choose one of the list."),
    "range": _l("A script may take from a second to four hours."),
}


def _text(label: Any, longest: int, help_: Any = "") -> TextAreaField:
    return TextAreaField(label, [Optional(), Length(max=longest)], filters=[storable], description=help_)


class ReleaseForm(FlaskForm):
    """What is installed, on which machines, and what they have to show."""

    kind = SelectField(_l("Kind"), choices=options(KINDS.items()), default="file")
    name = StringField(_l("Name"), [DataRequired(_l("Give the release a name.")), Length(max=80), plain_text])
    version = StringField(
        _l("Version"), [DataRequired(_l("Give the release a version.")), Length(max=80), plain_text]
    )
    severity = SelectField(_l("Severity"), choices=options(SEVERITIES.items()), default="medium")
    published_on = DateField(
        _l("Published on"),
        [Optional()],
        description=_l("By its vendor. What contracts promise about patches counts from this day."),
    )
    references = _text(_l("References"), 4000, _l("CVE numbers or vendors' notices, one per line."))
    notes = _text(_l("Notes for clients"), 4000)
    target_path = StringField(_l("Where to put it"), [Optional(), Length(max=400), plain_text])
    packages = _text(_l("Packages"), 8000, _l("One per line with its version: openssl 3.0.15-1~deb12u1"))
    interpreter = SelectField(
        _l("Run by"), choices=options((one, one) for one in INTERPRETERS), default=INTERPRETERS[0]
    )
    timeout_minutes = IntegerField(
        _l("Longest run"), [Optional(), NumberRange(1, 240)], default=10, description=_l("minutes")
    )
    reboot = SelectField(_l("Restart"), choices=options(REBOOTS.items()), default="never")
    systems = StringField(_l("Systems"), [Optional(), Length(max=200), plain_text])
    architectures = StringField(_l("Architectures"), [Optional(), Length(max=200), plain_text])
    least_disk_mb = IntegerField(
        _l("Free space at least"),
        [Optional(), NumberRange(1, 100_000_000)],
        description=_l("megabytes"),
    )
    checks_before = _text(_l("Checks before"), 4000, CHECKS_HELP)
    checks_after = _text(_l("Checks after"), 4000)
    files = MultipleFileField(_l("Files"))
    files_later = BooleanField(_l("I bring large files afterwards"))

    def content(self) -> Content:
        """The fields as a release keeps them. Raises InvalidMany naming the fields."""
        references = [line.strip() for line in (self.references.data or "").splitlines() if line.strip()]
        if len(references) > MOST_REFERENCES or any(len(one) > 200 for one in references):
            words = _l("Give at most 20 references of at most 200 characters.")
            raise InvalidMany([("references", words)])
        try:
            return Content(
                severity=self.severity.data,
                references=references,
                notes=(self.notes.data or "").strip(),
                spec=self._spec(),
                platform=contents.read_platform(
                    self.systems.data or "", self.architectures.data or "", self.least_disk_mb.data
                ),
                checks_before=contents.read_checks(self.checks_before.data or "", "checks_before"),
                checks_after=contents.read_checks(self.checks_after.data or "", "checks_after"),
                published_at=self._published_at(),
            )
        except Unfit as unfit:
            words = _WRONG[unfit.code] % {"line": unfit.line}
            raise InvalidMany([(unfit.field.replace("_seconds", "_minutes"), words)]) from unfit

    def _published_at(self) -> datetime | None:
        day = self.published_on.data
        return datetime.combine(day, time(), UTC) if day else None

    def _spec(self) -> dict[str, Any]:
        return contents.spec_of(
            self.kind.data,
            packages=self.packages.data or "",
            interpreter=self.interpreter.data,
            timeout_seconds=(self.timeout_minutes.data or 0) * 60,
            reboot=self.reboot.data,
        )
