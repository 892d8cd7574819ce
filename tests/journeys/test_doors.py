"""Signing in, and the door of each side."""

from tests import personas


def test_each_person_lands_at_home(visit):
    homes = {"Alice": "/portal", "Tina": "/desk", "Owen": "/console"}
    for name, home in homes.items():
        visitor = visit(name).sign_in()
        assert visitor.path.startswith(home)
        visitor.picture("home")


def test_a_wrong_password_is_told_and_the_address_kept(visit):
    visitor = visit("Alice")
    visitor.go("/sign-in")
    visitor.fill("E-mail address", personas.email("Alice"))
    visitor.fill("Password", "wrong password 123")
    visitor.press("Sign in")
    assert visitor.control("E-mail address").input_value() == personas.email("Alice")
    visitor.picture("refused")


def test_the_other_side_s_pages_are_closed(visit):
    alice = visit("Alice").sign_in()
    assert alice.go("/console/").status == 403
    alice.picture("forbidden")
    assert alice.go("/console/tenants/globex").status in (403, 404)
    leo = visit("Leo").sign_in()
    assert leo.go("/portal/").status == 403
