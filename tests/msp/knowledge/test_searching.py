"""Words find articles in both languages, ranked, with a passage that carries no markup but marks."""

import pytest

from msp.knowledge.queries import Reader
from msp.knowledge.rendering import END, FOUND, render_snippet
from msp.knowledge.searching import is_answered, offer, search
from tests.msp.knowledge.conftest import STEPS, runbook


@pytest.fixture
def found(within):
    def _found(phrase, who="Bob", language="en", ask=search):
        with within(who) as actor:
            tenant_id = None if actor.is_staff else next(iter(actor.tenants))
            hits = ask(phrase, Reader.of(actor, tenant_id), language)
            return [(one.edition.title, str(one.snippet)) for one in (hits.hits if ask is search else hits)]

    return _found


@pytest.mark.parametrize(
    ("phrase", "language"),
    [
        ("printer", "en"),
        ("printing printers", "en"),
        ("mencetak", "id"),
        ("tercetak", "id"),
        ("pencetakan", "en"),
        ("my printer does not print, please help", "en"),
    ],
)
def test_words_are_found_as_each_language_bends_them(write, found, phrase, language):
    write()
    (hit,) = found(phrase, language=language)
    assert "rinter" in hit[0]


def test_the_own_language_is_shown_where_both_are_found(write, found):
    write()
    assert [title for title, _ in found("printer", language="id")] == ["Printer tidak mencetak"]
    assert [title for title, _ in found("printer", language="en")] == ["The printer does not print"]


def test_a_title_counts_more_than_a_mention(write, found):
    write(texts={"en": {"title": "Wi-Fi", "body": "Go near the printer. " * 3}})
    write(texts={"en": {"title": "Printer", "body": "Nothing more."}})
    assert [title for title, _ in found("printer")] == ["Printer", "Wi-Fi"]


def test_some_of_the_words_are_enough_when_all_find_nothing(write, found):
    write()
    assert len(found("printer burns")) == 1
    assert found("submarine") == []
    assert found("the and of") == []


@pytest.mark.parametrize("phrase", ["'", "a & | ! (", "\\", ":*", "<->", "%", "x" * 5000, "🙂", "''); DROP"])
def test_odd_phrases_find_nothing_and_break_nothing(write, found, phrase):
    write()
    assert found(phrase) == []


def test_the_passage_is_text_with_marks(write, found):
    write(
        texts={"en": {"title": "Evil", "body": "<script>alert(1)</script> the printer <b onclick=x>bold</b>"}}
    )
    ((_title, snippet),) = found("printer")
    assert "<mark>printer</mark>" in snippet
    assert "<script" not in snippet and "<b " not in snippet


def test_runbooks_answer_no_request(write, found):
    from tests.msp.knowledge.conftest import STEPS, runbook

    write(draft=runbook(*STEPS))
    assert found("employee", who="Leo", ask=offer) == []
    assert len(found("employee", who="Leo")) == 1


def test_mallory_finds_nothing_of_acme(write, found, cast):
    write(audience="chosen", tenant_ids=[cast.tenants["acme"]])
    assert len(found("printer")) == 1
    assert found("printer", who="Mallory") == []


def test_what_a_text_brings_along_is_escaped():
    found = render_snippet(f"<img src=x> {FOUND}<b>{END} {END} {FOUND}open")
    assert found.count("<mark>") == found.count("</mark>") == 2
    assert "<img" not in found and "<b" not in found and "&lt;img" in found


def test_a_search_is_in_vain_unless_one_text_has_all_of_its_words(write, within):
    write()
    with within("Bob") as bob:
        reader = Reader.of(bob, next(iter(bob.tenants)))
        in_vain = {
            one: search(one, reader, "en").is_miss for one in ("printer print", "printer burns", "the and")
        }
    assert in_vain == {"printer print": False, "printer burns": True, "the and": False}


def test_a_request_is_answered_by_a_text_with_most_of_its_words(write, within):
    write()
    write(kind="runbook", draft=runbook(*STEPS))
    with within("Bob") as bob:
        reader = Reader.of(bob, next(iter(bob.tenants)))
        answered = {
            one: is_answered(one, reader)
            for one in (
                "printer switch melts",
                "printer melts loudly",
                "printer melts",
                "printer",
                "the",
                "employee",
            )
        }
    assert answered == {
        "printer switch melts": True,
        "printer melts loudly": False,
        "printer melts": False,
        "printer": True,
        "the": True,
        "employee": False,
    }
