"""The description is whole, valid, ours alone, and a page renders it."""

from openapi_spec_validator import validate

from msp.api.document import operations, path_of
from msp.web.access import access_of


def document(client):
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.get_json()


def test_it_is_valid_openapi_3_1(client):
    found = document(client)
    assert found["openapi"] == "3.1.0"
    validate(found)


def test_every_rule_of_the_api_is_described_and_nothing_else(app, client):
    paths = document(client)["paths"]
    described = {(path, method) for path, methods in paths.items() for method in methods}
    assert described == {(path_of(rule), method) for rule, method in operations(app)}
    # Other addresses below /api/ speak the protocols of update clients, and are not ours to describe.
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    hidden = {"/api/v1/openapi.json", "/api/v1/docs"}
    assert {path_of(rule) for rule, _method in operations(app)} == {
        rule.replace("<", "{").replace(">", "}") for rule in rules - hidden
    }
    assert all(path.startswith("/api/v1/") for path in paths)


def test_every_operation_says_what_it_needs_and_how_it_refuses(app, client):
    found = document(client)
    names = []
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            place = f"{method} {path}"
            names.append(operation["operationId"])
            assert operation["summary"].endswith("."), place
            assert operation["tags"], place
            assert {"401", "403", "429"} <= set(operation["responses"]), place
            assert any(status.startswith("2") for status in operation["responses"]), place
            if "{" in path:
                assert "404" in operation["responses"], place
            if method == "post":
                assert operation["requestBody"]["required"], place
                assert {"400", "413", "415", "422"} <= set(operation["responses"]), place
    assert len(names) == len(set(names))


def test_every_post_that_creates_takes_a_key(client):
    for path, methods in document(client)["paths"].items():
        if "post" in methods and path != "/api/v1/sla/calculations":
            references = [one.get("$ref", "") for one in methods["post"]["parameters"]]
            assert "#/components/parameters/Idempotency-Key" in references, path


def test_every_list_is_paged(client):
    found = document(client)
    for path, methods in found["paths"].items():
        answer = methods.get("get", {}).get("responses", {}).get("200", {})
        name = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
        if name.endswith("Page"):
            names = {one.get("name") for one in methods["get"]["parameters"]}
            assert {"limit", "after"} <= names, path
            page = found["components"]["schemas"][name.rsplit("/", 1)[1]]
            assert set(page["required"]) == {"items", "next"}


def test_problems_and_credential_are_described(client):
    found = document(client)
    assert found["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert found["security"] == [{"token": []}]
    for answer in found["components"]["responses"].values():
        assert "application/problem+json" in answer["content"]
    assert "Retry-After" in found["components"]["responses"]["429"]["headers"]


def test_the_host_header_decides_nothing(client):
    answer = client.get("/api/v1/openapi.json", headers={"Host": "evil.test"})
    assert answer.get_json()["servers"] == [{"url": "http://portal.test"}]


def test_the_page_shows_every_operation_without_foreign_scripts(app, client):
    answer = client.get("/api/v1/docs")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    for rule, method in operations(app):
        assert f"{method.upper()} {path_of(rule).replace('{', '{')}" in page
    assert "Authorization: Bearer" in page
    assert "cdn" not in page
    assert 'src="http' not in page


def test_both_pages_are_declared_public_with_a_reason(app):
    for endpoint in ("api.show_openapi", "api.show_docs"):
        assert access_of(app, endpoint).public
