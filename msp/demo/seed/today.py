"""What is open today: time left, waiting for the client, nearly too late, too late, on its way between tiers."""

from datetime import datetime

from msp.demo.seed.stories import Step, Story, calendar_for
from msp.demo.seed.times import Stage, opened_before

# Business minutes since the opening, and the story.
OPEN: tuple[tuple[int, Story], ...] = (
    (
        26,
        Story(
            "kopi-senja",
            "P1",
            "budi",
            "Mesin kasir di Kedai Dago tidak bisa mencetak struk",
            "Sejak buka tadi dua mesin kasir menampilkan “printer tidak ditemukan”. Antrean sudah panjang.",
            (
                Step("assign", 3, "tono"),
                Step(
                    "say", 3, "tono", "Selamat pagi, kami sedang memeriksa koneksi printer dari jarak jauh."
                ),
                Step("note", 9, "tono", "Router Dago terlihat mati-hidup tiap 2 menit; curiga adaptor daya."),
            ),
            asset="kopi-printer-struk-1",
        ),
    ),
    (
        434,
        Story(
            "kopi-senja",
            "P2",
            "sari",
            "Laporan penjualan harian tidak masuk ke kantor pusat",
            "Tiga kedai belum mengirim laporan tadi malam. Bagian keuangan menunggu untuk tutup buku.",
            (
                Step("assign", 12, "tono"),
                Step("say", 20, "tono", "Kami periksa tugas sinkronisasi di server kedai."),
                Step(
                    "hand over",
                    75,
                    "tono",
                    "L2|Laporan tiga kedai tidak sampai sejak tadi malam.|Sinkronisasi dijalankan ulang; gagal dengan"
                    " galat sertifikat.|Pelapor diberi tahu bahwa tim tingkat 2 melanjutkan hari ini.",
                ),
                Step("accept", 18, "hendra"),
                Step("say", 40, "hendra", "Sertifikat server pusat kedaluwarsa; kami sedang menggantinya."),
            ),
            asset="kopi-server-1",
        ),
    ),
    (
        610,
        Story(
            "kopi-senja",
            "P3",
            "budi",
            "Laptop keuangan minta kata sandi Wi-Fi terus-menerus",
            "Setiap kali pindah ruangan, laptop bertanya kata sandi lagi.",
            (
                Step("assign", 30, "tono"),
                Step(
                    "say",
                    25,
                    "tono",
                    "Mohon kirim tangkapan layar jendela yang muncul, dan nama jaringannya.",
                ),
                Step("wait", 1, "tono", "requester"),
            ),
            asset="kopi-laptop-keuangan",
        ),
    ),
    (
        572,
        Story(
            "batik-lestari",
            "P2",
            "ayu",
            "Berkas desain di NAS tidak dapat dibuka",
            "Semua berkas koleksi baru menampilkan “akses ditolak”. Tim desain berhenti bekerja.",
            (
                Step("assign", 15, "tono"),
                Step("say", 22, "tono", "Kami periksa hak akses folder koleksi."),
                Step(
                    "hand over",
                    180,
                    "tono",
                    "L2|Folder koleksi menolak semua pengguna.|Hak akses diatur ulang dari panel; kembali rusak setelah"
                    " sepuluh menit.|Pelapor tahu bahwa tim tingkat 2 menangani.",
                ),
                Step("accept", 60, "hendra"),
                Step("note", 90, "hendra", "Jadwal pencadangan menimpa ACL. Perlu perubahan di tingkat 3."),
            ),
            asset="batik-nas-desain",
        ),
    ),
    (
        18,
        Story(
            "batik-lestari",
            "P3",
            "joko",
            "Printer label gudang mencetak miring",
            "Label harga keluar miring sejak gulungan kertas diganti.",
            asset="batik-printer-label",
        ),
    ),
    (
        207,
        Story(
            "klinik-sehat",
            "P1",
            "ilham",
            "Rekam medis sangat lambat di semua loket",
            "Membuka satu pasien perlu lebih dari satu menit. Pendaftaran kembali memakai kertas.",
            (
                Step("assign", 4, "wulan"),
                Step("say", 5, "wulan", "Kami sudah melihatnya dan memeriksa beban server rekam medis."),
                Step("note", 40, "wulan", "CPU server 98 %; satu kueri laporan berjalan sejak dini hari."),
                Step(
                    "hand over",
                    70,
                    "wulan",
                    "L2|Semua loket lambat sejak pagi.|Kueri laporan dihentikan; beban naik lagi setelah lima belas"
                    " menit.|Pelapor tahu bahwa tim tingkat 2 dipanggil.",
                ),
            ),
            asset="klinik-server-rekam-medis",
        ),
    ),
    (
        190,
        Story(
            "klinik-sehat",
            "P2",
            "rahma",
            "Telepon IGD tidak dapat menerima panggilan dari luar",
            "Panggilan keluar bisa, panggilan masuk langsung terputus.",
            (
                Step("assign", 10, "wulan"),
                Step(
                    "say",
                    15,
                    "wulan",
                    "Kami menghubungi penyedia telepon; sementara ini panggilan dialihkan.",
                ),
                Step("wait", 30, "wulan", "vendor"),
            ),
            asset="klinik-telepon-igd",
        ),
    ),
    (
        900,
        Story(
            "klinik-sehat",
            "P3",
            "ilham",
            "Akun dokter baru untuk pendaftaran",
            "Mohon dibuatkan akun untuk dokter jaga baru mulai pekan depan.",
            (
                Step("assign", 40, "wulan"),
                Step("say", 30, "wulan", "Mohon kirim nama lengkap dan nomor SIP dokter tersebut."),
                Step("wait", 1, "wulan", "requester"),
            ),
            kind="request",
        ),
    ),
    (
        76,
        Story(
            "lentera-timur",
            "P2",
            "markus",
            "Warehouse scanners cannot reach the manifest server",
            "All four scanners at Abepura show “no connection”. Two trucks are waiting to be loaded.",
            asset="lentera-server-manifest",
        ),
    ),
    (
        420,
        Story(
            "lentera-timur",
            "P4",
            "yohana",
            "Second screen for the Sentani office",
            "Please quote and install a second screen for the dispatcher at Sentani.",
            (
                Step("assign", 60, "wulan"),
                Step("say", 45, "wulan", "Thank you, we will send a quotation this week."),
            ),
            asset="lentera-sentani-pc-1",
            kind="request",
        ),
    ),
)


def stories_of(stage: Stage, slug: str) -> list[tuple[datetime, Story]]:
    """Today's tickets of a client with the moment at which each was opened."""
    return [
        (opened_before(calendar_for(slug, story.priority), stage.now, minutes), story)
        for minutes, story in OPEN
        if story.home == slug
    ]
