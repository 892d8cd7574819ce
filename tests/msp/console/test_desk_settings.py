"""Categories, canned replies and checklists, as managers keep them."""

import pytest
from sqlalchemy import select

from tenants.foundation.db import db
from tenants.tickets import categories
from tenants.tickets.category_models import CannedReply, Category, ChecklistTemplate


@pytest.fixture
def mia(sign_in):
    return sign_in("Mia")


def one(within, model):
    with within("Mia"):
        return db.session.scalars(select(model).order_by(model.id.desc())).first()


def add(client, name, under=""):
    return client.post(
        "/console/categories/new", data={"name_en": name, "name_id": f"{name} (id)", "under": under}
    )


@pytest.mark.parametrize("path", ["categories", "replies", "checklists"])
@pytest.mark.parametrize("name", ["Tina", "Dana", "Nadia", "Alice"])
def test_only_managers_keep_them(sign_in, path, name):
    client = sign_in(name)
    assert client.get(f"/console/{path}").status_code == 403
    assert client.post(f"/console/{path}/new", data={}).status_code == 403


def test_a_tree_grows_is_renamed_and_retired(mia, within):
    assert "No categories yet" in mia.get("/console/categories").text
    add(mia, "Hardware")
    top = one(within, Category)
    assert "Below Hardware" in mia.get(f"/console/categories/new?under={top.public_id}").text
    add(mia, "Printer", top.public_id)
    assert add(mia, "Printer", top.public_id).status_code == 422
    below = one(within, Category)
    mia.post(
        f"/console/categories/{below.public_id}/edit", data={"name_en": "Laser", "name_id": "Pencetak laser"}
    )
    mia.post(f"/console/categories/{top.public_id}/retire")
    page = mia.get("/console/categories").text
    assert "Laser" in page
    assert "retired" in page
    with within("Mia"):
        assert categories.read_tree().offered() == []
    mia.post(f"/console/categories/{top.public_id}/revive")
    with within("Mia"):
        assert len(categories.read_tree().offered()) == 2


def test_bad_names_are_named(mia):
    answer = mia.post("/console/categories/new", data={"name_en": "", "name_id": "x" * 81})
    assert answer.status_code == 422
    assert mia.get("/console/categories/new?under=nothing").status_code == 404


def test_a_reply_is_kept_changed_and_removed(mia, within):
    form = {"name": "Greeting", "language": "id", "body": "Halo $requester"}
    assert mia.post("/console/replies/new", data={**form, "body": ""}).status_code == 422
    mia.post("/console/replies/new", data=form)
    reply = one(within, CannedReply)
    assert "Halo $requester" in mia.get(f"/console/replies/{reply.public_id}/edit").text
    mia.post(f"/console/replies/{reply.public_id}/edit", data={**form, "name": "Salam"})
    assert "Salam" in mia.get("/console/replies").text
    mia.post(f"/console/replies/{reply.public_id}/remove")
    assert "No canned replies yet" in mia.get("/console/replies").text


def test_a_checklist_is_kept_changed_and_removed(mia, within):
    mia.post("/console/checklists/new", data={"name": "Laptop", "lines": "First\n\nSecond"})
    template = one(within, ChecklistTemplate)
    assert template.lines == ["First", "Second"]
    page = f"/console/checklists/{template.public_id}"
    assert mia.post(f"{page}/edit", data={"name": "Laptop", "lines": " "}).status_code == 422
    mia.post(f"{page}/edit", data={"name": "Laptop", "lines": "Only"})
    assert one(within, ChecklistTemplate).lines == ["Only"]
    mia.post(f"{page}/remove")
    assert "No checklists yet" in mia.get("/console/checklists").text
