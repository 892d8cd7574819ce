"""Forms of knowledge: shapes and single fields; whether it may be so is the services' business."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms.validators import InputRequired, Length, Optional, Regexp

from msp.knowledge.models import Article, ArticleVersion
from msp.knowledge.rules import LANGUAGES, ONLY_KNOWN_ERRORS, PARTS, TIERS, Step, steps_from, written
from msp.knowledge.services import Draft
from msp.knowledge.words import AUDIENCE_WORDS, LANGUAGE_WORDS, PART_WORDS
from msp.web.fields import options, plain_text
from tenants.tenancy.models import Tenant

REVIEW_AFTER = timedelta(days=365)
TOO_LONG = _l("This text is too long.")


def _label(part: str, language: str) -> Any:
    return _l("%(part)s (%(language)s)", part=PART_WORDS[part], language=LANGUAGE_WORDS[language])


def _line(part: str, language: str) -> StringField:
    return StringField(_label(part, language), [Length(max=160, message=TOO_LONG)])


def _text(part: str, language: str) -> TextAreaField:
    return TextAreaField(_label(part, language), [Length(max=20_000, message=TOO_LONG)])


class ArticleForm(FlaskForm):
    """An article in both languages, and for whom it is."""

    seen = HiddenField(validators=[Regexp(r"^[0-9]{0,9}\Z")])
    title_id, title_en = (_line("title", one) for one in LANGUAGES)
    symptom_id, symptom_en = (_text("symptom", one) for one in LANGUAGES)
    cause_id, cause_en = (_text("cause", one) for one in LANGUAGES)
    workaround_id, workaround_en = (_text("workaround", one) for one in LANGUAGES)
    body_id, body_en = (_text("body", one) for one in LANGUAGES)
    steps_id = TextAreaField(_l("Steps (Indonesian)"), [Length(max=20_000, message=TOO_LONG)])
    steps_en = TextAreaField(_l("Steps (English)"), [Length(max=20_000, message=TOO_LONG)])
    audience = SelectField(_l("Who reads it"), choices=options(AUDIENCE_WORDS.items()), default="staff")
    tier = SelectField(
        _l("From which tier on"), choices=options([("", "–"), *((one, one) for one in TIERS)]), default=""
    )
    tenants = SelectMultipleField(
        _l("Clients"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
        choices=(),
    )
    category = SelectField(_l("Category"), choices=(), default="")
    review_on = DateField(_l("Look at it again on"), [Optional()])
    slug = StringField(
        _l("Address"), [Length(max=64), plain_text], filters=[lambda typed: (typed or "").strip()]
    )
    what_changed = StringField(_l("What changed"), [Length(max=200), plain_text])

    def offer(self, tenants: Sequence[Tenant], categories: Sequence[tuple[str, str]]) -> None:
        """Let the clients be chosen that one is granted, and the categories that tickets have."""
        self.tenants.choices = options((one.slug, one.name) for one in tenants)
        self.category.choices = options([("", _l("None")), *categories])

    def parts(self, kind: str) -> list[str]:
        """The parts that this kind of article has, in their order."""
        return [one for one in PARTS if kind == "known_error" or one not in ONLY_KNOWN_ERRORS]

    def steps(self, kind: str) -> list[Step]:
        """The steps, where the kind has any."""
        if kind != "runbook":
            return []
        return steps_from(self.steps_id.data or "", self.steps_en.data or "")

    def texts(self, kind: str) -> dict[str, dict[str, str]]:
        """What was typed, by language and part."""
        return {
            language: {part: self[f"{part}_{language}"].data or "" for part in self.parts(kind)}
            for language in LANGUAGES
        }

    def draft(self, kind: str, slugs: Mapping[str, int], category_id: int | None) -> Draft:
        """What was typed, as the services take it."""
        return Draft(
            kind=kind,
            texts=self.texts(kind),
            steps=self.steps(kind),
            audience=self.audience.data,
            tier=self.tier.data or None,
            tenant_ids=[slugs[one] for one in self.tenants.data or () if one in slugs],
            category_id=category_id,
            review_on=self.review_on.data,
            slug=self.slug.data or "",
            what_changed=self.what_changed.data or "",
        )


def values_of(
    article: Article, version: ArticleVersion, slugs: Mapping[int, str], category: str
) -> dict[str, Any]:
    """An article as the form's values."""
    steps = [Step(**one) for one in version.steps]
    return {
        **{
            f"{part}_{language}": version.texts.get(language, {}).get(part, "")
            for language in LANGUAGES
            for part in PARTS
        },
        **{f"steps_{language}": written(steps, language) for language in LANGUAGES},
        "seen": str(article.version_number),
        "audience": article.audience,
        "tier": article.tier or "",
        "tenants": [slugs[one] for one in article.tenant_ids if one in slugs],
        "category": category,
        "review_on": article.review_on,
        "slug": article.slug,
    }


def begun(today: date, **values: Any) -> dict[str, Any]:
    """A new article as the form's values."""
    return {"audience": "staff", "review_on": today + REVIEW_AFTER, **values}


class KeepForm(FlaskForm):
    """It is still true; when to look again."""

    until = DateField(_l("Look at it again on"), [InputRequired(_l("Choose a day."))])


class TieForm(FlaskForm):
    """An asset that has a known error, by its client and its name."""

    client = SelectField(_l("Client"), choices=())
    asset = StringField(
        _l("Asset"), [InputRequired(_l("Type the asset's name.")), Length(max=120), plain_text]
    )


class LinkForm(FlaskForm):
    """A ticket that an article has to do with."""

    code = StringField(
        _l("Ticket code"), [InputRequired(_l("Type the ticket's code.")), Length(max=40), plain_text]
    )
    how = SelectField(
        _l("How"),
        choices=options([("used", _l("It helped there")), ("problem", _l("It is the problem behind it"))]),
        default="used",
    )
