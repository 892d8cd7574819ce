"""Pure rules: addresses, phrases, steps."""

from hypothesis import given
from hypothesis import strategies as st

from msp.knowledge.rules import (
    LONGEST_PHRASE,
    Step,
    is_slug,
    phrase_of,
    slug_of,
    steps_from,
    words_of,
    written,
)


@given(st.text(max_size=300))
def test_a_slug_is_a_slug_or_nothing(title):
    slug = slug_of(title)
    assert slug == "" or is_slug(slug)


@given(st.text(max_size=400))
def test_a_phrase_is_short_plain_and_stays_as_it_is(typed):
    phrase = phrase_of(typed)
    assert len(phrase) <= LONGEST_PHRASE
    assert phrase.isprintable()


def test_a_phrase_keeps_no_address_and_no_long_number():
    assert phrase_of("  Mail of Bob@Example.test  0812345678 ") == "mail of @ #"


@given(st.text(max_size=400))
def test_words_are_few_and_without_signs(phrase):
    found = words_of(phrase)
    assert len(found) <= 12
    assert len(set(found)) == len(found)
    assert all(one.isalnum() for one in found)


def test_steps_of_two_texts_stand_beside_each_other():
    found = steps_from("Buat akun\n\nTutup {state:closed}", "Make the account")
    assert found == [Step("Buat akun", "Make the account"), Step("Tutup", "", "state:closed")]
    assert written(found, "id") == "Buat akun\nTutup {state:closed}"
    assert steps_from(written(found, "id"), written(found, "en").rstrip()) == found
