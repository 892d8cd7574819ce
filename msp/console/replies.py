"""Canned replies and checklists, kept by managers for all clients."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from msp.console.blueprint import bp
from msp.console.desk_forms import ReplyForm, TemplateForm
from msp.threads.acting import acted, form_status
from msp.web.access import actor, require
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tickets import checklists, replies
from tenants.tickets.category_models import CannedReply, ChecklistTemplate


@bp.get("/replies")
@require(Permission.MANAGE_DESK)
def list_replies() -> Any:
    """All of them by name."""
    return render_template("console/list_replies.html", replies=replies.list_replies())


@bp.route("/replies/new", methods=["GET", "POST"])
@require(Permission.MANAGE_DESK)
def add_reply() -> Any:
    """A new one."""
    return _edit_reply(None)


@bp.route("/replies/<reply_id>/edit", methods=["GET", "POST"])
@require(Permission.MANAGE_DESK)
def edit_reply(reply_id: str) -> Any:
    """Other words."""
    return _edit_reply(replies.find_reply(reply_id))


def _edit_reply(reply: CannedReply | None) -> Any:
    form = ReplyForm(obj=reply)
    if acted(form, lambda: _save_reply(reply, form)):
        return _back(_("%(name)s is saved.", name=form.name.data), "console.list_replies")
    page = render_template("console/edit_reply.html", form=form, reply=reply, names=replies.NAMES)
    return page, form_status()


def _save_reply(reply: CannedReply | None, form: ReplyForm) -> None:
    replies.save_reply(
        reply,
        name=form.name.data or "",
        language=form.language.data,
        body=form.body.data or "",
        by=actor(),
        at=time.now(),
    )


@bp.post("/replies/<reply_id>/remove")
@require(Permission.MANAGE_DESK)
def remove_reply(reply_id: str) -> Any:
    """Offer it no more."""
    reply = replies.find_reply(reply_id)
    replies.remove_reply(reply, by=actor(), at=time.now())
    db.session.commit()
    return _back(_("%(name)s is removed.", name=reply.name), "console.list_replies")


@bp.get("/checklists")
@require(Permission.MANAGE_DESK)
def list_checklists() -> Any:
    """All templates by name."""
    return render_template("console/list_checklists.html", templates=checklists.list_templates())


@bp.route("/checklists/new", methods=["GET", "POST"])
@require(Permission.MANAGE_DESK)
def add_checklist() -> Any:
    """A new template."""
    return _edit_checklist(None)


@bp.route("/checklists/<template_id>/edit", methods=["GET", "POST"])
@require(Permission.MANAGE_DESK)
def edit_checklist(template_id: str) -> Any:
    """Other items; tickets keep what they got."""
    return _edit_checklist(checklists.find_template(template_id))


def _edit_checklist(template: ChecklistTemplate | None) -> Any:
    known = {"name": template.name, "lines": "\n".join(template.lines)} if template else None
    form = TemplateForm(data=known)
    if acted(form, lambda: _save_checklist(template, form)):
        return _back(_("%(name)s is saved.", name=form.name.data), "console.list_checklists")
    return render_template("console/edit_checklist.html", form=form, template=template), form_status()


def _save_checklist(template: ChecklistTemplate | None, form: TemplateForm) -> None:
    checklists.save_template(
        template,
        name=form.name.data or "",
        lines=(form.lines.data or "").splitlines(),
        by=actor(),
        at=time.now(),
    )


@bp.post("/checklists/<template_id>/remove")
@require(Permission.MANAGE_DESK)
def remove_checklist(template_id: str) -> Any:
    """Offer it no more."""
    template = checklists.find_template(template_id)
    checklists.remove_template(template, by=actor(), at=time.now())
    db.session.commit()
    return _back(_("%(name)s is removed.", name=template.name), "console.list_checklists")


def _back(said: str, endpoint: str) -> Any:
    flash(said, "good")
    return redirect(url_for(endpoint))
