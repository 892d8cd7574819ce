def test_app_answers(client):
    assert client.get("/healthz").get_json() == {"state": "alive"}


def test_ready(client):
    assert client.get("/readyz").get_json() == {"state": "ready", "problems": []}
