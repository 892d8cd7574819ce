"""What the provider has written down: ten articles in two languages, read from the files beside this module."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from msp.demo.seed.people import actor_of
from msp.demo.seed.times import Stage
from msp.knowledge.links import tie_asset
from msp.knowledge.rules import Step, steps_from
from msp.knowledge.services import Draft, add_article, publish_article
from tenants.assets.models import Asset
from tenants.foundation.db import db
from tenants.foundation.scope import enter

FOLDER = Path(__file__).parent / "articles"
WRITER = "nyoman"


@dataclass(frozen=True)
class Written:
    """One file: what stands at its head, and the parts of each language."""

    head: dict[str, str]
    texts: dict[str, dict[str, str]]
    steps: list[Step]


def read(path: Path) -> Written:
    """A file: `name: value` lines, then `--- language`, a title, and parts that begin with `=== name`."""
    head_text, *languages = path.read_text().split("\n--- ")
    head = dict(line.split(": ", 1) for line in head_text.strip().splitlines())
    texts = {one[:2]: _parts(one[3:]) for one in languages}
    steps = steps_from(*(texts[one].pop("steps", "") for one in ("id", "en")))
    return Written(head, texts, steps)


def _parts(text: str) -> dict[str, str]:
    title, _, rest = text.partition("\n")
    body, *parts = f"\n{rest}".split("\n=== ")
    named = {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}
    return {"title": title, "body": body.strip(), **named}


def write_down(stage: Stage) -> None:
    """Write and publish them, weeks apart, as the expert would; each is to be looked at again after a year."""
    by = actor_of(stage, WRITER)
    with enter(by.scope()):
        for number, path in enumerate(sorted(FOLDER.glob("*.md"))):
            written = read(path)
            at = stage.began + timedelta(days=4 * number)
            # The oldest one is due, so that the list has something to remind of.
            review_on = (at + timedelta(days=365 if number else 60)).date()
            draft = Draft(
                kind=written.head["kind"],
                texts=written.texts,
                steps=written.steps,
                audience=written.head["audience"],
                tier=written.head.get("tier"),
                category_id=stage.categories.get(written.head.get("category", "")),
                review_on=review_on,
                slug=written.head["slug"],
            )
            article = add_article(draft, by=by, at=at)
            publish_article(article, by=by, at=at)
            if "asset" in written.head:
                asset = db.session.scalars(select(Asset).where(Asset.name == written.head["asset"])).one()
                tie_asset(article, asset, by=by, at=at)
        db.session.commit()
