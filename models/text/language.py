"""Detect the language of a comment. Return "und" rather than a guess."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from unicodedata import name

from lingua import Language, LanguageDetector, LanguageDetectorBuilder

UNSURE = "und"

# One language per script, or one that is by far the most written. Latin, Cyrillic and Arabic
# letters need a closer look.
_BY_SCRIPT = {
    "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "HEBREW": "he", "GREEK": "el",
    "THAI": "th", "ARMENIAN": "hy", "GEORGIAN": "ka", "DEVANAGARI": "hi", "BENGALI": "bn",
    "TAMIL": "ta", "TELUGU": "te", "GUJARATI": "gu", "GURMUKHI": "pa", "KANNADA": "kn",
    "MALAYALAM": "ml", "SINHALA": "si", "ETHIOPIC": "am", "KHMER": "km", "LAO": "lo",
    "MYANMAR": "my",
}  # fmt: skip

# Each language costs about two megabytes, and makes the detector less certain about the others.
# These are the most written on the web. Low accuracy mode looks only at three letters at a time,
# not at one to five, and needs far less memory.
_TOLD_APART = (
    Language.ENGLISH, Language.GERMAN, Language.FRENCH, Language.SPANISH, Language.PORTUGUESE,
    Language.ITALIAN, Language.DUTCH, Language.POLISH, Language.CZECH, Language.SWEDISH,
    Language.DANISH, Language.BOKMAL, Language.FINNISH, Language.HUNGARIAN, Language.ROMANIAN,
    Language.TURKISH, Language.VIETNAMESE, Language.INDONESIAN, Language.CROATIAN, Language.RUSSIAN,
    Language.UKRAINIAN, Language.BULGARIAN, Language.ARABIC, Language.PERSIAN,
)  # fmt: skip

# Comments are short and badly spelled, and to statistics of letters "lol check this" is Danish.
# These words are common in English and in no other language above.
_ENGLISH = {
    "the", "you", "this", "and", "that", "your", "you're", "have", "with", "what", "they", "from",
    "please", "who", "when", "would", "check", "out", "just", "like", "love", "it", "it's", "i",
    "i'm", "i'll", "i've", "don't", "can't", "didn't", "isn't", "doesn't", "that's", "she", "his",
    "their", "there", "were", "could", "should", "about", "because", "how", "why", "where", "which",
    "than", "think", "know", "people", "video", "channel", "song", "guys", "thanks", "thank",
    "nice", "good", "great", "really", "never", "always", "much", "more", "some", "only", "every",
    "make", "get", "got", "going", "need", "look", "watch", "subscribe", "lol",
}  # fmt: skip
_ENOUGH = 250  # characters; reading more is slower, and no more certain
_NO_PROSE = re.compile(
    r"(?:https?://|www\.)\S+|[@#]\w+|\S+\.(?:com|net|org|ru)\S*|&\w{1,8};|<[^<>]{1,200}>"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def detect(texts: Sequence[str]) -> list[str]:
    """Return the ISO 639-1 code of each text, or "und" if it is too short, mixed, or nothing but
    links and emoji.
    """
    return [_detect(text) for text in texts]


def _detect(text: str) -> str:
    prose = _NO_PROSE.sub(" ", text[:_ENOUGH])
    if prose.isascii():
        return _latin(prose, letters) if (letters := sum(map(str.isalpha, prose))) else UNSURE
    scripts = Counter(map(_script, filter(str.isalpha, prose)))
    if not scripts:
        return UNSURE
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0 and scripts["CJK"] > 0:
        scripts["HIRAGANA"] += scripts.pop("CJK")
    script, letters = scripts.most_common(1)[0]
    if letters < 0.6 * scripts.total():
        return UNSURE
    if script in _BY_SCRIPT:
        return _BY_SCRIPT[script]
    return _latin(prose, letters) if script == "LATIN" else _other(prose, letters)


@lru_cache(2**12)
def _script(letter: str) -> str:
    return name(letter, "").split(" ")[0].split("-")[0]


def _latin(prose: str, letters: int) -> str:
    """Detect English with little evidence, and another language only with good evidence."""
    english = _english(prose)
    if english >= 0.3:
        return "en"
    code, confidence = _likeliest(prose)
    if code == "en":
        return code if confidence >= 0.5 else UNSURE
    return code if confidence >= 0.9 and letters >= 20 and english < 0.1 else UNSURE


def _english(prose: str) -> float:
    """Return the share of words that only English has."""
    words = _WORD.findall(prose.lower().replace("’", "'"))
    return sum(word in _ENGLISH for word in words) / max(1, len(words))


def _other(prose: str, letters: int) -> str:
    """Detect the language of Cyrillic and Arabic texts: these letters leave few languages to choose
    from.
    """
    code, confidence = _likeliest(prose)
    return code if confidence >= 0.8 and letters >= 8 else UNSURE


def _likeliest(prose: str) -> tuple[str, float]:
    best = _detector().compute_language_confidence_values(prose)[0]
    return best.language.iso_code_639_1.name.lower(), best.value


@cache
def _detector() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(*_TOLD_APART).with_low_accuracy_mode().build()
