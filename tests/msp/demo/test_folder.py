"""The demo's folder: one demo at a time, nothing of anybody else's, private secrets."""

import json
import subprocess
from pathlib import Path

import pytest

from msp.demo.folder import Folder, write
from msp.demo.options import DemoRefused


def test_a_second_demo_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "demo")
    with folder.claim(), pytest.raises(DemoRefused, match="another demo"):
        Folder(tmp_path / "demo").claim()
    folder.claim().close()


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DemoRefused, match="other files"):
        Folder(tmp_path).claim()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoRefused, match="can't be used"):
        Folder(tmp_path / "file" / "demo").claim()


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = folder.secrets()
    assert folder.secrets() == first
    assert len(first["SECRET_KEY"]) >= 32
    assert folder.settings.stat().st_mode & 0o777 == 0o600


def test_a_killed_writing_leaves_the_old_file(tmp_path: Path) -> None:
    write(tmp_path / "a.json", {"value": 1})
    (tmp_path / ".a.json.new").write_text('{"val')
    write(tmp_path / "a.json", {"value": 2})
    assert '"value": 2' in (tmp_path / "a.json").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_beginning_anew_leaves_nothing_but_the_claim(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with folder.claim():
        folder.make()
        folder.secrets()
        for path in (folder.seeded, folder.credentials, folder.files / "one", folder.logs / "web.log"):
            path.write_text("{}")
        folder.empty()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_the_address_in_the_credentials_follows_the_port(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.tell_address("http://127.0.0.1:1")
    assert not folder.credentials.exists()
    write(folder.credentials, {"url": "http://127.0.0.1:1", "accounts": []})
    folder.tell_address("http://127.0.0.1:2")
    assert json.loads(folder.credentials.read_text()) == {"url": "http://127.0.0.1:2", "accounts": []}
    assert folder.credentials.stat().st_mode & 0o777 == 0o600


def test_a_shell_reads_the_environment_as_it_was_meant(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.tell_environment({"PROVIDER_NAME": "It's $HOME & more", "PORTAL_DEMO": "1"})
    asked = f'. "{folder.environment}"; printf %s "$PROVIDER_NAME"'
    said = subprocess.run(["/bin/sh", "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout == "It's $HOME & more"
    assert folder.environment.stat().st_mode & 0o777 == 0o600
