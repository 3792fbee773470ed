"""The base model's opinion of comments. It has none in a language that it never learned."""

from __future__ import annotations

from collections.abc import Sequence

from models.classifier.model import LinearModel
from models.classifier.place import Place


def can_judge(base: LinearModel, language: str) -> bool:
    """Whether the base model learned this language. It also judges texts of unknown language."""
    if language in {"", "und"}:
        return True
    return language in base.languages or language in base.acquainted


def opinions(
    base: LinearModel, comments: Sequence[tuple[str, str]], site: Place
) -> list[float | None]:
    """Return the log-odds of each (text, language) on that site, or None if the base model cannot
    judge the language.
    """
    judged = [number for number, (_, language) in enumerate(comments) if can_judge(base, language)]
    found: list[float | None] = [None] * len(comments)
    if judged:
        texts = [comments[number][0] for number in judged]
        languages = [comments[number][1] for number in judged]
        scores = base.log_odds(texts, [site] * len(texts), languages)
        for number, score in zip(judged, scores.tolist(), strict=True):
            found[number] = score
    return found
