"""The tree of what tickets are about, kept by managers."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from msp.console.blueprint import bp
from msp.console.desk_forms import CategoryForm
from msp.threads.acting import acted, form_status
from msp.web import navigation
from msp.web.access import actor, require
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tickets import categories
from tenants.tickets.category_models import Category

PLACE = navigation.Place(
    _l("Desk settings"), "console.list_categories", "tags", Permission.MANAGE_DESK, staff=True, order=80
)


@bp.get("/categories")
@require(Permission.MANAGE_DESK)
def list_categories() -> Any:
    """The whole tree, retired ones included."""
    return render_template("console/list_categories.html", places=categories.read_tree().places)


@bp.route("/categories/new", methods=["GET", "POST"])
@require(Permission.MANAGE_DESK)
def add_category() -> Any:
    """A new one, at the top or below another."""
    under = request.values.get("under", "")
    parent = categories.find_category(under) if under else None
    form = CategoryForm()
    if acted(form, lambda: _add(form, parent)):
        return _back(_("%(name)s is added.", name=form.name_en.data))
    return _page(form, None, parent)


def _add(form: CategoryForm, parent: Category | None) -> None:
    categories.add_category(
        name_en=form.name_en.data or "",
        name_id=form.name_id.data or "",
        parent=parent,
        by=actor(),
        at=time.now(),
    )


@bp.route("/categories/<category_id>/edit", methods=["GET", "POST"])
@require(Permission.MANAGE_DESK)
def rename_category(category_id: str) -> Any:
    """Other names; tickets show them at once."""
    category = categories.find_category(category_id)
    form = CategoryForm(obj=category)
    if acted(form, lambda: _rename(category, form)):
        return _back(_("%(name)s is saved.", name=category.name_en))
    return _page(form, category, None)


def _rename(category: Category, form: CategoryForm) -> None:
    categories.rename_category(
        category,
        name_en=form.name_en.data or "",
        name_id=form.name_id.data or "",
        by=actor(),
        at=time.now(),
    )


@bp.post("/categories/<category_id>/retire")
@require(Permission.MANAGE_DESK)
def retire_category(category_id: str) -> Any:
    """Offer it no more."""
    return _switch(category_id, categories.retire_category, _("It is retired. Old tickets keep it."))


@bp.post("/categories/<category_id>/revive")
@require(Permission.MANAGE_DESK)
def revive_category(category_id: str) -> Any:
    """Offer it again."""
    return _switch(category_id, categories.revive_category, _("It is in use again."))


def _switch(category_id: str, act: Callable[..., None], said: str) -> Any:
    act(categories.find_category(category_id), by=actor(), at=time.now())
    db.session.commit()
    return _back(said)


def _back(said: str) -> Any:
    flash(said, "good")
    return redirect(url_for("console.list_categories"))


def _page(form: CategoryForm, category: Category | None, parent: Category | None) -> Any:
    page = render_template("console/edit_category.html", form=form, category=category, parent=parent)
    return page, form_status()
