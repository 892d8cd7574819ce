"""Settings: all problems at once, in words."""

import pytest

from msp.settings import SettingsRefused, load

GOOD = {
    "DATABASE_URL": "postgresql://portal_app@db/portal",
    "REDIS_URL": "redis://cache:6379/0",
    "PUBLIC_URL": "https://portal.example",
    "SECRET_KEY": "x" * 32,
    "FILES_DIR": "/srv/files",
}


def test_good_settings_load():
    settings = load(GOOD)
    assert settings.database_url == "postgresql+psycopg://portal_app@db/portal"
    assert not settings.demo


def test_every_problem_is_named_at_once():
    with pytest.raises(SettingsRefused) as refused:
        load({"SECRET_KEY": "short", "PUBLIC_URL": "ftp://x", "UPLOAD_MEGABYTES": "0", "PORTAL_UNKNOWN": "1"})
    words = " ".join(refused.value.problems)
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "FILES_DIR",
        "SECRET_KEY",
        "PUBLIC_URL",
        "UPLOAD_MEGABYTES",
        "PORTAL_UNKNOWN",
    ):
        assert name in words


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite:///x"),
        ("REDIS_URL", "http://x"),
        ("PUBLIC_URL", "https://portal.example/path"),
        ("MAIL_URL", "http://mail"),
        ("LANGUAGE_DEFAULT", "fr"),
        ("LOG_LEVEL", "LOUD"),
        ("PORTAL_DEMO", "yes"),
        ("UPLOAD_MEGABYTES", "many"),
    ],
)
def test_unusable_values_are_refused(name, value):
    with pytest.raises(SettingsRefused, match=name):
        load({**GOOD, name: value})


def test_every_setting_is_in_the_readme():
    from dataclasses import fields
    from pathlib import Path

    from msp.settings import Settings

    readme = (Path(__file__).parents[2] / "msp" / "README.md").read_text()
    assert all(f"`{one.metadata['name']}`" in readme for one in fields(Settings))
