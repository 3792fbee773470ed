"""Check for letters in disguise: look-alikes of other alphabets, decorative alphabets, words
spelled letter by letter, and signs, marks or invisible characters inside words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.text.disguise import (
    FANCY,
    LOOK_ALIKES,
    MARKS,
    SIGNS,
    SPELLED_OUT,
    UNSEEN,
    Disguise,
    disguises,
    letters_of_kind,
)

_Sentence: TypeAlias = Callable[[int, Sequence[Disguise]], str]

LETTERS = "letters"  # the count of all disguised letters, which the policy compares


def check(batch: Sequence[Candidate]) -> list[Evidence]:
    """Check the batch. `score` and `counts["letters"]` are the number of disguised letters, and the
    other counts those of each kind.
    """
    return [_evidence(candidate) for candidate in batch]


def _evidence(candidate: Candidate) -> Evidence:
    found = disguises(candidate.body)
    letters = letters_of_kind(found)
    if not letters:
        return Evidence(check="disguise", outcome=Outcome.CLEAR, detail="no letters in disguise")
    sentences = {kind: _SENTENCES[kind](count, found) for kind, count in letters.items()}
    return Evidence(
        check="disguise",
        outcome=Outcome.FOUND,
        detail="; ".join(sentences.values()),
        score=float(letters.total()),
        found=sentences,
        counts={LETTERS: letters.total(), **letters},
    )


def _of_look_alikes(letters: int, found: Sequence[Disguise]) -> str:
    alphabets = frozenset[str]().union(*(each.alphabets for each in found))
    noun = "look-alike" if letters == 1 else "look-alikes"
    return f"letters from {len(alphabets)} alphabets inside words, {letters} {noun}"


def _counted(one: str, many: str) -> _Sentence:
    return lambda letters, _: f"{letters} {one if letters == 1 else many}"


_SENTENCES: Mapping[str, _Sentence] = {
    LOOK_ALIKES: _of_look_alikes,
    FANCY: _counted("letter of a decorative alphabet", "letters of decorative alphabets"),
    SPELLED_OUT: _counted("letter", "letters of words spelled letter by letter"),
    SIGNS: _counted(
        "digit or symbol in place of a letter", "digits or symbols in place of letters"
    ),
    UNSEEN: _counted("invisible character inside a word", "invisible characters inside words"),
    MARKS: _counted(
        "letter with marks that no language uses", "letters with marks that no language uses"
    ),
}
