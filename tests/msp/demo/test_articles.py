"""The demo's articles are whole in both languages, and can be written and published as they stand."""

import pytest

from msp.demo.seed.desk import TREE
from msp.demo.seed.knowledge import FOLDER, read
from msp.knowledge.rules import KINDS, unknown_checks
from msp.knowledge.services import Draft, add_article, publish_article
from tests.tickets import MONDAY

FILES = sorted(FOLDER.glob("*.md"))


def test_there_are_some_of_each_kind():
    assert {read(path).head["kind"] for path in FILES} == set(KINDS)
    assert len(FILES) == 10


def test_each_stands_in_a_category_that_the_demo_has():
    there = {names[0] for top, below in TREE for names in (top, *below)}
    assert {path.stem for path in FILES if read(path).head.get("category") not in there} == {"kunjungan"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_whole_and_can_be_published(path, within):
    written = read(path)
    assert set(written.texts) == {"id", "en"}
    assert set(written.texts["id"]) == set(written.texts["en"])
    assert all(text for parts in written.texts.values() for text in parts.values())
    assert all(step.id and step.en for step in written.steps) and not unknown_checks(written.steps)
    head = written.head
    with within("Nadia") as nadia:
        draft = Draft(
            kind=head["kind"],
            texts=written.texts,
            steps=written.steps,
            audience=head["audience"],
            tier=head.get("tier"),
            slug=head["slug"],
        )
        article = add_article(draft, by=nadia, at=MONDAY)
        publish_article(article, by=nadia, at=MONDAY)
        assert article.slug == head["slug"]
