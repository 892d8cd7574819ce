"""Hostile files are told by what they are, within bounds and without a byte written."""

import gzip
import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.files.dangers import DANGERS, danger_of


def zipped(**members):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return held.getvalue()


def many(count):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}", "")
    return held.getvalue()


def nested(depth):
    """An archive in an archive: what is inside is never unpacked."""
    inside = zipped(a__txt="0" * 100_000)
    for _ in range(depth):
        inside = zipped(inner__zip=inside)
    return inside


def picture(width, height):
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height) + b"\x00" * 20


PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


@pytest.mark.parametrize(
    ("name", "content", "danger"),
    [
        ("a.png", PNG, ""),
        ("a.txt", b"plain words", ""),
        ("a.txt", "caf\xe9".encode("latin-1"), ""),
        ("a.zip", zipped(readme__txt="hello"), ""),
        ("a.docx", zipped(**{"word/document__xml": "<w/>"}), ""),
        ("a.pdf", b"%PDF-1.4 hello", ""),
        ("a.exe", b"hello", "program"),
        ("a.pdf", b"MZ\x90", "program"),
        ("a", b"#!/bin/sh\nrm -rf /", "program"),
        ("a.jpg", PNG, "misnamed"),
        ("a.pdf", zipped(a__txt="x"), "misnamed"),
        ("a.txt", b"<script>alert(1)</script>", "misnamed"),
        ("a.dat", b"<svg onload=alert(1)>", "script"),
        ("a.pdf", b"%PDF-1.4 /OpenAction /JavaScript", "script"),
        ("a.png", PNG + zipped(a__txt="x"), "polyglot"),
        ("a.gif", b"GIF89a/*<script>alert(1)</script>*/", "polyglot"),
        ("a.zip", zipped(a__txt="0" * 30_000_000), "bomb"),
        ("a.gz", gzip.compress(b"0" * 30_000_000), "bomb"),
        ("a.zip", zipped(**{"../../etc/passwd": "x"}), "bomb"),
        ("a.zip", zipped(setup__exe="x"), "program"),
        ("a.docx", zipped(**{"word/vbaProject__bin": "x"}), "program"),
        ("a.zip", b"PK\x03\x04 broken", "misnamed"),
        ("rechnung.pdf", b"%PDF-1.7 /OpenAction 5 0 R /EmbeddedFile", ""),
        ("a.pdf", b"%PDF-1.7 /Launch (cmd.exe)", "script"),
        ("a.pdf", b"%PDF-1.4 " + zipped(a__txt="x"), "polyglot"),
        ("a.pdf.exe", b"%PDF-1.4", "program"),
        ("a.EXE", b"words", "program"),
        ("a.txt", b"\x7fELF\x02", "program"),
        ("a.doc", b"\xd0\xcf\x11\xe0 old office", "program"),
        ("a.html", b"words", "program"),
        ("a.dat", b'<!DOCTYPE x [<!ENTITY a "aaaa">]>', "script"),
        ("a.csv", b"<?php system(1);", "script"),
        ("a.jpg", b"\xff\xd8\xff\xe0\x00\x04ab<script>", "polyglot"),
        ("a.png", picture(30_000, 30_000), "bomb"),
        ("a.png", picture(4_000, 3_000), ""),
        ("a.gif", b"GIF89a" + struct.pack("<HH", 65_535, 65_535), "bomb"),
        ("a.jpg", b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03", "bomb"),
        ("a.jpg", b"\xff\xd8\xff\xe0\x00\x00", ""),
        ("a.zip", many(3_000), "bomb"),
        ("a.zip", zipped(**{"/etc/passwd": "x"}), "bomb"),
        ("a.zip", zipped(**{"..": "x"}), "bomb"),
        ("a.zip", nested(6), ""),
        ("a.gz", b"\x1f\x8b broken", ""),
    ],
)
def test_dangerous_files_are_told_by_what_they_are(name, content, danger):
    assert danger_of(name, content) == danger


@given(
    start=st.sampled_from(
        [b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"%PDF-1.4", b"\xff\xd8\xff", b"GIF89a", b"\x89PNG"]
    ),
    rest=st.binary(max_size=2000),
    name=st.sampled_from(["a.zip", "a.jpg", "a.png", "a.gz", "a.pdf", "a.docx", "a", "a.txt"]),
)
def test_whatever_comes_gets_a_verdict(start, rest, name):
    assert danger_of(name, start + rest) in {"", *DANGERS}


def test_telling_a_bomb_takes_none_of_what_it_holds():
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(packed.compress(b"0" * 1_000_000) for _ in range(400)), packed.flush()])
    tracemalloc.start()
    try:
        assert danger_of("a.gz", bomb) == "bomb"
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024 + len(bomb)
    finally:
        tracemalloc.stop()
