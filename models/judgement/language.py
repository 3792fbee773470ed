"""Check the language of a comment. It counts against no comment, unless the owner wants to read
every comment in it first: moderators want to know it, and the models need it.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.judgement.candidate import Candidate
from models.judgement.evidence import READ_FIRST, Evidence, Outcome

# English names by ISO 639-1 code: the languages that Greenroom's detector knows, and a few that
# imported comments have.
_NAMES = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian",
    "bg": "Bulgarian", "bn": "Bengali", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech",
    "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "ga": "Irish", "gl": "Galician", "gu": "Gujarati",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian",
    "id": "Indonesian", "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian",
    "kk": "Kazakh", "km": "Khmer", "kn": "Kannada", "ko": "Korean", "la": "Latin", "lg": "Ganda",
    "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian", "mi": "Maori", "mk": "Macedonian",
    "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay", "my": "Burmese",
    "nb": "Norwegian", "ne": "Nepali", "nl": "Dutch", "nn": "Norwegian", "no": "Norwegian",
    "pa": "Punjabi", "pl": "Polish", "ps": "Pashto", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "si": "Sinhala", "sk": "Slovak", "sl": "Slovene", "sn": "Shona",
    "so": "Somali", "sq": "Albanian", "sr": "Serbian", "st": "Sotho", "sv": "Swedish",
    "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tn": "Tswana",
    "tr": "Turkish", "ts": "Tsonga", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese",
    "xh": "Xhosa", "yo": "Yoruba", "zh": "Chinese", "zu": "Zulu",
}  # fmt: skip


def name_of(code: str) -> str:
    """Return the language's English name, or its code if we have none."""
    return _NAMES.get(code, code)


def check(batch: Sequence[Candidate]) -> list[Evidence]:
    return [_evidence(candidate) for candidate in batch]


def _evidence(candidate: Candidate) -> Evidence:
    code = candidate.language
    if code in candidate.policy.abuse.first_in_languages:
        why = f"this site reviews every comment in {name_of(code)} before publishing it"
        return Evidence("language", Outcome.FOUND, name_of(code), found={READ_FIRST: why})
    return Evidence("language", Outcome.CLEAR, _detail(code))


def _detail(code: str) -> str:
    return "could not tell the language" if code == "und" else name_of(code)
