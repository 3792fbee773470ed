"""The blind sample: automatic decisions that a human reviews without seeing them, to measure the
error rates of all automatic decisions.
"""

from __future__ import annotations

from models.records import Review
from models.store.secrets import keyed_hash

# A teaching pick is blind, too, but is not drawn by chance.
IN_THE_SAMPLE = Review.blind & Review.cause.in_(("sampled", "flagged"))


def is_sampled(comment_id: str, share: float, decided: int) -> bool:
    """Whether the comment is in the sample. The answer is always the same for a comment, and nobody
    outside can predict it.

    `decided` is roughly how many comments the site has settled. No comment is sampled until that
    many would hold one sampled comment on average.
    """
    if share <= 0 or decided < 1 / share - 1:
        return False
    return draw_of(comment_id) < share


def draw_of(comment_id: str) -> float:
    """Return the comment's number in 0–1. A sample with a larger share has all comments of a sample
    with a smaller one, and more.
    """
    return int(keyed_hash("blind sample", comment_id)[:13], 16) / 16**13
