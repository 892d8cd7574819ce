"""The front end's build: icons by name, files named by content, Node from somewhere."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from msp.web.frontend import build
from msp.web.frontend.build import BuildError

HERE = Path(build.__file__).parent
TICKET = '<svg xmlns="x" width="16" class="bi" viewBox="0 0 16 16">\n  <path d="M0 4"/>\n</svg>'


@pytest.fixture
def icons(tmp_path: Path) -> Path:
    """A folder with one icon."""
    (tmp_path / "ticket.svg").write_text(TICKET)
    return tmp_path


def test_a_sprite_holds_each_icon_once_as_a_symbol(icons: Path) -> None:
    sprite = build.sprite(["ticket", "ticket"], icons).decode()
    assert sprite.count('<symbol id="ticket" viewBox="0 0 16 16"><path d="M0 4"/></symbol>') == 1
    assert "width" not in sprite


def test_every_unknown_icon_is_named(icons: Path) -> None:
    with pytest.raises(BuildError, match="tikcet, asest"):
        build.sprite(["ticket", "tikcet", "asest"], icons)


def test_an_icon_of_unexpected_form_is_refused(icons: Path) -> None:
    (icons / "odd.svg").write_text("<svg/>")
    with pytest.raises(BuildError, match="odd"):
        build.sprite(["odd"], icons)


def test_published_files_are_named_by_their_content(tmp_path: Path) -> None:
    output = tmp_path / "static" / "vendor"
    build.publish({"old.js": b"1"}, output)
    build.publish({"site.css": b"a{}"}, output)
    manifest = json.loads((output / "manifest.json").read_text())
    assert list(manifest) == ["site.css"]
    file, integrity = manifest["site.css"]["file"], manifest["site.css"]["integrity"]
    assert re.fullmatch(r"site\.[0-9a-f]{12}\.css", file)
    assert (output / file).read_bytes() == b"a{}"
    assert base64.b64decode(integrity.removeprefix("sha384-")) == hashlib.sha384(b"a{}").digest()
    assert {path.name for path in output.iterdir()} == {file, "manifest.json"}


@pytest.mark.parametrize(
    "mark", [b"\n//# sourceMappingURL=a.js.map", b"\n/*# sourceMappingURL=a.css.map */\n"]
)
def test_no_file_points_to_an_unpublished_source_map(mark: bytes) -> None:
    assert build._without_source_map(b"code();" + mark) == b"code();\n"


def test_an_old_or_missing_node_gives_way_to_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, words in (("node", "echo v18.19.0"), ("npm", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{words}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.npm_command()[1].endswith("npm-cli.js")
    (tmp_path / "node").write_text("#!/bin/sh\necho v22.1.0\n")
    assert build.npm_command() == [str(tmp_path / "npm")]


def test_the_lock_file_names_no_place_but_hashes_everything() -> None:
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    fetched = [package for name, package in packages.items() if name]
    assert all(
        "resolved" not in package and package["integrity"].startswith("sha512-") for package in fetched
    )


def test_no_package_may_run_a_script_when_installed() -> None:
    assert "ignore-scripts=true" in (HERE / ".npmrc").read_text().split()
    lock = json.loads((HERE / "package-lock.json").read_text())["packages"]
    assert not any(package.get("hasInstallScript") for package in lock.values())


def test_the_list_of_icons_is_in_order_and_without_doubles() -> None:
    names = (HERE / "icons.txt").read_text().split()
    assert names == sorted(set(names))
