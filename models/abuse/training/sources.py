"""The labelled comments of others that the abuse model learns from: `toxicity/*.csv`.

Each file has its own columns for the kinds of abuse. All English news comments get the form of
`civil_wiki_normalised_en`, which is in lower case and without punctuation: otherwise case alone
would tell its good comments from the toxic ones of the other files.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from models.classifier.training.corpus import BadCorpus, Row

KINDS = ("insult", "threat", "identity_attack", "profanity", "sexual")

Columns: TypeAlias = Mapping[str, str]
_NOTHING: frozenset[str] = frozenset()
# Many votes of the raters in these columns of Civil Comments mean these kinds.
_VOTES = {
    "raters_insult": "insult",
    "raters_profane": "profanity",
    "raters_identity_attack": "identity_attack",
    "raters_threat": "threat",
}
_FLAGS = {
    "obscene": "profanity",
    "threat": "threat",
    "insult": "insult",
    "identity_hate": "identity_attack",
}
_ROMANIAN = {
    "insult": "insult",
    "profanity": "profanity",
    "racist": "identity_attack",
    "homophobic": "identity_attack",
    "sexist": "identity_attack",
}
_KOREAN = {
    "origin": "identity_attack",
    "race": "identity_attack",
    "gender": "identity_attack",
    "religion": "identity_attack",
    "age": "identity_attack",
    "physical": "insult",
    "profanity": "profanity",
}
_HATED = ("lgbtphobia", "racism", "religious_intolerance", "misogyny", "xenophobia", "capacitism")
# Files of one family are balanced together: some of them have hardly any, or only, toxic comments.
_NEWS = "civil_en"
_FAMILIES = {
    "civil_toxic_spans_en": _NEWS,
    "civil_marco_toxic_en": _NEWS,
    "civil_wiki_normalised_en": _NEWS,
    "wiki_talk_context_en": "wiki_talk_en",
}
_NOT_TOLD = re.compile(r"\[email\]|\ufeff")
_APOSTROPHES, _PUNCTUATION = re.compile("['’]"), re.compile(r"[^\w\s]|_")


def read(paths: Iterable[Path]) -> list[Row]:
    """Return the rows of all files but those whose raters disagreed. Raises BadCorpus."""
    return [row for path in paths for row in _rows(path)]


def normalised_like_news(text: str) -> str:
    """Return a text in the form of `civil_wiki_normalised_en`."""
    return _PUNCTUATION.sub(" ", _APOSTROPHES.sub("", text.lower()))


def family(source: str) -> str:
    """Return the name of the sources that are balanced together with this one."""
    return _FAMILIES.get(source, source)


def _rows(path: Path) -> Iterator[Row]:
    is_news = family(path.stem) == _NEWS
    with path.open(encoding="utf-8-sig", newline="") as file:
        for columns in csv.DictReader(file):
            text = _NOT_TOLD.sub(" ", columns["text"]).strip()
            if columns.get("disputed") == "1" or not text:
                continue
            if columns["label"] not in {"toxic", "ok"}:
                raise BadCorpus(f"{path}: the label is {columns['label']!r}, not toxic or ok")
            yield Row(
                text=normalised_like_news(text) if is_news else text,
                spam=columns["label"] == "toxic",
                thread="",
                lang=columns["lang"],
                source=_source(path, columns),
                kinds=_kinds(path.stem, columns),
            )


def _source(path: Path, columns: Columns) -> str:
    """Return the file's name. The Wikipedia talk in the news comments is no news."""
    is_talk = columns.get("source") == "wikipedia"
    return f"{path.stem} (talk)" if is_talk else path.stem


def _kinds(source: str, columns: Columns) -> frozenset[str] | None:
    """Return the kinds of abuse that the file names, or None if it does not say."""
    if columns["label"] == "ok":
        return _NOTHING
    reader = _READERS.get(source)
    return reader(columns) if reader else None


def _by_votes(columns: Columns) -> frozenset[str] | None:
    """A kind counts with half of the votes."""
    raters = int(columns["raters"])
    return frozenset(kind for name, kind in _VOTES.items() if 2 * int(columns[name]) >= raters)


def _by_flags(columns: Columns) -> frozenset[str] | None:
    if not columns["insult"]:
        return None
    return frozenset(kind for name, kind in _FLAGS.items() if columns[name] == "1")


def _by_name(name: str, meaning: Mapping[str, str]) -> Callable[[Columns], frozenset[str] | None]:
    def kinds(columns: Columns) -> frozenset[str] | None:
        found = {
            meaning[value] for value in re.split(r"[;,| ]+", columns[name]) if value in meaning
        }
        return frozenset(found) or None

    return kinds


def _by_hate(columns: Columns) -> frozenset[str] | None:
    is_hate = any(columns[name] == "1" for name in _HATED)
    return frozenset({"identity_attack"}) if is_hate else None


def _always_identity(columns: Columns) -> frozenset[str] | None:
    return frozenset({"identity_attack"})


_READERS: dict[str, Callable[[Columns], frozenset[str] | None]] = {
    "civil_toxic_spans_en": _by_votes,
    "wiki_talk_en": _by_flags,
    "news_ro_offense_ro": _by_name("kind", _ROMANIAN),
    "ro_offense_ro": _by_name("kind", _ROMANIAN),
    "kmhas_ko": _by_name("classes", _KOREAN),
    "suomi24_fi": _by_name(
        "attribute",
        {
            "insult": "insult",
            "threat": "threat",
            "identity_attack": "identity_attack",
            "obscene": "profanity",
        },
    ),
    "tupy_pt": _by_hate,
    "cold_zh": _always_identity,
}
