"""Whatever people read is there in Indonesian, whole, with the same values in it and the house's words."""

import re
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.support import Translations

from msp.web import catalogue

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|%%")
# The same word in both languages, a name, a unit or a code; a text without a letter outside its values is the same too.
SAME = {
    "API",
    "CSV",
    "Disk",
    "Dispatcher",
    "Filter",
    "Kernel",
    "Menu",
    "No.",
    "PDF",
    "Portal",
    "Printer",
    "SMS",
    "Server",
    "Tag",
    "Target",
    "Tier",
    "Vendor",
    "WhatsApp",
    "Workstation",
}
NEVER = {
    "penyewa": "a tenant is a klien",
    "anda": "Anda is written with a capital",
    "kamu": "people are Anda",
    "email": "an e-mail is a surel",
    "e-mail": "an e-mail is a surel",
    "file": "a file is a berkas",
    "client": "a client is a klien",
    "password": "a password is a kata sandi",
    "login": "to sign in is masuk",
    "silahkan": "silakan",
    "antrian": "antrean",
    "resiko": "risiko",
    "ijin": "izin",
    "non-aktif": "nonaktif",
}
# English word → what stands for it in Indonesian, one of which must be there.
GLOSSARY = {
    "tickets?": "tiket",
    "clients?": "klien",
    "hand-overs?": "serah terima",
    "missed": "terlewat|lewat",
    "paused": "dijeda|menjeda",
    "contracts?": "kontrak",
    "service levels?": "tingkat layanan",
    "assets?": "aset",
    "sites?": "lokasi",
    "campaigns?": "kampanye",
    "waves?": "gelombang",
    "releases?": "rilis",
    "staff": "staf",
    "queue": "antrean",
    "requesters?": "pemohon",
    "second factor": "faktor kedua",
    "recovery codes?": "kode pemulihan",
    "sign out": "keluar",
    "vendors?": "vendor",
    "priority|priorities": "prioritas",
    "urgency": "urgensi",
    "impact": "dampak",
    "consent": "persetujuan",
    "owners?": "pemilik",
    "passwords?": "kata sandi",
    "e-mail|mails?": "surel|surat",
    "quarantined?": "karantina",
    "audit log": "log audit",
    "tiers?": "tier",
    "time zone": "zona waktu",
    "sessions?": "sesi",
    "invitations?": "undangan",
    "agents?": "agen",
}


@pytest.fixture(scope="module")
def indonesian() -> Catalog:
    return catalogue.read("id")


def words_of(message: Message) -> str:
    """The one form that Indonesian has."""
    return message.string if isinstance(message.string, str) else message.string[0]


def english_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[-1]


def messages(found: Catalog) -> list[tuple[str, str, Message]]:
    return [(english_of(one), words_of(one), one) for one in found if one.id]


def bare(text: str) -> str:
    """The text without the values that it carries."""
    return PLACEHOLDER.sub(" ", text)


def test_the_catalogue_has_every_message_and_none_is_open() -> None:
    assert catalogue.check() == []


def test_there_is_nothing_guessed_and_nothing_left_over(indonesian: Catalog) -> None:
    assert not indonesian.obsolete
    assert not [message.id for message in indonesian if message.fuzzy and message.id]
    assert indonesian.num_plurals == 1


def test_both_languages_carry_the_same_values(indonesian: Catalog) -> None:
    differ = [
        (english, said)
        for english, said, _message in messages(indonesian)
        if set(PLACEHOLDER.findall(english)) != set(PLACEHOLDER.findall(said))
    ]
    assert not differ


def test_every_text_can_be_filled_in(indonesian: Catalog) -> None:
    """A template fills in every text, so that a single percent sign in it would break the page."""
    for english, said, message in messages(indonesian):
        names = dict.fromkeys(re.findall(r"%\((\w+)\)", english), 1)
        if names or any(file.startswith("templates/") for file, _line in message.locations):
            assert english % names
            assert said % names


def test_nothing_is_left_in_english(indonesian: Catalog) -> None:
    same = {english for english, said, _message in messages(indonesian) if english == said}
    assert not {text for text in same if re.search("[A-Za-z]", bare(text))} - SAME


@pytest.mark.parametrize("word", NEVER)
def test_words_that_are_not_ours(word: str, indonesian: Catalog) -> None:
    # Only `anda` is about capitals.
    pattern = re.compile(rf"(?<![\w-]){word}(?![\w-])", 0 if word == "anda" else re.IGNORECASE)
    found = [said for _english, said, _message in messages(indonesian) if pattern.search(bare(said))]
    assert not found, NEVER[word]


@pytest.mark.parametrize("term", GLOSSARY)
def test_one_word_for_one_thing(term: str, indonesian: Catalog) -> None:
    here = re.compile(rf"(?<![\w-])(?:{term})(?![\w-])", re.IGNORECASE)
    there = re.compile(GLOSSARY[term], re.IGNORECASE)
    found = [
        (english, said)
        for english, said, _message in messages(indonesian)
        if here.search(bare(english)) and not there.search(bare(said))
    ]
    assert not found


def test_both_begin_and_end_alike(indonesian: Catalog) -> None:
    """Spaces, the sign at the end and a capital at the beginning carry meaning on the page."""
    differ = [
        (english, said)
        for english, said, _message in messages(indonesian)
        if _ends(english) != _ends(said) or english[:1].isspace() != said[:1].isspace()
    ]
    assert not differ
    small = [
        (english, said)
        for english, said, _message in messages(indonesian)
        if english[0].islower() and said[0].isupper()
    ]
    assert not small


def _ends(text: str) -> str:
    return text[-1] if text[-1] in ".?:…, \n" else ""


def test_the_compiled_catalogue_speaks(indonesian: Catalog) -> None:
    file = BytesIO()
    write_mo(file, indonesian)
    file.seek(0)
    said = Translations(file)
    assert said.gettext("Sign in") == "Masuk"
    assert said.ngettext("%(num)s client", "%(num)s clients", 1) == "%(num)s klien"
    assert said.ngettext("%(num)s client", "%(num)s clients", 7) == "%(num)s klien"


def test_a_message_without_words_is_noticed() -> None:
    sample = Catalog()
    sample.add("Open")
    sample.add(("%(num)s day", "%(num)s days"), ("",))
    sample.add("Closed", "Ditutup")
    sample.add("Held", "Ditahan", flags=["fuzzy"])
    assert [message.id for message in catalogue.missing(sample)] == [
        "Open",
        ("%(num)s day", "%(num)s days"),
        "Held",
    ]
