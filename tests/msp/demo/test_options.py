"""What `make demo` may be asked for."""

from pathlib import Path

import pytest

from msp.demo.options import ROOT, DemoRefused, read


def test_everything_has_a_default() -> None:
    asked = read({"PORT": "", "RESET": ""})
    assert (asked.port, asked.data, asked.reset) == (8000, ROOT / "var" / "demo", False)
    assert asked.url == "http://127.0.0.1:8000"


def test_what_is_given_counts(tmp_path: Path) -> None:
    asked = read({"PORT": "8123", "DATA": str(tmp_path), "RESET": "1"})
    assert (asked.port, asked.data, asked.reset) == (8123, tmp_path, True)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"PORT": "http"}, "PORT"),
        ({"PORT": "0"}, "PORT"),
        ({"PORT": "65536"}, "PORT"),
        ({"PORT": "-1"}, "PORT"),
        ({"PORT": "٨٠"}, "PORT"),
        ({"RESET": "yes"}, "RESET"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(given: dict[str, str], word: str) -> None:
    with pytest.raises(DemoRefused, match=word):
        read(given)
