"""Letters in disguise are counted, and ordinary writing of any language is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.spam.training.disguising import advertisements
from models.text.disguise import (
    FANCY,
    LOOK_ALIKES,
    MARKS,
    SIGNS,
    SPELLED_OUT,
    UNSEEN,
    disguises,
    letters_of_kind,
)


@pytest.mark.parametrize(
    ("text", "kind", "hidden", "letters"),
    [
        ("buy vіаgra now", LOOK_ALIKES, "vіаgra", 2),
        ("сasino here", LOOK_ALIKES, "сasino", 1),  # a Cyrillic с begins it
        ("бeз cпpocа", LOOK_ALIKES, "бeз", 1),
        ("a bοηus", LOOK_ALIKES, "bοηus", 2),
        ("𝐜𝐚𝐬𝐢𝐧𝐨 tonight", FANCY, "𝐜𝐚𝐬𝐢𝐧𝐨 ", 6),
        ("Ⓑⓞⓝⓤⓢ", FANCY, "Ⓑⓞⓝⓤⓢ", 5),
        ("get ｆｒｅｅ money", FANCY, "ｆｒｅｅ ", 4),
        ("🇨 🇦 🇸 🇮 🇳 🇴", FANCY, "🇨 🇦 🇸 🇮 🇳 🇴", 6),
        ("a ʙᴏɴᴜꜱ", FANCY, "ʙᴏɴᴜꜱ", 5),
        ("your b o n u s", SPELLED_OUT, "b o n u s", 5),
        ("v.i.a.g.r.a", SPELLED_OUT, "v.i.a.g.r.a", 6),
        ("b_o_n_u_s", SPELLED_OUT, "b_o_n_u_s", 5),
        ("б-о-н-у-с", SPELLED_OUT, "б-о-н-у-с", 5),
        ("b i t c o i n in a week", SPELLED_OUT, "b i t c o i n", 7),
        ("v1agra", SIGNS, "v1agra", 1),
        ("m0n3y", SIGNS, "m0n3y", 2),
        ("б0нус", SIGNS, "б0нус", 1),
        ("vi\u200bag\u2060ra", UNSEEN, "vi\u200bag\u2060ra", 2),
        ("b\u00ado\u00adn\u00adu\u00ads", UNSEEN, "b\u00ado\u00adn\u00adu\u00ads", 4),
        ("v\u0336i\u0336a\u0336", MARKS, "v\u0336i\u0336a\u0336", 3),
        ("bo\u0337\u0353\u0301nus", MARKS, "\u0337\u0353\u0301", 1),
    ],
)
def test_each_kind_of_disguise_is_counted_in_its_place(
    text: str, kind: str, hidden: str, letters: int
) -> None:
    [first, *_] = disguises(text)

    assert (first.kind, text[first.start : first.end], first.letters) == (kind, hidden, letters)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "An ordinary comment, with a hyphen-ated word and it's fine.",
        "👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 ❤️ 🇫🇷🇩🇪 🇺🇦 🅰️🅱️ Ⓜ️ 1️⃣2️⃣3️⃣ 👍🏾",  # families, flags, signs
        "купил iPhone'ом и айфоном, у меня iPhoneа нет, YouTubeовский канал, микроUSB, SMSка",
        "Смотрел на Netflix сериал про NASA и ВКонтакте через VPN, PRщик сказал ОК",
        "Фëдор прочëл удалëнный счëт",  # a Latin ë, because the keyboard has no other
        "می‌خواهم این کتاب‌ها را بخوانم، نمی‌دانم",  # Persian joins with U+200C
        "مَا ذُكِّرُوا بِهِ فَتَحْنَا عَلَيْهِمْ أَبْوَابَ كُلِّ شَيْءٍ",
        "هٰذا الكتـاب جميل جدّا",
        "क्‍ष श्र और ज्ञ हिन्दी में",  # joiners in Devanagari
        "ขอบคุณ\u200bมาก\u200bครับ",  # Thai marks the ends of words
        "Được rồi, tôi nghĩ rằng điều đó không đúng với người nghèo",
        "ðɪs ɪz ˈfəʊnɛtɪk trænsˈkrɪpʃən, [ˈʁaɪ̯nɐ], /ʃtʁaːsə/ ɡɐ̯t",
        "𝑎𝑥² + 𝑏𝑥 + 𝑐 = 0, ∀ε>0 ∃δ>0, x̂ = Σxᵢ/n, f(a, b, c, d), a + b = c, ΔT, µm, kΩ, β-carotene",
        "for (int i = 0; i < n; i++) { a[i] = b[i]; } x = y ? z : w; a_b = c_d",
        "sha256 a16z h264 x86_64 utf8mb4 i18n k8s s3 mp3 RTX4090 B2B 4K covid19 Web3 ISO8859-1",
        "Şu ışıklı köşede çiğ köfte yedik, İstanbul'da",
        "Größe, Straße, Fußgängerübergänge; Za­żółć gęślą jaźń",
        "Bun\u00addes\u00adre\u00adgie\u00adrung und Ver\u00adwal\u00adtung",
        "го\u00adне\u00adний со\u00adвер\u00adша\u00adет\u00adся",
        "ＮＨＫとＳＮＳのＡＰＩは全角で書く。ＪＡＰＡＮ",
        "日 本 語 を 書 く。好 。是",
        "J. R. R. Tolkien, U.S.S.R., S.H.I.E.L.D., q.e.p.d., s.a.m.d., и т. д., a.k.a., e.g., z.B.",
        "a a a a a, ha h a h a h a, I - I - I - I",
        "Ke$ha on tour, $100, C$ 5, 3,000€, user@example.org, @anna_b1 #b4",
        "https://example.com/v1agra?b0nus=a1b2c3 www.a1b2.com/x-y-z-w",
        "Great!Thanks. Ciao!Come stai?Bene",
        "за́мок и замо́к",  # stress
        "Türkçe'ye İngilizce'den 3'üncü, 90'lı yıllar",
        "ɓoye Yorùbá: ẹ̀kọ́ ọ̀rọ̀; Lietuvių: ãčiū̃; Bầu ơi",
        "Δημοσθένης και Alpha Bank, ο Covid19 και η AEK",
        "שָׁלוֹם עֲלֵיכֶם ותודה רבה",
        "안녕하세요 K팝 아이돌과 e스포츠, ㅋㅋㅋㅋ ㅠㅠ",
        "Հայաստանի Facebook-ում",
    ],
)
def test_ordinary_writing_is_never_held(text: str) -> None:
    assert letters_of_kind(disguises(text)).total() < 2, disguises(text)


def test_a_name_of_letters_from_three_alphabets_tells_which() -> None:
    [name] = disguises("PЯINGrαgђ")

    assert name.alphabets == {"Latin", "Cyrillic", "Greek"}


def test_advertisements_in_disguise_are_seen_in_nine_languages() -> None:
    hidden = list(advertisements())
    seen = [each for each in hidden if letters_of_kind(disguises(each.text)).total() > 1]

    assert {each.language for each in hidden} == {
        "en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru"
    }  # fmt: skip
    assert len(seen) >= 0.95 * len(hidden)


@given(st.text(" .-_aBx1é", max_size=12))
def test_the_quick_look_for_words_spelled_out_misses_none(written: str) -> None:
    in_unicode = disguises(f"{written} é")  # outside ASCII nothing is skipped
    assert disguises(written) == tuple(each for each in in_unicode if each.end <= len(written))
