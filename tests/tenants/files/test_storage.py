import hashlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.files import storage

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50


def test_bytes_lie_under_their_digest(tmp_path):
    kept = storage.keep(tmp_path, 7, BytesIO(PNG), limit=100)
    assert kept == storage.Kept(hashlib.sha256(PNG).hexdigest(), len(PNG), "image/png")
    assert storage.path_of(tmp_path, 7, kept.sha256).read_bytes() == PNG


def test_the_same_bytes_are_kept_once_per_tenant(tmp_path):
    for tenant_id in (1, 1, 2):
        storage.keep(tmp_path, tenant_id, BytesIO(b"same"), limit=100)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


def test_too_much_leaves_nothing_behind(tmp_path):
    with pytest.raises(storage.TooLarge):
        storage.keep(tmp_path, 1, BytesIO(b"x" * 1001), limit=1000)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_stream_that_breaks_leaves_nothing_behind(tmp_path):
    class Broken(BytesIO):
        def read(self, size=-1):
            raise ConnectionError

    with pytest.raises(ConnectionError):
        storage.keep(tmp_path, 1, Broken(), limit=1000)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "A" * 64, "a" * 63])
def test_only_a_digest_names_bytes(tmp_path, digest):
    with pytest.raises(ValueError, match="SHA-256"):
        storage.path_of(tmp_path, 1, digest)


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"plain words", "text/plain"),
        ("kata é".encode(), "text/plain"),
        (b"<script>alert(1)</script>", "application/octet-stream"),
        (b"  <!DOCTYPE html>", "application/octet-stream"),
        (b'<?xml version="1.0"?><svg onload="x">', "application/octet-stream"),
        (b"MZ\x90\x00", "application/octet-stream"),
        (b"%PDF-1.7", "application/pdf"),
        (b"RIFF0000WEBPVP8 ", "image/webp"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_media_type_is_found_not_believed(head, media_type):
    assert storage.media_type_of(head) == media_type


@pytest.mark.parametrize(
    ("hostile", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\evil.exe", "evil.exe"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("a\r\nSet-Cookie: x=1.txt", "a__Set-Cookie_ x=1.txt"),
        (".htaccess", "htaccess"),
        ("...", "file"),
        ("", "file"),
        ('<img src="x">.png', "_img src=_x__.png"),
        ("x" * 500 + ".log", "x" * 116 + ".log"),
    ],
)
def test_hostile_names_are_cleaned(hostile, clean):
    assert storage.clean_name(hostile) == clean


@given(st.text())
def test_any_name_becomes_a_short_plain_one(name):
    clean = storage.clean_name(name)
    assert 0 < len(clean) <= storage.LONGEST_NAME
    assert not set(clean) & set('/\\<>:"|?*;\r\n\0')
