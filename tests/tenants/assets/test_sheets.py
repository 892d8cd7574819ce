import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.assets.sheets import decode, guard, guess_mapping, read_sheet, unguard, write_sheet
from tenants.foundation.errors import Invalid

HOSTILE = st.sampled_from("=+-@\t\r\n'\" ;,\uff1d\uff0b\uff0d\uff20")
CELL = st.text(
    st.one_of(HOSTILE, st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=30
)
TRIGGERS = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=20))
def test_no_cell_is_a_formula_and_every_cell_comes_back(rows):
    text = write_sheet(["a", "b", "c"], rows)
    cells = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert not [
        cell
        for row in cells
        for cell in row
        if cell.lstrip().startswith(TRIGGERS) or cell.startswith(TRIGGERS)
    ]
    assert [[unguard(cell) for cell in row] for row in cells[1:]] == rows


@given(CELL)
def test_guarding_can_be_undone(cell):
    assert unguard(guard(cell)) == cell


def test_reading_back_what_was_written():
    text = decode(write_sheet(["Name", "Notes"], [["=cmd|x", "two\nlines"], ["b", "-1"]]).encode())
    sheet = read_sheet(text)
    assert sheet.headers == ("Name", "Notes")
    assert [(line.number, line.cells) for line in sheet.lines] == [
        (2, ("=cmd|x", "two\nlines")),
        (4, ("b", "-1")),
    ]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_byte_order_marks(mark, separator):
    sheet = read_sheet(decode(f"{mark}name{separator}serial\r\npc-1{separator}S1\r\n".encode()))
    assert (sheet.headers, sheet.lines[0].cells) == (("name", "serial"), ("pc-1", "S1"))


@pytest.mark.parametrize(
    "data",
    ["Größe".encode("latin-1"), "name".encode("utf-16"), b"name\n" + b"x" * 1024 * 1024, b"a\0b"],
)
def test_unusable_files_are_refused(data):
    with pytest.raises(Invalid) as refused:
        decode(data)
    assert refused.value.field == "file"


@pytest.mark.parametrize("text", ["", "\n\n", 'name\n"open', "name\n" + "x\n" * 5001])
def test_unreadable_tables_are_refused(text):
    with pytest.raises(Invalid):
        read_sheet(text)


def test_headers_are_known_in_both_languages():
    assert guess_mapping(["Nama", "Jenis", "Nomor_Seri", "Harga", "nama"]) == {
        "name": 0,
        "kind": 1,
        "serial": 2,
    }
