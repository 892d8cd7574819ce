"""A mailbox that is paused, since the demo has no mail server, and three mails that came in by it before."""

from datetime import timedelta

from msp.demo.seed.people import actor_of
from msp.demo.seed.times import Stage
from msp.intake.mail import keeping, mailboxes
from msp.intake.mail.parsing import Reader
from msp.intake.mail.sorting import sort_one
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant

ADDRESS = "bantuan@nusantara-msp.example"
MAILS = (
    b"From: Rina Wulandari <rina.wulandari@tokobunga.example>\n"
    b"To: bantuan@nusantara-msp.example\n"
    b"Subject: Kasir tidak bisa mencetak struk\n"
    b"Message-ID: <demo-1@tokobunga.example>\n"
    b"Content-Type: text/plain; charset=utf-8\n\n"
    b"Selamat pagi,\n\nsejak tadi pagi kasir kami tidak bisa mencetak struk. Mohon dibantu.\n\n-- \nRina\n",
    b"From: Bagian Penagihan <tagihan@kilat-kirim.example>\n"
    b"To: bantuan@nusantara-msp.example\n"
    b"Subject: Tagihan Anda sudah jatuh tempo\n"
    b"Message-ID: <demo-2@kilat-kirim.example>\n"
    b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=demo\n\n"
    b"--demo\nContent-Type: text/plain; charset=utf-8\n\nSilakan buka tagihan terlampir.\n"
    b"--demo\nContent-Type: application/pdf\n"
    b"Content-Disposition: attachment; filename=tagihan.pdf.exe\n\nMZ\n--demo--\n",
    b"From: Dewi <dewi@studio-foto.example>\n"
    b"To: bantuan@nusantara-msp.example\n"
    b"Subject: Sedang cuti\nAuto-Submitted: auto-replied\n\nSaya sedang cuti sampai hari Senin.\n",
)


def bring(stage: Stage) -> None:
    """Add the mailbox as the manager would, let the mails come in, and pause it."""
    by = actor_of(stage, "bagus")
    own_id = keeping.own_tenant_id()
    with enter(by.scope()):
        box = mailboxes.Box(name="Meja bantuan", address=ADDRESS, language="id")
        mailbox = mailboxes.add_mailbox(box, by=by, at=stage.now - timedelta(days=30))
        db.session.commit()
        db.session.expunge(mailbox)
    at = stage.now - timedelta(hours=3)
    with enter(of_tenant(own_id)):
        for raw in MAILS:
            keeping.keep_mail(mailbox, raw, own_id=own_id, channel="command", at=at)
        db.session.commit()
        ids = keeping.list_unsorted()
    with Reader(len(ids)) as reader:
        for mail_id in ids:
            sort_one(mail_id, own_id=own_id, reader=reader, at=at)
    with enter(by.scope()):
        found = mailboxes.find_by_address(ADDRESS)
        mailboxes.pause_mailbox(found, by=by, at=stage.now)
        db.session.commit()
