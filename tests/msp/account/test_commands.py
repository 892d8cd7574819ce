"""The console: the first owner of an installation comes from here, and only from here."""

import pytest

from tests.personas import PASSWORD

NEW = "seven quiet herons at dawn"


@pytest.fixture
def run(app, cast):
    from msp.account.commands import users

    def command(*words, typed=NEW + "\n"):
        runner = app.test_cli_runner()
        assert "users" in app.cli.commands
        return runner.invoke(users, list(words), input=typed)

    return command


FIRST = ("create", "--email", "Olga@Example.test", "--name", "Olga", "--role", "owner")


def test_the_first_owner(run, browser, superuser):
    done = run(*FIRST)
    assert done.exit_code == 0, done.output
    found = superuser.execute(
        "SELECT role, all_tenants, email FROM staff_members WHERE name = 'Olga'"
    ).fetchone()
    assert found == ("owner", True, "olga@example.test")
    assert browser().sign_in("Olga", NEW).status_code == 302
    audited = superuser.execute(
        "SELECT actor, body FROM system_audit_entries WHERE action = 'person.created'"
    ).fetchone()
    assert audited[0] == "system:console"
    assert NEW not in audited[1]


@pytest.mark.parametrize(
    ("words", "typed", "why"),
    [
        (FIRST, "short\n", "12 to 200"),
        (FIRST, "\n", "12 to 200"),
        (("create", "--email", "owen@example.test", "--name", "O", "--role", "owner"), NEW, "already"),
        (("create", "--email", "no address", "--name", "O", "--role", "owner"), NEW, "e-mail"),
        (("create", "--email", "o@example.test", "--name", "  ", "--role", "owner"), NEW, "name"),
        (("create", "--email", "o@example.test", "--name", "O", "--role", "client_user"), NEW, "--tenant"),
        (
            ("create", "--email", "o@example.test", "--name", "O", "--role", "l1", "--tenant", "nowhere"),
            NEW,
            "nowhere",
        ),
        (("let-in", "--email", "owen@example.test"), "", "second factor"),
        (("let-in", "--email", "nobody@example.test"), "", "second factor"),
    ],
)
def test_refusals_say_why_and_end_with_1(run, superuser, words, typed, why):
    before = superuser.execute("SELECT count(*) FROM users").fetchone()
    refused = run(*words, typed=typed)
    assert refused.exit_code == 1
    assert why in refused.output
    assert superuser.execute("SELECT count(*) FROM users").fetchone() == before


def test_wrong_usage_ends_with_2(run):
    assert run("create", "--email", "o@example.test").exit_code == 2
    assert run(*FIRST[:-1], "king").exit_code == 2


def test_other_roles(run, superuser, browser):
    made = run(
        "create", "--email", "d@example.test", "--name", "D", "--role", "client_admin", "--tenant", "acme"
    )
    assert made.exit_code == 0, made.output
    made = run("create", "--email", "e@example.test", "--name", "E", "--role", "l2", "--tenant", "acme")
    assert made.exit_code == 0, made.output
    found = superuser.execute(
        "SELECT count(*) FROM staff_grants g JOIN users u ON u.id = g.user_id WHERE u.name = 'E'"
    )
    assert found.fetchone() == (1,)
    assert browser().sign_in("D", NEW, address="d@example.test").status_code == 302


def test_letting_in_the_only_owner(run, browser, phone):
    phone("Owen")
    assert browser().sign_in("Owen").location == "/sign-in/second-factor"
    assert run("let-in", "--email", "owen@example.test", typed="").exit_code == 0
    assert browser().sign_in("Owen", PASSWORD).location == "/"
