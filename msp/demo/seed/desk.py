"""What the desk's managers keep: a tree of categories, replies in both languages, and checklists."""

from typing import Any

from msp.demo.seed.times import Stage
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter
from tenants.tickets.categories import add_category
from tenants.tickets.category_models import Category
from tenants.tickets.checklists import save_template
from tenants.tickets.replies import save_reply

Names = tuple[str, str]
TREE: tuple[tuple[Names, tuple[Names, ...]], ...] = (
    (
        ("Accounts and passwords", "Akun dan kata sandi"),
        (
            ("Password reset", "Atur ulang kata sandi"),
            ("Account unlock", "Buka kunci akun"),
            ("New account or access", "Akun atau hak akses baru"),
            ("Subscription and licence data", "Data langganan dan lisensi"),
        ),
    ),
    (
        ("Network", "Jaringan"),
        (
            ("Internet connection", "Sambungan internet"),
            ("Wi-Fi", "Wi-Fi"),
            ("VPN and remote access", "VPN dan akses jarak jauh"),
        ),
    ),
    (
        ("E-mail", "Surel"),
        (
            ("Mailbox and quota", "Kotak surat dan kuota"),
            ("Spam and phishing", "Spam dan pengelabuan"),
            ("Delivery", "Pengiriman"),
        ),
    ),
    (
        ("Hardware", "Perangkat keras"),
        (
            ("Laptop or desktop", "Laptop atau komputer meja"),
            ("Server and storage", "Server dan penyimpanan"),
            ("Scanner and cash desk", "Pemindai dan kasir"),
        ),
    ),
    (
        ("Software", "Perangkat lunak"),
        (
            ("Installation", "Pemasangan"),
            ("Business application", "Aplikasi bisnis"),
            ("Update", "Pembaruan"),
        ),
    ),
    (
        ("Printing", "Pencetakan"),
        (("Paper jam", "Kertas macet"), ("Toner and parts", "Toner dan suku cadang")),
    ),
    (
        ("Security", "Keamanan"),
        (
            ("Malware", "Perangkat lunak jahat"),
            ("Lost device", "Perangkat hilang"),
            ("Backup", "Pencadangan"),
        ),
    ),
    (
        ("Request or other", "Permintaan atau lainnya"),
        (("Advice", "Saran"), ("Purchase", "Pembelian"), ("Training", "Pelatihan"), ("Other", "Lainnya")),
    ),
)
# Which words of a subject lead to which category: the first that is found.
WORDS: tuple[tuple[str, str], ...] = (
    ("kata sandi", "Password reset"),
    ("password", "Password reset"),
    ("akses", "New account or access"),
    ("account", "New account or access"),
    ("spam", "Spam and phishing"),
    ("surel", "Mailbox and quota"),
    ("mail", "Mailbox and quota"),
    ("wi-fi", "Wi-Fi"),
    ("vpn", "VPN and remote access"),
    ("connection", "Internet connection"),
    ("internet", "Internet connection"),
    ("printer", "Paper jam"),
    ("cadang", "Backup"),
    ("backup", "Backup"),
    ("pindai", "Scanner and cash desk"),
    ("scanner", "Scanner and cash desk"),
    ("kasir", "Scanner and cash desk"),
    ("aplikasi", "Business application"),
    ("komputer", "Laptop or desktop"),
    ("laptop", "Laptop or desktop"),
    ("server", "Server and storage"),
)
REPLIES = (
    (
        "Salam pembuka",
        "id",
        "Yth. $requester,\n\nterima kasih atas laporan Anda. Tiket Anda adalah $code; kami sedang memeriksanya.\n\n"
        "Salam,\n$staff, $provider",
    ),
    (
        "Greeting",
        "en",
        "Dear $requester,\n\nthank you for telling us. Your ticket is $code and we are looking into it.\n\n"
        "Kind regards,\n$staff, $provider",
    ),
    (
        "Mulai ulang perangkat",
        "id",
        "Mohon simpan pekerjaan Anda, mulai ulang perangkat, lalu coba lagi. Apakah “$subject” masih terjadi?",
    ),
    (
        "Please restart",
        "en",
        "Please save your work, restart the device and try again. Does “$subject” still happen?",
    ),
)
CHECKLISTS = (
    (
        "Laptop baru",
        ("Pasang agen", "Enkripsi cakram", "Pasang aplikasi kantor", "Uji surel dan VPN", "Serahkan"),
    ),
    (
        "Karyawan keluar",
        ("Nonaktifkan akun", "Alihkan kotak surat", "Terima kembali perangkat", "Cabut lisensi"),
    ),
)


def furnish(stage: Stage) -> None:
    """Keep it all, as managers would have done before the first ticket came."""
    acting: dict[str, Any] = {"by": stage.by, "at": stage.began}
    with enter(Scope(Role.STAFF, frozenset(stage.tenants.values()))):
        for names, below in TREE:
            top = _category(stage, names, None)
            for one in below:
                _category(stage, one, top)
        for name, language, body in REPLIES:
            save_reply(None, name=name, language=language, body=body, **acting)
        for name, lines in CHECKLISTS:
            save_template(None, name=name, lines=lines, **acting)
        db.session.commit()


def _category(stage: Stage, names: Names, parent: Category | None) -> Category:
    made = add_category(name_en=names[0], name_id=names[1], parent=parent, by=stage.by, at=stage.began)
    stage.categories[made.name_en] = made.id
    return made


def category_for(stage: Stage, subject: str) -> int | None:
    """The row id of the category that a subject speaks of."""
    found = next((name for word, name in WORDS if word in subject.lower()), None)
    return stage.categories.get(found) if found else None
