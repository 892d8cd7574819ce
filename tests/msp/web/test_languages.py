"""Pages, forms and their faults speak the reader's language."""

from datetime import date

import pytest
from flask import Flask
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from contracts.terms import services
from contracts.terms.document import default_terms
from msp.web import catalogue
from tenants.foundation.errors import Invalid


class SampleForm(FlaskForm):
    """A form that leaves the words to WTForms."""

    name = StringField("Name", [DataRequired(), Length(max=3)])


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    """The portal reads compiled catalogues, which git ignores."""
    path = catalogue.path_of("id")
    compiled = path.with_suffix(".mo")
    if not compiled.exists() or compiled.stat().st_mtime < path.stat().st_mtime:
        catalogue.compile_all()


def faults(app: Flask, language: str, name: str) -> list[str]:
    cookie = {"Cookie": f"language={language}"}
    with app.test_request_context("/", method="POST", headers=cookie):
        form = SampleForm(MultiDict({"name": name}), meta={"csrf": False})
        assert not form.validate()
        return [str(fault) for fault in form.name.errors]


def test_forms_say_their_faults_in_indonesian(app: Flask) -> None:
    assert faults(app, "id", "") == ["Isian ini wajib diisi."]
    assert faults(app, "id", "Siti") == ["Isian paling panjang 3 karakter."]


def test_forms_say_their_faults_in_english(app: Flask) -> None:
    assert faults(app, "en", "") == ["This field is required."]
    assert faults(app, "en", "Siti") == ["Field cannot be longer than 3 characters."]


def test_the_cookie_chooses_the_language_of_a_page(app: Flask) -> None:
    client = app.test_client()
    assert "Sign in" in client.get("/sign-in").text
    client.set_cookie("language", "id")
    page = client.get("/sign-in").text
    assert '<html lang="id"' in page
    assert "Masuk" in page
    assert "Sign in" not in page


def test_an_unknown_language_is_not_taken(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("language", "xx")
    assert '<html lang="en"' in client.get("/sign-in").text


def test_the_clocks_faults_are_said_in_the_readers_language(app: Flask) -> None:
    document = default_terms("Asia/Jakarta") | {"reopen": "perhaps", "calendar": "often"}
    given = {"name": "x", "time_zone": "Asia/Jakarta", "starts_on": date(2026, 1, 1), "ends_on": None}
    with app.test_request_context("/", headers={"Cookie": "language=id"}), pytest.raises(Invalid) as refused:
        services.check_contract(**given, terms=document)
    assert dict(refused.value.errors) == {
        "calendar": 'Ini harus berupa kalender atau "always".',
        "reopen": "Ini bukan salah satu kata yang diperbolehkan di sini.",
    }
