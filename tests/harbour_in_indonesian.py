"""Comments of people, and of gambling spammers, on a harbour town's articles, in a language that
the base model never learned.

They are built from parts, so no two are the same and a model has to learn more than one sentence.
"""

from __future__ import annotations

from itertools import product

_OPENINGS = (
    "Kemarin saya pergi ke pelabuhan bersama keluarga,",
    "Sebagai warga kota ini sejak kecil saya rasa",
    "Terima kasih atas artikel yang bagus ini,",
    "Menurut saya pemerintah harus lebih memperhatikan",
    "Saya setuju dengan tulisan ini karena",
    "Waktu saya masih sekolah dulu",
    "Anak saya bertanya kepada saya mengapa",
    "Tetangga saya yang bekerja sebagai nelayan mengatakan",
)
_MIDDLES = (
    "kapal feri sering terlambat dan penumpang menunggu lama di dermaga",
    "jalan menuju pasar ikan itu sudah rusak sejak musim hujan tahun lalu",
    "sekolah di dekat pantai membutuhkan lebih banyak guru dan buku",
    "harga ikan di pasar naik terus sehingga orang mengeluh setiap hari",
    "taman di tepi laut itu tempat yang indah untuk berjalan sore hari",
    "air sungai di kampung kami semakin kotor karena sampah dari kota",
)
_ENDINGS = (
    "semoga segera ada perbaikan.",
    "bagaimana pendapat pembaca yang lain?",
    "sungguh sayang sekali.",
)

_LURES = (
    "Ayo bermain di situs slot gacor terpercaya",
    "Daftar sekarang di bandar togel online resmi",
    "Kunjungi agen judi bola paling lengkap",
    "Main poker uang asli bersama kami",
    "Situs casino langsung dengan pelayanan terbaik",
    "Raih jackpot terbesar malam ini juga",
    "Slot pragmatic gampang menang hanya di sini",
    "Taruhan olahraga dengan pasaran paling tinggi",
)
_BAITS = (
    "bonus deposit pertama seratus persen untuk anggota baru",
    "kemenangan pasti dibayar lunas tanpa potongan sama sekali",
    "deposit pulsa dan dompet digital diproses dalam satu menit",
    "putaran gratis setiap hari bagi semua pemain setia",
    "rahasia pola maxwin dari admin berpengalaman",
    "modal kecil bisa membawa pulang hadiah jutaan rupiah",
)
_CALLS = (
    "daftar sekarang juga!",
    "buruan gabung sebelum kehabisan!",
    "klik nama saya untuk daftar.",
)

LETTERS = [f"{one} {two}, {three}" for one, two, three in product(_OPENINGS, _MIDDLES, _ENDINGS)]
GAMBLING = [f"{one}, {two}, {three}" for one, two, three in product(_LURES, _BAITS, _CALLS)]
