"""Settings come from the file and the flags; unusable ones are named, all at once."""

import argparse
import json
from pathlib import Path

import pytest

from msp.agent.settings import Settings, Unusable, load

GOOD = {"url": "https://portal.example/ddi/", "tenant": "acme", "controller_id": "srv-7", "token": "t"}


def read(tmp_path: Path, values: object, **flags: object) -> Settings:
    (tmp_path / "config.json").write_text(json.dumps(values))
    return load(tmp_path / "config.json", argparse.Namespace(**flags))


def test_the_base_address_is_made_of_url_tenant_and_controller(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD).base == "https://portal.example/ddi/acme/controller/v1/srv-7"


def test_flags_overrule_the_file(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD, tenant="globex", poll_seconds=2.0)
    assert (settings.tenant, settings.poll_seconds, settings.controller_id) == ("globex", 2.0, "srv-7")


def test_flags_alone_are_enough(tmp_path: Path) -> None:
    assert load(tmp_path / "none.json", argparse.Namespace(**GOOD)).token == "t"


def test_all_missing_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"url is missing; tenant is missing; controller_id is missing"):
        read(tmp_path, {})


@pytest.mark.parametrize(
    "change",
    [
        {"url": "ftp://x"},
        {"url": "https://"},
        {"url": "https://u:p@x"},
        {"url": "https://x:port"},
        {"url": "http://portal.example"},
        {"url": 3},
        {"tenant": "a/b"},
        {"tenant": ".."},
        {"controller_id": "a/b"},
        {"controller_id": ".."},
        {"controller_id": "x" * 257},
        {"token": "two\r\nlines"},
        {"token": "with space"},
        {"poll_seconds": 0},
        {"poll_seconds": True},
        {"minimum_free_bytes": -1},
        {"surprise": 1},
    ],
    ids=str,
)
def test_unusable_settings_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(Unusable):
        read(tmp_path, GOOD | change)


@pytest.mark.parametrize("content", ["", "[]", "{", "3"])
def test_a_file_that_holds_no_object_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(Unusable):
        load(tmp_path / "config.json", argparse.Namespace())


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "acme.localhost"])
def test_plain_http_is_for_this_machine_only(tmp_path: Path, host: str) -> None:
    assert read(tmp_path, GOOD | {"url": f"http://{host}"}).url == f"http://{host}"


def test_plain_http_elsewhere_has_to_be_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD | {"url": "http://lab.example", "allow_plain_http": True}).allow_plain_http
