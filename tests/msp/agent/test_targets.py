"""Nothing is written outside root/, whatever a release calls its files."""

import os
from pathlib import Path

import pytest

from msp.agent.documents import Artifact, Chunk, Deployment
from msp.agent.install import place
from msp.agent.reasons import Failure, Reason
from msp.agent.targets import OTHER, check, digest_of, parent_of, parts_of

TRAVERSAL = [
    "",
    ".",
    "..",
    "/",
    "/etc/passwd",
    "//etc/passwd",
    "../x",
    "a/../x",
    "a/../../x",
    "a/..",
    "./x",
    "a/./b",
    "a//b",
    "a/",
    "..\\x",
    "a\\..\\..\\x",
    "C:\\x",
    "\\\\host\\share",
    "a\x00b",
    "a\x00/../b",
    "a\nb",
    "a\x1bb",
    "a\x7fb",
    "a\u202eb",
    "a\u2028b",
    "a\ud800b",
    "x" * 256,
    "é" * 128,
    "/".join(["abc"] * 300),
    ".readonly",
    ".msp-agent-7-0",
    "a/.msp-agent-7-0",
    ".msp-agent-/a",
]
HARMLESS = [
    "a",
    "a/b",
    "etc/motd",
    "...",
    "..a",
    "a..",
    "a b",
    "ü/é",
    "%2e%2e/x",
    "-rf",
    "~",
    "a/.readonly",
    "$(x)",
]


@pytest.mark.parametrize("path", TRAVERSAL, ids=ascii)
def test_unsafe_paths_are_refused(path: str) -> None:
    with pytest.raises(Failure) as refusal:
        parts_of(path)
    assert refusal.value.reason is Reason.UNSAFE_PATH


@pytest.mark.parametrize("path", HARMLESS)
def test_harmless_paths_are_taken_literally(path: str) -> None:
    assert "/".join(parts_of(path)) == path


@pytest.mark.parametrize("name", ["..", "../x", "/x", "a/b", "a\\b", "a\x00", "", "."])
def test_file_names_are_checked_like_paths(name: str) -> None:
    with pytest.raises(Failure) as refusal:
        place(deployment_of("folder/", name))
    assert refusal.value.reason is Reason.UNSAFE_PATH


@pytest.mark.parametrize("path", ["../", "/", "a/../", "./../", "//", "./"])
def test_folders_are_checked_too(path: str) -> None:
    if path == "./":
        assert place(deployment_of(path, "x"))[0].path == "x"
        return
    with pytest.raises(Failure):
        place(deployment_of(path, "x"))


def test_two_files_for_one_target_are_refused() -> None:
    chunk = deployment_of("a", "x").chunks[0]
    with pytest.raises(Failure, match="same target"):
        place(Deployment("7", "forced", "forced", (chunk, chunk)))


@pytest.mark.parametrize("link_to", ["/tmp", "..", "../outside", "inside", "missing"])  # noqa: S108
def test_a_link_on_the_way_is_never_followed(tmp_path: Path, link_to: str) -> None:
    root = tmp_path / "root"
    (root / "inside").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (root / "link").symlink_to(link_to)
    with pytest.raises(Failure) as refusal:
        check(root, "link/file")
    assert refusal.value.reason is Reason.UNSAFE_PATH
    with pytest.raises(Failure), parent_of(root, ("link", "deep", "file"), create=True):
        pass
    assert digest_of(root, "link/file") == OTHER


def test_a_link_in_place_of_the_target_is_refused(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/file").symlink_to("../victim")
    with pytest.raises(Failure) as refusal:
        check(tmp_path / "root", "file")
    assert refusal.value.reason is Reason.UNSAFE_PATH
    assert digest_of(tmp_path / "root", "file") == OTHER


def test_a_folder_or_a_pipe_in_place_of_the_target_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(Failure) as refusal:
            check(tmp_path, name)
        assert refusal.value.reason is Reason.WRITE
        assert digest_of(tmp_path, name) == OTHER


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Failure) as refusal:
        check(tmp_path, "file/below")
    assert refusal.value.reason is Reason.WRITE


def deployment_of(path: str, filename: str) -> Deployment:
    artifact = Artifact(filename, 1, "a" * 64, "http://127.0.0.1/x")
    return Deployment("7", "forced", "forced", (Chunk("file", "motd", "7", (artifact,), {"path": path}),))
