"""Plants the demo's world, once. Everything goes through the services, so it is what people could have entered."""

import random

from flask import Flask

from msp.demo.folder import Folder, write
from msp.demo.options import Options
from msp.demo.seed import (
    channels,
    companies,
    desk,
    duty,
    history,
    knowledge,
    machines,
    mails,
    people,
    rollout,
    texting,
    today,
    training,
    upkeep,
)
from msp.demo.seed.stories import Player
from msp.demo.seed.times import Stage
from tenants.foundation import time
from tenants.foundation.actor import Actor

SEED = 20260817


def plant(app: Flask, options: Options, folder: Folder) -> None:
    """Write the world into an empty database, then credentials.json, and last of all the mark that it is whole."""
    stage = Stage(
        now=time.now().replace(microsecond=0),
        dice=random.Random(SEED),  # noqa: S311 repeatable on purpose
        by=Actor.system("demo", via="command"),
    )
    with app.app_context():
        companies.found(stage)
        people.introduce(stage)
        desk.furnish(stage)
        agents = machines.install(stage, folder.hosts, options.url)
        for slug in stage.tenants:
            parts = (history, today, training)
            Player(stage, slug).play([story for part in parts for story in part.stories_of(stage, slug)])
        rollout.propose(stage)
        upkeep.plan(stage)
        duty.plan(stage)
        knowledge.write_down(stage)
        training.teach(stage)
        mails.bring(stage)
        door = channels.open_doors(stage)
        texting.talk(stage)
        tokens = people.mint_tokens(stage)
    found = {
        "url": options.url,
        "accounts": people.accounts(),
        "tokens": tokens,
        "agents": agents,
        "chat": {"tenant": channels.SLUG, "key": door},
    }
    write(folder.credentials, found)
    write(folder.seeded, {"seed": SEED, "at": stage.now.isoformat()})
