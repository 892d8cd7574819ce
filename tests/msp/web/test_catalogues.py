"""Words are looked up quickly and in the right language; what is remembered is never another's."""

from flask_babel import force_locale, gettext
from markupsafe import Markup

from msp.web.catalogues import gettext as quick
from msp.web.catalogues import remembered


def test_both_ways_say_the_same_in_each_language(app):
    with app.test_request_context():
        for language in ("en", "id", "en"):
            with force_locale(language):
                assert quick("Queue") == gettext("Queue")
                assert quick("My tier: %(tier)s", tier="L2") == gettext("My tier: %(tier)s", tier="L2")


def test_templates_escape_values_and_keep_words(app):
    with app.test_request_context(), force_locale("en"):
        shown = app.jinja_env.from_string("{{ _('My tier: %(tier)s', tier=it) }}").render(it="<b>")
        assert shown == "My tier: &lt;b&gt;"


def test_a_remembered_macro_is_rendered_once_for_each_language_and_argument(app):
    calls = []

    def macro(*args, **kwargs):
        calls.append((args, kwargs))
        return Markup("{}").format(args[0])

    quickly = remembered(macro)
    with app.test_request_context():
        for language in ("en", "id"):
            with force_locale(language):
                assert quickly("a", you=True) == quickly("a", you=True)
        assert len(calls) == 2
        quickly("b", you=True)
        quickly("a", you=False)
        quickly(["a"])
        quickly(["a"])
    assert len(calls) == 6


def test_text_is_escaped_even_where_markup_of_the_same_letters_came_first(app):
    quickly = remembered(lambda words: Markup("<p>{}</p>").format(words))
    with app.test_request_context():
        assert quickly(Markup("<b>")) == "<p><b></p>"
        assert quickly("<b>") == "<p>&lt;b&gt;</p>"
