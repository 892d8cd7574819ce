"""What the database cannot hold is refused with the field's name, on whatever page it is sent to."""

import pytest
from werkzeug.exceptions import NotFound

from tests.tickets import opened


@pytest.fixture
def code(app, cast):
    return opened(app, cast)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/desk/tickets/{code}/hand-over/return", {"reason": "a\x00b"}),
        ("/desk/tickets/{code}/messages", {"body": "a\x00b", "kind": "public"}),
        ("/console/roster/leave", {"body": "a\x00b"}),
        ("/desk/views?q=a%00b", {"name": "Mine"}),
    ],
)
def test_a_nul_in_a_form_is_no_fault_of_ours(sign_in, code, path, sent):
    answer = sign_in("Leo").post(path.format(code=code), data=sent)
    assert answer.status_code in (404, 409, 422)


@pytest.mark.parametrize("query", ["q=a%00b", "state=%00", "kind=%00", "audience=%00", "%00=x"])
@pytest.mark.parametrize("path", ["/desk/", "/console/knowledge", "/desk/search", "/console/figures"])
def test_a_nul_in_an_address_neither(sign_in, path, query):
    assert sign_in("Mia").get(f"{path}?{query}").status_code in (200, 422)


def test_it_is_told_where_no_form_has_noticed(sign_in):
    answer = sign_in("Leo").get("/console/knowledge?kind=%00")
    assert answer.status_code == 422
    assert "cannot be stored" in answer.text


def test_a_nul_in_a_path_is_not_found(sign_in):
    assert sign_in("Leo").get("/desk/tickets/ACME%00").status_code == 404


def test_no_number_counts_further_than_the_database(app):
    routes, path = app.url_map.bind("portal.test"), "/console/knowledge/articles/paper/versions/"
    assert routes.match(path + "9" * 18)[1]["number"] == 10**18 - 1
    with pytest.raises(NotFound):
        routes.match(path + "9" * 19)


@pytest.mark.parametrize("hours", ["sNaN", "NaN", "Infinity", "-1", "1e99"])
def test_hours_are_finite(sign_in, hours):
    answer = sign_in("Mia").post("/console/vendors/new", data={"name": "Printworks", "promised_hours": hours})
    assert answer.status_code == 422
