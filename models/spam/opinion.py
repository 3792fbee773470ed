"""The base model's opinion, where it has one: of a language it never learned it has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.spam.model import SpamModel


def opinions(base: SpamModel, comments: Sequence[tuple[str, str]]) -> list[float | None]:
    """Log-odds of each (text, language); None where the language is known and none of the model's."""
    judged = [language in {"", "und"} or language in base.languages for _, language in comments]
    texts = [text for (text, _), is_judged in zip(comments, judged, strict=True) if is_judged]
    scores: Iterator[float] = iter(map(float, base.log_odds(texts)) if texts else ())
    return [next(scores) if is_judged else None for is_judged in judged]
