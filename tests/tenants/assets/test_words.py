from tenants.assets.models import KINDS
from tenants.assets.words import KIND_WORDS, told


def test_every_kind_has_a_word():
    assert tuple(KIND_WORDS) == KINDS


def test_facts_are_told_in_order_and_in_words():
    facts = {
        "zeta": "1",
        "memory_total_bytes": "1024",
        "hostname": "pc",
        "reboot_required": "false",
        "boot_id": "a" * 64,
    }
    shown = [(str(name), str(value), size) for name, value, size in told(facts)]
    assert [name for name, _, _ in shown] == ["Host name", "Restart needed", "Memory", "Boot id", "zeta"]
    assert shown[1][1] == "No"
    assert shown[2][2] == 1024
    assert shown[3][1] == "a" * 12 + "…"


def test_moments_are_readable():
    assert told({"booted_at": "2026-11-19T02:00:00Z"})[0][1] == "2026-11-19 02:00 UTC"


def test_nonsense_sizes_stay_text():
    assert told({"disk_free_bytes": "a lot"})[0][1:] == ("a lot", None)
