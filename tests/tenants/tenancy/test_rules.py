import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.tenancy.rules import PREFIX, SLUG, suggest_prefix, suggest_slug


@pytest.mark.parametrize(
    ("name", "slug", "prefix"),
    [
        ("PT Sinar Jaya Abadi", "sinar-jaya-abadi", "SJA"),
        ("Acme", "acme", "ACME"),
        ("Café Élan", "cafe-elan", "CAFE"),
        ("7 Samudra", "client-7-samudra", "C7SA"),
        ("PT", "pt", "PT"),
    ],
)
def test_suggestions(name, slug, prefix):
    assert (suggest_slug(name), suggest_prefix(name)) == (slug, prefix)


def test_taken_names_are_numbered():
    assert suggest_slug("Acme", {"acme", "acme-2"}) == "acme-3"
    assert suggest_prefix("Acme", {"ACME"}) == "ACME2"


@given(st.text(max_size=150), st.integers(min_value=0, max_value=3))
def test_a_suggestion_can_always_be_used(name, clashes):
    slugs: set[str] = set()
    prefixes: set[str] = set()
    for _ in range(clashes + 1):
        slugs.add(suggest_slug(name, slugs))
        prefixes.add(suggest_prefix(name, prefixes))
    assert len(slugs) == len(prefixes) == clashes + 1
    assert all(SLUG.fullmatch(one) for one in slugs)
    assert all(PREFIX.fullmatch(one) for one in prefixes)
