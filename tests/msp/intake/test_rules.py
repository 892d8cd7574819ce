"""What a mail's own words decide: who vouches, who wrote it, what may be shown and handed out."""

import pytest

from msp.intake.mail import rules
from msp.intake.mail.html import cleaned
from msp.intake.mail.parsing import Parsed, Reader, Unreadable
from msp.threads.quoting import split_quoted

EDGE = "mx.portal.test"
BOB = "bob@example.test"


@pytest.mark.parametrize(
    ("lines", "result"),
    [
        ([f"{EDGE}; dmarc=pass header.from=example.test"], "pass"),
        ([f"{EDGE} 1; spf=pass; dmarc=pass (p=reject) header.from=example.test"], "pass"),
        ([f"{EDGE}; dmarc=pass header.from=elsewhere.test"], "fail"),
        ([f"{EDGE}; dmarc=fail"], "fail"),
        ([f"{EDGE}; dmarc=none"], "none"),
        ([f"{EDGE}; dmarc=pass; dmarc=fail"], "fail"),
        ([f"{EDGE}; spf=pass (dmarc=pass header.from=example.test)"], "none"),
        (["mx.elsewhere.test; dmarc=pass header.from=example.test"], "none"),
        ([f"{EDGE}.elsewhere.test; dmarc=pass"], "none"),
        (["mx.elsewhere.test; dmarc=fail", f"{EDGE}; dmarc=pass"], "none"),
        ([f"{EDGE}; dmarc=fail", f"{EDGE}; dmarc=pass"], "fail"),
        ([f"{EDGE}; dmarc=pass"], "none"),
        ([f"{EDGE}; DMARC / 1 = PASS header.from = Example.Test"], "pass"),
        ([f'{EDGE}; dmarc=pass reason="(;" header.from=example.test'], "pass"),
        ([f"{EDGE}; dmarc=pass (p=none (\\) sp=none)) header.from=example.test"], "pass"),
        ([f"{EDGE}; dmarc=pass header.from=example.test header.from=elsewhere.test"], "fail"),
        ([f"{EDGE}; dmarc=pass header.from=example.test.elsewhere.test"], "fail"),
        ([], "none"),
    ],
)
def test_only_the_newest_line_of_our_own_edge_counts(lines, result):
    assert rules.judge(lines, EDGE, BOB) == result


@pytest.mark.parametrize(
    "words",
    [
        "spf=pass smtp.mailfrom=dmarc=pass@evil.test",
        'dkim=pass header.i="dmarc=pass"@evil.test',
        'dkim=pass header.i="; dmarc=pass header.from=example.test"@evil.test',
        "spf=pass smtp.mailfrom=(; dmarc=pass header.from=example.test)@evil.test",
        "spf=pass (a (nested; dmarc=pass header.from=example.test) comment)",
        "spf=pass xdmarc=pass header.from=example.test",
        'dkim=pass header.i="\\"; dmarc=pass header.from=example.test"@evil.test',
        'dmarc=pass reason="header.from=example.test"',
        "dmarc=pass policy.x-header.from=example.test",
        "x-dmarc=pass header.from=example.test",
        'spf=pass (a " b) smtp.mailfrom="; dmarc=pass header.from=example.test "',
        'dmarc=pass header.i="x"header.from=example.test',
        "dmarc=passed header.from=example.test",
        "dmarc=pass@evil.test header.from=example.test",
    ],
)
def test_a_sender_s_own_words_vouch_for_nobody(words):
    assert rules.judge([f"{EDGE}; {words}"], EDGE, BOB) == "none"
    fails = [f"{EDGE}; {words}; dmarc=fail header.from=example.test"]
    assert rules.judge(fails, EDGE, BOB) == "fail"


@pytest.mark.parametrize("opened", ['"', "(", ")", "((x)", '"\\"', "\\"])
def test_a_line_that_a_sender_spoilt_vouches_for_nobody_and_hides_nothing(opened):
    for result in ("pass", "fail"):
        line = f"{EDGE}; spf=pass smtp.mailfrom=a{opened}b@evil.test; dmarc={result} header.from=example.test"
        assert rules.judge([line], EDGE, BOB) == "fail"
        assert rules.judge([f"mx.elsewhere.test; {opened}", line], EDGE, BOB) == "none"


def test_without_an_edge_nobody_is_verified():
    assert rules.judge(["; dmarc=pass", f"{EDGE}; dmarc=pass"], "", BOB) == "none"


@pytest.mark.parametrize(
    ("subject", "code"),
    [("nothing", None), ("Re: [ACME-2222-2222] x", None), ("", None)],
)
def test_a_subject_without_a_sound_code_names_none(subject, code):
    assert rules.code_in(subject) == code


def test_two_codes_in_a_subject_are_none():
    from tenants.tickets.codes import new_code

    one, other = new_code("ACME"), new_code("ACME")
    assert rules.code_in(f"re: {one.lower()} {one}") == one
    assert rules.code_in(f"{one} {other}") is None


@pytest.mark.parametrize(
    ("mail", "replies", "automatic"),
    [
        (Parsed(), False, False),
        (Parsed(auto_submitted="no"), False, False),
        (Parsed(auto_submitted="auto-generated"), False, True),
        (Parsed(auto_submitted="auto-replied (vacation)"), True, True),
        (Parsed(null_path=True), True, True),
        (Parsed(is_list=True), False, True),
    ],
)
def test_programs_are_known_by_the_standards(mail, replies, automatic):
    assert (rules.is_auto_reply(mail), rules.is_automatic(mail)) == (replies, automatic)


@pytest.mark.parametrize(
    "payload",
    [
        "<script>x</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href='data:text/html,<script>x</script>'>a</a>",
        "<div style='background:url(https://t.test/)'>a</div>",
        "<iframe src=https://t.test></iframe>",
        "<form action=https://t.test><input name=password></form>",
        "<style>@import 'https://t.test'</style>",
        "<base href=https://t.test>",
        "<meta http-equiv=refresh content='0;url=https://t.test'>",
        "<img srcset='https://t.test/x 1x' src=cid:y>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<img src='/desk/tickets/x'>",
    ],
)
def test_nothing_in_a_mail_s_html_acts_or_loads(payload):
    shown, _left_out = cleaned(f"<p>Words {payload}</p>", {})
    for banned in (
        "script",
        "onerror",
        "onload",
        "t.test",
        "style",
        "<img",
        "<form",
        "<iframe",
        "javascript:",
    ):
        assert banned not in shown.lower(), shown
    assert "Words" in shown


def test_images_that_came_along_are_shown_and_others_said_to_be_left_out():
    html = "<img src='cid:logo@x' alt=Logo><img src='https://t.test/x.png'>"
    shown, left_out = cleaned(html, {"logo@x": "/desk/tickets/A/files/1"})
    assert 'src="/desk/tickets/A/files/1"' in shown
    assert left_out
    assert "t.test" not in shown


@pytest.mark.parametrize(
    ("body", "own"),
    [
        ("Thanks.\n\nOn Mon, 2 Mar 2026 Desk <a@b.test> wrote:\n> Try it.", "Thanks."),
        ("Thanks.\n\nPada Senin 2 Maret Desk menulis:\n> Coba.", "Thanks."),
        ("Thanks.\n-- \nBob", "Thanks."),
        ("> a question\nAn answer between", "> a question\nAn answer between"),
        ("Yes.\n> only\n> quotes", "Yes."),
        ("On its own", "On its own"),
    ],
)
def test_what_is_quoted_is_folded_and_nothing_is_lost(body, own):
    shown, rest = split_quoted(body)
    assert shown == own
    assert all(word in shown + rest for word in body.split())


def test_a_reader_that_is_killed_says_so_and_the_next_mail_is_read():
    with Reader(patience=0.0) as reader, pytest.raises(Unreadable, match="limits"):
        reader.read(b"From: a@b.test\n\n" + b"x\n" * 4_000_000)
    with Reader() as reader:
        with pytest.raises(Unreadable, match="memory"):
            reader.read(b"From: a@b.test\n\n" + b"x\n" * 17_000_000)
        assert reader.read(b"From: a@b.test\n\nhi").text.strip() == "hi"


def test_the_child_can_open_nothing():
    import subprocess
    import sys

    from msp.intake.mail.parsing import ROOT

    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); del sys.argv[1]\n"
        "from msp.intake.mail import child\nimport socket\nchild._load(); child.limit(20, child.MEMORY)\n"
        "for one in (socket.socket, lambda: open('/etc/passwd'), lambda: __import__('subprocess').Popen(['true'])):\n"
        "    try: one()\n    except OSError: continue\n    sys.exit('opened')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, str(ROOT)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
