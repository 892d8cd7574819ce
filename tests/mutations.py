"""Hostile mails, the same for the same seed: forged threads, and mails that were broken at random."""

import itertools
import random
from collections.abc import Iterator

from tests import mails

EDGE = mails.EDGE
SEEDS = (
    mails.write(),
    mails.write("Eve <eve@elsewhere.test>", html="<p>Hello <img src='cid:x'></p>", dmarc=None),
    mails.write(files=[("a.pdf", b"%PDF-1.4 x"), ("b.zip", b"PK\x03\x04broken")]),
    b"From: =?utf-8?B?QsO2Yg==?= <bob@example.test>\nTo: help@portal.test\nSubject: =?iso-2022-jp?B?GyRC?= x\n"
    b"Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B\n",
    b'From: a@b.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="q"\n\n--q\n'
    b"Content-Type: multipart/alternative; boundary=r\n\n--r\nContent-Type: text/html; charset=utf-7\n\n<b>x</b>"
    b"\n--r--\n"
    b"--q\nContent-Type: message/rfc822\n\nFrom: x@y.test\nSubject: inner\n\nhi\n--q--\n",
    b"From: MAILER-DAEMON@x.test\nReturn-Path: <>\nContent-Type: multipart/report; report-type=delivery-status;"
    b" boundary=b\n\n--b\n\ntext\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.test\n"
    b"Action: failed\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <x@y>\n\n--b--\n",
    b"Subject: nobody\n\nno sender at all\n",
)
PIECES = (
    b"\x00",
    b"\xff\xfe",
    b"\r",
    b"\n\n",
    b"=?",
    b"?=",
    b"=?x?q?",
    b"=?utf-8?b?////?=",
    b'charset="x\xf0"',
    b"Content-Type: multipart/mixed; boundary=",
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: text/plain; charset*0*=''; charset*1=z\n",
    b"Content-Transfer-Encoding: uuencode\n",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Disposition: attachment; filename*=utf-99''%ff%00../../x.exe\n",
    b"From: ,,<@>;\n",
    b"From: bob@example.test, eve@elsewhere.test\n",
    b"To: reply+acme7k3qxp4m.aaaaaaaaaaaaaaaaaaaa@reply.portal.test\n",
    b"Content-ID: <x>\n",
    b"Received: (" * 20,
    "日本 \U0001f600 \u202e".encode(),
    b"A" * 3000,
)


def mutated(count: int, seed: int = 5) -> Iterator[bytes]:
    """So many broken mails."""
    chance = random.Random(seed)
    for number in range(count):
        raw = bytearray(chance.choice(SEEDS))
        for _step in range(chance.randint(1, 12)):
            _mutate(raw, chance)
        # Each is another mail: the same bytes twice would be one.
        yield bytes(raw) + b"\n%d\n" % number


def _mutate(raw: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(raw) + 1)
    match chance.randrange(5):
        case 0:
            raw[place:place] = chance.choice(PIECES)
        case 1:
            del raw[place : place + chance.randint(1, 40)]
        case 2:
            raw[place : place + 1] = bytes([chance.randrange(256)])
        case 3:
            line = bytes(raw).split(b"\n")
            raw[place:place] = chance.choice(line) + b"\n"
        case 4:
            raw[0:0] = chance.choice(PIECES) + b"\n"


def spoofs(*, code: str, stolen: str, own: str, ours: str, count: int, seed: int = 7) -> Iterator[bytes]:
    """Mails that pretend to belong to Bob's ticket: `stolen` is Bob's reply address, `own` Mallory's to her own ticket.

    Our edge judged each; what the mail brings along of judgements stands below and counts for nothing.
    """
    chance = random.Random(seed)
    senders = (
        ("bob@example.test", ("none", "fail")),
        ("alice@example.test", ("none", "fail")),
        ("tina@example.test", ("none", "fail")),
        ("mallory@example.test", ("pass", "none", "fail")),
        ("eve@elsewhere.test", ("pass", "none")),
        ("Bob <bob@example.test> <eve@elsewhere.test>", ("pass", "none")),
    )
    pairs = [(sender, one) for sender, results in senders for one in results]
    receivers = (mails.DESK, own, f"{own}, {stolen}", stolen, _bent(stolen), f"{mails.DESK}, {stolen}")
    every = list(itertools.product(pairs, receivers, range(8)))
    chance.shuffle(every)
    made = 0
    while made < count:
        (sender, judged), to, hints = every[made % len(every)]
        if sender == "bob@example.test" and judged == "none" and to in (stolen, f"{mails.DESK}, {stolen}"):
            # Bob's own address and Bob's own reply address: that is Bob, as far as anybody can tell.
            to = _bent(stolen)
        made += 1
        yield _spoof(sender, judged, to, hints, code, ours, made)


def _bent(address: str) -> str:
    """The address with a signature that is one letter off."""
    local, _, domain = address.partition("@")
    return f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}"


def _spoof(sender: str, judged: str, to: str, hints: int, code: str, ours: str, number: int) -> bytes:
    domain = sender.rpartition("@")[2].rstrip(">")
    lines = [
        f"Authentication-Results: {EDGE}; dmarc={judged} header.from={domain}",
        f"Authentication-Results: {EDGE}; dmarc=pass header.from=example.test",
        "Authentication-Results: mx.elsewhere.test; dmarc=pass header.from=example.test",
        f"From: {sender}",
        "Reply-To: bob@example.test",
        "Sender: bob@example.test",
        f"To: {to}",
        f"Subject: {'Re: [' + code + '] ' if hints & 1 else ''}Printer",
        f"Message-ID: <spoof-{number}@elsewhere.test>",
    ]
    lines += [f"In-Reply-To: {ours}"] if hints & 2 else []
    lines += [f"References: <ticket-{code}@portal.test> {ours}"] if hints & 4 else []
    return ("\n".join(lines) + f"\n\nPlease send the password to me. {number}\n").encode()
