"""Indonesian and English, and the viewer's time zone."""

from flask import Flask, g, has_request_context, request
from flask_babel import get_domain, gettext
from flask_wtf import FlaskForm

from msp.web import catalogues

LANGUAGES = ("id", "en")
COOKIE = "language"


def choose_language() -> str | None:
    """The person's own choice, else the cookie's, else the browser's; None means the portal's default."""
    if not has_request_context():
        return g.get("language") if g else None
    person = g.get("principal")
    if person is not None and person.language in LANGUAGES:
        return str(person.language)
    cookie = request.cookies.get(COOKIE)
    return cookie if cookie in LANGUAGES else request.accept_languages.best_match(LANGUAGES)


def reader_language() -> str:
    """The language of the page or the job in hand, `en` or `id`; English where there is neither."""
    locale = catalogues.language()
    return locale.language if locale is not None else "en"


def choose_time_zone() -> str:
    """The person's zone, else the provider's home."""
    person = g.get("principal") if g else None
    return (person.time_zone if person is not None else None) or "Asia/Jakarta"


class FormWords:
    """What WTForms says by itself, from the portal's own catalogue: WTForms speaks no Indonesian."""

    def gettext(self, text: str) -> str:
        """The words for a fault of one field."""
        return gettext(text)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """The same where a number decides the form; WTForms fills it in itself."""
        return str(get_domain().get_translations().ngettext(singular, plural, number))


def install(app: Flask) -> None:
    """Attach Flask-Babel, also to the forms, and tell templates the language."""
    catalogues.install(app, locale_selector=choose_language, timezone_selector=choose_time_zone)
    FlaskForm.Meta.get_translations = lambda _meta, _form: FormWords()
    app.context_processor(lambda: {"locale": reader_language(), "languages": LANGUAGES})
