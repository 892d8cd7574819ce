"""Looking words up quickly: a page asks several hundred times, and always in one language."""

from collections.abc import Callable
from datetime import tzinfo
from functools import cached_property
from typing import Any

from babel import Locale
from flask import Flask, has_app_context
from flask.ctx import AppContext
from flask.globals import app_ctx
from flask_babel import Babel, Domain, get_domain, get_locale, get_timezone
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

MOST_REMEMBERED = 4096


class Catalogues(Domain):
    """The portal's words. Flask-Babel writes the language out as text for each single word; this keys by its parts."""

    def get_translations(self) -> Any:
        """The words of the language in force."""
        locale = language()
        if locale is None:
            return super().get_translations()  # type: ignore[no-untyped-call]
        key = locale.language, locale.territory
        found = self._by_language.get(key)
        if found is None:
            found = self._by_language[key] = super().get_translations()  # type: ignore[no-untyped-call]
        return found

    @cached_property
    def _by_language(self) -> dict[tuple[str, str | None], Any]:
        return {}


_here: Callable[[], AppContext] = app_ctx._get_current_object  # type: ignore[attr-defined]


def _locale() -> Locale | None:
    """The language in force, without the six looks at the context that Flask-Babel takes."""
    known: Locale | None = getattr(_here().g.get("_flask_babel"), "babel_locale", None)
    return known or get_locale()


def language() -> Locale | None:
    """The language in force; None where there is no page and no job."""
    return _locale() if has_app_context() else None


def reader_zone() -> tzinfo | None:
    """The reader's time zone as Flask-Babel has it; None where there is no page and no job."""
    if not has_app_context():
        return None
    known: tzinfo | None = getattr(_here().g.get("_flask_babel"), "babel_tzinfo", None)
    return known or get_timezone()


class QuickBabel(Babel):
    """Flask-Babel with the catalogues above."""

    @cached_property
    def domain_instance(self) -> Domain:
        """The words that `gettext` looks up."""
        return Catalogues(domain=self.domain)  # type: ignore[no-untyped-call]


def _words() -> Any:
    """The words of this application in the language in force."""
    return _here().app.extensions["babel"].instance.domain_instance.get_translations()


def gettext(words: str, **values: Any) -> str:
    """Flask-Babel's `gettext`, for modules that a page asks often."""
    found: str = (_words() if has_app_context() else get_domain().get_translations()).ugettext(words)
    return found % values if values else found


@pass_eval_context
def template_gettext(place: EvalContext, words: str, **values: Any) -> str:
    """`_()` of templates: one call where Jinja's own makes three. Values are escaped where the template is HTML."""
    found = _as_in(place, _words().ugettext(words))
    return found % values if "%" in found else found


@pass_eval_context
def template_ngettext(place: EvalContext, one: str, many: str, number: int, **values: Any) -> str:
    """`ngettext()` of templates."""
    return _as_in(place, _words().ungettext(one, many, number)) % {"num": number, **values}


def _as_in(place: EvalContext, words: str) -> str:
    """Our own words as the template needs them: HTML pages get them safe, mails in plain text get them plain."""
    return Markup(words) if place.autoescape else words  # noqa: S704 - our own words


def remembered(macro: Callable[..., Any]) -> Callable[..., Any]:
    """A macro whose result depends on its arguments and the language alone, rendered once for each.

    Types are part of the key: text and markup that read alike are equal to Python, but only one of them is escaped.
    """
    known: dict[Any, Any] = {}

    def render(*positional: Any, **named: Any) -> Any:
        locale = _locale()
        values = (*positional, *named.values())
        key = (locale and locale.language, len(positional), values, (*named,), (*map(type, values),))
        try:
            found = known.get(key)
        except TypeError:  # a list cannot be a key
            return macro(*positional, **named)
        if found is None:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            found = known[key] = macro(*positional, **named)
        return found

    return render


def install(app: Flask, **selectors: Any) -> None:
    """Attach Flask-Babel and let templates look words up quickly."""
    QuickBabel(app, **selectors)  # type: ignore[no-untyped-call]
    quick = {"gettext": template_gettext, "_": template_gettext, "ngettext": template_ngettext}
    app.jinja_env.globals.update(quick)
