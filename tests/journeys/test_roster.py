"""A shift ends: its tickets go to who is on duty, and those who come read what was left."""

from datetime import timedelta

from msp.staff import roster
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.people.queries import list_staff
from tests import personas
from tests.tickets import opened


def _on_duty(app, cast, tiers):
    now = time.now()
    with personas.within(app, cast, "Mia") as mia:
        for person in list_staff():
            if person.name in tiers:
                said = roster.Planned(
                    person=person, kind="shift", tier=tiers[person.name], time_zone="Asia/Jakarta"
                )
                roster.add_shift(said, now - timedelta(hours=2), now + timedelta(hours=6), by=mia, at=now)
        db.session.commit()


def test_the_best_gets_it_and_passes_it_on_at_the_end_of_the_shift(portal, visit):
    with portal.app.app_context():
        cast = personas.load()
        _on_duty(portal.app, cast, {"Tina": "L1", "Leo": "L2"})
        code = opened(portal.app, cast, at=time.now())
    dana = visit("Dana").sign_in()
    dana.go(f"/desk/tickets/{code}/assign")
    dana.picture("suggested")
    assert dana.part("Suggested, best first").index("Tina") < dana.part("Suggested, best first").index("Leo")
    dana.press("Assign to the best: Tina")
    tina = visit("Tina").sign_in()
    tina.go("/console/roster")
    tina.follow("End my shift")
    tina.fill("Note for the next shift", "Watch the printer of Bob.")
    tina.choose(f"Where {code} goes", "Leo, on duty now")
    tina.picture("leaves")
    tina.press("Leave the note and pass on")
    assert "1 ticket is passed on." in tina.text and "passed to Leo" in tina.text
    leo = visit("Leo").sign_in()
    assert "Watch the printer of Bob." in leo.part("From the shift before")
    leo.picture("reads")
    leo.press("I have read it")
    assert "From the shift before" not in leo.text
