"""The check character is worth having only if no slip of a reader or typist passes."""

import contextlib
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.tickets.codes import (
    ALPHABET,
    LENGTH,
    Mistyped,
    check_character,
    is_sound,
    looks_like_code,
    new_code,
    parse,
)

TYPEABLE = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DICE = random.Random(7064)
ISSUED = [new_code("ACME", DICE.choice) for _ in range(300)]


def body(code):
    return code.replace("-", "")[-8:]


def scheme(payload):
    """ISO 7064's hybrid scheme written a second way: the total of `check_character` must come out as 1."""
    size, product = len(ALPHABET), len(ALPHABET)
    for character in payload[:-1]:
        total = (product + ALPHABET.index(character)) % size
        product = 2 * (total or size) % (size + 1)
    return (product + ALPHABET.index(payload[-1])) % size == 1


@pytest.mark.parametrize("ambiguous", "01OILU")
def test_look_alikes_are_not_in_the_alphabet(ambiguous):
    assert ambiguous not in ALPHABET
    assert len(set(ALPHABET)) == 30


def test_code_looks_as_outsiders_were_told():
    prefix, first, second = new_code("ACME").split("-")
    assert (prefix, len(first), len(second)) == ("ACME", 4, 4)


@given(st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH))
def test_check_character_is_that_of_the_standard(payload):
    assert scheme(payload + check_character(payload))


def wrong_characters(right):
    for place in range(8):
        for wrong in TYPEABLE.replace(right[place], ""):
            yield right[:place] + wrong + right[place + 1 :]


def swaps(right):
    for place, (one, other) in enumerate(pairwise(right)):
        if one != other:
            yield right[:place] + other + one + right[place + 2 :]


def test_every_single_wrong_character_is_caught():
    assert [wrong for code in ISSUED[:60] for wrong in wrong_characters(body(code)) if is_sound(wrong)] == []


def test_every_swap_of_neighbours_is_caught():
    assert [wrong for code in ISSUED for wrong in swaps(body(code)) if is_sound(wrong)] == []


def test_every_pair_of_characters_at_every_place_is_caught_when_wrong_or_swapped():
    """Exhaustive over the state of the scheme: any start, any two neighbours, whether the rest still checks."""
    size = len(ALPHABET)

    def step(product, value):
        return ((product + value) % size or size) * 2 % (size + 1)

    missed = [
        (product, one, other)
        for product in range(1, size + 1)
        for one in range(size)
        for other in range(one)
        if step(step(product, one), other) == step(step(product, other), one)
    ]
    assert missed, "the bare scheme does miss some swaps, which is why is_sound looks for them"
    wrong = [
        (product, one, other)
        for product in range(1, size + 1)
        for one in range(size)
        for other in range(one)
        if step(product, one) == step(product, other)
    ]
    assert wrong == []


def test_a_code_that_hides_a_swap_is_neither_issued_nor_accepted():
    hidden = next(
        payload + check_character(payload)
        for payload in ("".join(DICE.choices(ALPHABET, k=LENGTH)) for _ in range(10_000))
        if not is_sound(payload + check_character(payload))
    )
    with pytest.raises(Mistyped):
        parse(f"ACME-{hidden[:4]}-{hidden[4:]}")
    stream = iter(hidden[:LENGTH] + body(ISSUED[0])[:LENGTH])
    assert new_code("ACME", lambda _alphabet: next(stream)) == ISSUED[0]


@pytest.mark.parametrize(
    "sloppy",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", " "),
        lambda code: f"  {code} ",
    ],
)
def test_sloppy_typing_is_forgiven(sloppy):
    assert [parse(sloppy(code)) for code in ISSUED[:20]] == ISSUED[:20]


@given(st.text(max_size=40))
def test_anything_typed_is_a_code_or_mistyped(typed):
    with contextlib.suppress(Mistyped):
        assert parse(parse(typed)) == parse(typed)


def test_a_typing_error_is_told_from_words():
    assert looks_like_code("ACME-7K3Q-XP4N")
    assert not looks_like_code("printer on fire")
    assert not looks_like_code("")
