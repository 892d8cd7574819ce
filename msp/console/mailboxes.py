"""Where mail comes in: mailboxes, what happened to each last, and which mail domains are which client's."""

from datetime import timedelta
from typing import Any

from flask import current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import IntegerField, PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from msp.console.blueprint import bp
from msp.intake.mail import fetching, mailboxes
from msp.intake.mail.models import Mailbox
from msp.intake.mail.words import SECURITY_WORDS, STATE_WORDS
from msp.mail.addresses import address_of
from msp.threads.acting import acted, form_status
from msp.web.access import actor, require
from msp.web.fields import options, plain_text
from msp.web.navigation import Place
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant, list_all_tenants, names_of

PLACE = Place(
    _l("Mailboxes"),
    "console.list_mailboxes",
    "envelope",
    Permission.MANAGE_MAILBOXES,
    staff=True,
    order=85,
)
LANGUAGES = (("id", "Bahasa Indonesia"), ("en", "English"))


class MailboxForm(FlaskForm):
    """A mailbox: its address, where it is fetched from, and whose mail of strangers is."""

    name = StringField(_l("Name"), [DataRequired(_l("Give it a name.")), Length(max=80), plain_text])
    address = StringField(_l("Address"), [DataRequired(_l("Write one mail address.")), Length(max=254)])
    host = StringField(
        _l("IMAP server"),
        [Optional(), Length(max=253)],
        description=_l("Empty: nothing is fetched, and a mail gateway brings the mail."),
    )
    port = IntegerField(_l("Port"), [InputRequired(_l("Enter a number."))], default=993)
    security = SelectField(_l("Connection"), choices=options(SECURITY_WORDS.items()), default="tls")
    user_name = StringField(_l("User name"), [Optional(), Length(max=254)])
    password = PasswordField(_l("Password"), [Optional(), Length(max=500)])
    tenant = SelectField(_l("Client of unknown senders"), choices=(), default="")
    language = SelectField(_l("Language"), choices=options(LANGUAGES), default="id")

    def box(self) -> mailboxes.Box:
        """What was typed. Raises NotFound for a client out of reach."""
        return mailboxes.Box(
            name=self.name.data or "",
            address=self.address.data or "",
            host=self.host.data or "",
            port=self.port.data or 0,
            security=self.security.data,
            user_name=self.user_name.data or "",
            password=self.password.data or "",
            default_tenant=find_tenant(self.tenant.data) if self.tenant.data else None,
            language=self.language.data,
        )


class DomainForm(FlaskForm):
    """A mail domain of a client."""

    domain = StringField(_l("Domain"), [DataRequired(_l("Write a domain such as example.co.id."))])
    tenant = SelectField(_l("Client"), choices=())


def _form(row: Mailbox | None = None) -> MailboxForm:
    tenants = list_all_tenants()
    form = MailboxForm(obj=row)
    nobody = ("", _("None: into quarantine"))
    form.tenant.choices = options([nobody, *((one.slug, one.name) for one in tenants)])
    if row is not None and not form.is_submitted():
        form.tenant.data = next((one.slug for one in tenants if one.id == row.default_tenant_id), "")
    return form


@bp.get("/mailboxes")
@require(Permission.MANAGE_MAILBOXES)
def list_mailboxes() -> Any:
    """Every mailbox, and clients' mail domains."""
    return _show_list(_domain_form(formdata=None))


def _domain_form(**options_: Any) -> DomainForm:
    form = DomainForm(**options_)
    form.tenant.choices = options((one.slug, one.name) for one in list_all_tenants())
    return form


def _show_list(form: DomainForm) -> Any:
    found, domains = mailboxes.list_mailboxes(), mailboxes.list_domains()
    known = [one.tenant_id for one in domains] + [
        one.default_tenant_id for one in found if one.default_tenant_id is not None
    ]
    page = render_template(
        "console/list_mailboxes.html",
        mailboxes=found,
        domains=domains,
        tenants=names_of(known),
        form=form,
        settings=current_app.extensions["settings"],
    )
    return page, form_status()


@bp.route("/mailboxes/new", methods=["GET", "POST"])
@require(Permission.MANAGE_MAILBOXES)
def add_mailbox() -> Any:
    """Begin to take in mail at an address."""
    form, made = _form(), list[Mailbox]()
    if acted(form, lambda: made.append(mailboxes.add_mailbox(form.box(), by=actor(), at=time.now()))):
        flash(_("%(name)s is saved. Test the connection now.", name=made[0].name), "good")
        return redirect(url_for("console.show_mailbox", mailbox=made[0].public_id))
    return render_template("console/edit_mailbox.html", form=form, mailbox=None), form_status()


@bp.get("/mailboxes/<mailbox>")
@require(Permission.MANAGE_MAILBOXES)
def show_mailbox(mailbox: str) -> Any:
    """One mailbox, and what happened last."""
    found = mailboxes.find_mailbox(mailbox)
    counts = mailboxes.count_states(found, since=time.now() - timedelta(days=7))
    tenants = names_of([found.default_tenant_id] if found.default_tenant_id is not None else [])
    return render_template(
        "console/show_mailbox.html",
        mailbox=found,
        counts=counts,
        state_words=STATE_WORDS,
        security_words=SECURITY_WORDS,
        tenant=tenants.get(found.default_tenant_id or 0),
    )


@bp.route("/mailboxes/<mailbox>/edit", methods=["GET", "POST"])
@require(Permission.MANAGE_MAILBOXES)
def edit_mailbox(mailbox: str) -> Any:
    """Change a mailbox; an empty password keeps the one that is stored."""
    found = mailboxes.find_mailbox(mailbox)
    form = _form(found)
    if acted(form, lambda: mailboxes.edit_mailbox(found, form.box(), by=actor(), at=time.now())):
        return _done(found, _("%(name)s is saved.", name=found.name))
    return render_template("console/edit_mailbox.html", form=form, mailbox=found), form_status()


@bp.post("/mailboxes/<mailbox>/pause")
@require(Permission.MANAGE_MAILBOXES)
def pause_mailbox(mailbox: str) -> Any:
    """Take nothing in for now."""
    found = mailboxes.find_mailbox(mailbox)
    mailboxes.pause_mailbox(found, by=actor(), at=time.now())
    return _done(found, _("The mailbox is paused. Its mail waits on the server."))


@bp.post("/mailboxes/<mailbox>/resume")
@require(Permission.MANAGE_MAILBOXES)
def resume_mailbox(mailbox: str) -> Any:
    """Go on where it was paused."""
    found = mailboxes.find_mailbox(mailbox)
    mailboxes.resume_mailbox(found, by=actor(), at=time.now())
    return _done(found, _("The mailbox goes on."))


@bp.post("/mailboxes/<mailbox>/test")
@require(Permission.MANAGE_MAILBOXES)
def test_mailbox(mailbox: str) -> Any:
    """Sign in at the server and say whether that works."""
    found = mailboxes.find_mailbox(mailbox)
    wrong = mailboxes.try_mailbox(found, at=time.now())
    if wrong is None:
        return _done(found, _("The connection works."))
    db.session.commit()
    flash(_("The connection does not work: %(why)s", why=wrong), "risk")
    return redirect(url_for("console.show_mailbox", mailbox=found.public_id))


@bp.post("/mailboxes/<mailbox>/fetch")
@require(Permission.MANAGE_MAILBOXES)
def fetch_mailbox(mailbox: str) -> Any:
    """Look for new mail now instead of at the next minute."""
    found = mailboxes.find_mailbox(mailbox)
    fetching.ask_for(found.id)
    return _done(found, _("New mail is being fetched."))


@bp.post("/mailboxes/<mailbox>/key")
@require(Permission.MANAGE_MAILBOXES)
def renew_mailbox_key(mailbox: str) -> Any:
    """A new key for the gateway, shown once; the old one ends."""
    found = mailboxes.find_mailbox(mailbox)
    key = mailboxes.renew_key(found, by=actor(), at=time.now())
    db.session.commit()
    where = address_of("intake.bring_mail", mailbox=found.public_id)
    return render_template("console/show_mailbox_key.html", mailbox=found, key=key, where=where)


def _done(found: Mailbox, words: str) -> Any:
    db.session.commit()
    flash(words, "good")
    return redirect(url_for("console.show_mailbox", mailbox=found.public_id))


@bp.post("/mailboxes/domains")
@require(Permission.MANAGE_MAILBOXES)
def add_mail_domain() -> Any:
    """Let mail of unknown people at a domain be a client's."""
    form = _domain_form()

    def add() -> None:
        tenant = find_tenant(form.tenant.data)
        mailboxes.add_domain(tenant, form.domain.data or "", by=actor(), at=time.now())

    if acted(form, add):
        flash(_("Mail from %(domain)s is this client's now.", domain=form.domain.data), "good")
        return redirect(url_for("console.list_mailboxes"))
    return _show_list(form)


@bp.post("/mailboxes/domains/<domain_id>/remove")
@require(Permission.MANAGE_MAILBOXES)
def remove_mail_domain(domain_id: str) -> Any:
    """Mail of unknown people at this domain is nobody's any more."""
    mailboxes.remove_domain(domain_id, by=actor(), at=time.now())
    db.session.commit()
    flash(_("The domain is removed."), "good")
    return redirect(url_for("console.list_mailboxes"))
