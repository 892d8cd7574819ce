"""Three months of finished tickets, so that attainment has something to say: mostly in time, now and then too late."""

from datetime import datetime, timedelta

from msp.demo.seed.companies import CLIENTS, terms_of
from msp.demo.seed.people import CLIENTS as PEOPLE
from msp.demo.seed.stories import Step, Story, calendar_for, company_of
from msp.demo.seed.times import Stage, after

TICKETS = 21
# Which of eight tickets is reopened once, as not every solution holds.
AGAIN = 3
PRIORITIES = ("P1", "P2", "P2", "P3", "P3", "P3", "P3", "P4", "P4")
HELPERS = {"kopi-senja": "tono", "batik-lestari": "tono", "klinik-sehat": "wulan", "lentera-timur": "wulan"}
MATTERS = {
    "id": (
        ("Kata sandi surel kedaluwarsa", "Tidak bisa masuk ke surel sejak pagi.", "Kata sandi diatur ulang."),
        ("Layar komputer loket berkedip", "Layar berkedip tiap beberapa detik.", "Kabel layar diganti."),
        ("Wi-Fi lantai dua lambat", "Sambungan putus-putus sejak siang.", "Kanal titik akses dipindahkan."),
        ("Printer macet kertas", "Kertas tersangkut terus.", "Rol penarik kertas dibersihkan."),
        (
            "Pencadangan malam gagal",
            "Ada pemberitahuan gagal cadangan.",
            "Ruang simpan ditambah dan diulang.",
        ),
        (
            "Pemasangan aplikasi kasir",
            "Mohon pasang aplikasi di komputer baru.",
            "Aplikasi terpasang dan diuji.",
        ),
        ("Surel masuk ke folder spam", "Surel pelanggan tidak terbaca.", "Aturan penyaring diperbaiki."),
        ("Hak akses folder bersama", "Karyawan baru perlu akses folder.", "Hak akses diberikan."),
        ("Pemindai kode batang tidak terbaca", "Pemindai berbunyi tetapi kosong.", "Pemindai diatur ulang."),
        ("Komputer sangat lambat", "Menyala lebih dari sepuluh menit.", "Cakram diganti dengan SSD."),
    ),
    "en": (
        ("Password expired", "I cannot sign in since this morning.", "Password was reset."),
        ("Scanner shows no labels", "The scanner beeps and shows nothing.", "Scanner profile was restored."),
        ("Slow connection at Sentani", "Pages take a minute to load.", "Radio link was realigned."),
        (
            "Nightly backup failed",
            "A notice says that the backup failed.",
            "Storage was extended and it ran.",
        ),
        ("New colleague needs an account", "She starts on Monday.", "The account is ready."),
        ("Printer jams at the gate", "Every third page is stuck.", "Rollers were cleaned."),
    ),
}


def stories_of(stage: Stage, slug: str) -> list[tuple[datetime, Story]]:
    """Finished tickets of a client with the moment at which each was opened."""
    if slug not in {one.slug for one in CLIENTS}:
        return []
    return [_story(stage, slug, number) for number in range(TICKETS)]


def _story(stage: Stage, slug: str, number: int) -> tuple[datetime, Story]:
    company, dice = company_of(slug), stage.dice
    priority = dice.choice(PRIORITIES)
    subject, body, solution = MATTERS[company.language][number % len(MATTERS[company.language])]
    day = stage.now - timedelta(days=6 + number * 4, minutes=dice.randrange(1440))
    opened_at = after(calendar_for(slug, priority), day, dice.randrange(1, 240))
    requester = dice.choice([one.key for one in PEOPLE if one.home == slug])
    story = Story(
        slug, priority, requester, subject, body, _steps(stage, slug, priority, requester, solution, number)
    )
    return opened_at.replace(second=0, microsecond=0), story


def _steps(
    stage: Stage, slug: str, priority: str, requester: str, solution: str, number: int
) -> tuple[Step, ...]:
    level = terms_of(company_of(slug))["service_levels"][priority]
    helper, dice, english = HELPERS[slug], stage.dice, company_of(slug).language == "en"
    respond = level["response_minutes"] * _share(stage, late=0.07)
    solve = level["resolution_minutes"] * _share(stage, late=0.12)
    steps = [
        Step("assign", respond * 0.5, helper),
        Step("say", respond * 0.5, helper, "We are looking into it." if english else "Sedang kami periksa."),
    ]
    if dice.random() < 0.3:
        steps += [
            Step("wait", 5, helper, "requester"),
            Step(
                "say",
                dice.randrange(30, 300),
                requester,
                "Here it is." if english else "Berikut ini datanya.",
            ),
        ]
    steps.append(Step("resolve", max(solve - respond, 5), helper, solution))
    if number % 8 == AGAIN:
        words = "It is the same again this morning." if english else "Pagi ini terjadi lagi."
        steps.append(Step("reopen", dice.randrange(200, 900), requester, words))
        steps.append(Step("resolve", dice.randrange(60, 240), helper, solution))
    steps.append(Step("close", dice.randrange(60, 600), requester if dice.random() < 0.5 else ""))
    return tuple(steps)


def _share(stage: Stage, *, late: float) -> float:
    """How much of a target is used: mostly a part of it, with the probability `late` more than all."""
    return stage.dice.uniform(1.05, 1.6) if stage.dice.random() < late else stage.dice.uniform(0.1, 0.8)
