"""What whoever started the demo reads, in English and Indonesian."""

import json
from typing import Any

from msp.demo.folder import Folder
from msp.demo.options import Options

ENGLISH = """\
What to try
  1  Sign in as a client's user and open a ticket; then as L1 and answer it. The clock answers to the contract.
  2  As L1 hand the ticket over to L2; as L2 wait for the requester: the clock stops and says why.
  3  Two campaigns wait for a second person. As manager approve "Konfigurasi kasir 2.4.0"; as the administrators of
     Kopi Senja and Batik Lestari consent to it under Maintenance; as manager start it and watch seven agents install
     it wave by wave (hosts/*/root/opt/kasir). "2.5.0" begins with {readonly}, which is read-only: it fails there,
     stops by itself and opens a ticket. Remove hosts/{readonly}/root/.readonly before you try again.
  4  Kill what you like (processes.json has the numbers): it comes back and loses nothing.
  5  Commands: set -a; . {environment}; set +a; .venv/bin/flask --app wsgi --help
     tickets import --tenant lentera-timur … takes an old log: that client's contract is in force since 2016.
     statements close --tenant lentera-timur --from 2016-02 --to 2016-12 closes its months.
  6  As a client's administrator open Statements: last month is closed, line by line, with PDF, CSV and the credit.
     As manager approve that credit, amend the statement, or try other terms beside the contract.
  7  A visitor waits in the chat of Kopi Senja: as L1 (tono) open Chats, answer, end it as a ticket. An example website
     with the chat: {chat}
     Under Calls press "Take a call" and type 0811-000-0002 or a name. SMS and WhatsApp are off: no gateway is set.
"""
INDONESIAN = """\
Silakan dicoba
  1  Masuk sebagai pengguna klien dan buka tiket; lalu masuk sebagai L1 dan jawab. Jam SLA mengikuti kontrak.
  2  Sebagai L1 serahkan tiket ke L2; sebagai L2 tunggu pelapor: jam berhenti dan halaman menyebutkan alasannya.
  3  Dua kampanye menunggu orang kedua. Sebagai manajer, setujui “Konfigurasi kasir 2.4.0”; sebagai administrator Kopi
     Senja dan Batik Lestari, beri persetujuan di Pemeliharaan; sebagai manajer, mulailah dan lihat tujuh agen
     memasangnya gelombang demi gelombang (hosts/*/root/opt/kasir). “2.5.0” dimulai dari {readonly} yang hanya dapat
     dibaca: gagal di sana, berhenti sendiri dan membuka tiket. Hapus hosts/{readonly}/root/.readonly sebelum mencoba
     lagi.
  4  Hentikan proses mana pun (nomornya ada di processes.json): proses itu kembali dan tidak ada yang hilang.
  5  Perintah: set -a; . {environment}; set +a; .venv/bin/flask --app wsgi --help
     tickets import --tenant lentera-timur … membaca log lama: kontrak klien itu berlaku sejak 2016.
     statements close --tenant lentera-timur --from 2016-02 --to 2016-12 menutup bulan-bulannya.
  6  Sebagai administrator klien buka Laporan: bulan lalu sudah ditutup, baris demi baris, dengan PDF, CSV dan kredit.
     Sebagai manajer setujui kredit itu, koreksi laporannya, atau coba ketentuan lain di samping kontrak.
  7  Seorang pengunjung menunggu di obrolan Kopi Senja: sebagai L1 (tono) buka Obrolan, jawab, akhiri menjadi tiket.
     Contoh situs web dengan obrolan: {chat}
     Di Panggilan tekan “Terima panggilan” lalu ketik 0811-000-0002 atau sebuah nama. SMS dan WhatsApp tidak aktif:
     tidak ada gerbang pesan.
"""
READONLY = "batik-kasir-2"


def ready(options: Options, folder: Folder, seconds: float) -> str:
    """The address, the accounts and what to try."""
    credentials = json.loads(folder.credentials.read_text())
    told = {
        "readonly": READONLY,
        "environment": folder.environment,
        "chat": f"{options.url}/chat/{credentials.get('chat', {}).get('key', '…')}/example",
    }
    parts = [
        f"\nThe portal is ready after {seconds:.1f} s / Portal siap:  {options.url}\n",
        _accounts(credentials["accounts"]),
        ENGLISH.format(**told),
        INDONESIAN.format(**told),
        f"Mail: {folder.mail}   Logs: {folder.logs}   Accounts and tokens: {folder.credentials}",
        "Ctrl-C ends everything and loses nothing / Ctrl-C menghentikan semuanya; tidak ada yang hilang.",
    ]
    return "\n".join(parts)


def _accounts(accounts: list[dict[str, Any]]) -> str:
    passwords = {one["password"] for one in accounts}
    shown = [f"  {one['role']:<13} {one['tenant'] or 'staff':<16} {one['email']}" for one in accounts]
    heading = f"Accounts (password / kata sandi: {', '.join(sorted(passwords))})"
    return heading + "\n" + "\n".join(shown) + "\n"
