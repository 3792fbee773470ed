"""The base model's opinion, where it has one: of a language it never read it has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.spam.model import SpamModel
from models.spam.page import Context


def has_one(base: SpamModel, language: str) -> bool:
    return language in {"", "und"} or language in base.languages | base.acquainted


def opinions(
    base: SpamModel, comments: Sequence[tuple[str, str]], site: Context
) -> list[float | None]:
    """Log-odds of each (text, language) on that site; None where the language is known and none of
    the model's.
    """
    judged = [has_one(base, language) for _, language in comments]
    texts = [text for (text, _), is_judged in zip(comments, judged, strict=True) if is_judged]
    scores: Iterator[float] = iter(
        map(float, base.log_odds(texts, [site] * len(texts))) if texts else ()
    )
    return [next(scores) if is_judged else None for is_judged in judged]
