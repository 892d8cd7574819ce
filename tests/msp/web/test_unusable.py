"""What the database cannot hold is refused with the field's name, on whatever page it is sent to."""

import pytest
from werkzeug.exceptions import NotFound

from tests.tickets import opened


@pytest.fixture
def code(app, cast):
    return opened(app, cast)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/desk/tickets/{code}/hand-over/return", "reason"),
        ("/desk/tickets/{code}/messages", "body"),
        ("/console/roster/leave", "body"),
        ("/desk/views", "name"),
        ("/console/knowledge/new", "title_en"),
    ],
)
def test_a_nul_in_a_form_is_refused_by_name(sign_in, code, path, field):
    answer = sign_in("Leo").post(path.format(code=code), data={field: "a\x00b"})
    assert answer.status_code == 422
    assert "cannot be stored" in answer.text


@pytest.mark.parametrize("query", ["q=a%00b", "state=%00", "%00=x"])
@pytest.mark.parametrize("path", ["/desk/", "/console/knowledge", "/desk/search"])
def test_a_nul_in_an_address_too(sign_in, path, query):
    assert sign_in("Leo").get(f"{path}?{query}").status_code == 422


def test_a_nul_in_a_path_is_not_found(sign_in):
    assert sign_in("Leo").get("/desk/tickets/ACME%00").status_code == 404


def test_nobody_learns_more_by_it_than_without(client):
    assert client.get("/desk/?q=%00").status_code == 302


def test_no_number_counts_further_than_the_database(app):
    routes, path = app.url_map.bind("portal.test"), "/console/knowledge/articles/paper/versions/"
    assert routes.match(path + "9" * 18)[1]["number"] == 10**18 - 1
    with pytest.raises(NotFound):
        routes.match(path + "9" * 19)


@pytest.mark.parametrize("hours", ["sNaN", "NaN", "Infinity", "-1", "1e99"])
def test_hours_are_finite(sign_in, hours):
    answer = sign_in("Mia").post("/console/vendors/new", data={"name": "Printworks", "promised_hours": hours})
    assert answer.status_code == 422
