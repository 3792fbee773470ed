"""An owner's promises about the spam score, and the thresholds that keep them on this site. Pure.

"At most 1 in 200 good comments held back" is kept if even the pessimistic end of the exact interval
(Clopper & Pearson 1934) of the share of good comments at or above the threshold is at most 1 in
200, by the site's own labels. A comment is held back if its score keeps it off the page,
temporarily or for good. So with a promise the machine may also reject by the score.

The good comments among the labels are those that a moderator approved. Most of them were flagged
before, so they are harder than the site's other good comments, and the thresholds are on the
careful side.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil, exp, lgamma, log, log1p
from typing import NamedTuple, TypedDict

from models.judgement.policy import Policy, SpamPolicy

LEVEL = 0.95
DIGITS, STEP = 4, 0.0001  # of the probabilities that thresholds are fitted to
SURE = 0.9  # below it the machine rejects only to limit the number of reviews


class Interval(NamedTuple):
    """The share `wrong` / `of`, and the ends of its exact interval at `LEVEL`."""

    wrong: int
    of: int
    share: float | None
    low: float
    high: float


class Fitted(NamedTuple):
    """The thresholds in force and their origin. Without `reject_above`, Greenroom rejects no
    comment by score.

    `why` explains to the owner what Greenroom does not do yet.
    """

    flag_above: float
    flag_above_with_hint: float
    reject_above: float | None
    held_back: Interval
    rejected: Interval
    caught: Interval
    reviews_a_day: float | None
    why: tuple[str, ...]

    def told(self) -> dict[str, object]:
        """Return the JSON form."""
        return {name: _plain(value) for name, value in self._asdict().items()}


def _plain(value: object) -> object:
    return value._asdict() if isinstance(value, Interval) else value


class StoredScores(TypedDict, total=False):
    """`Scores` in the form that the row of a site's model stores."""

    good: list[float]
    spam: list[float]
    recent: list[float]
    comments_a_day: float


class Scores(NamedTuple):
    """Calibrated probabilities in sorted lists: of the labels, by models that had not seen them,
    and of the newest comments, with how many of them arrive per day.
    """

    good: Sequence[float] = ()
    spam: Sequence[float] = ()
    recent: Sequence[float] = ()
    comments_a_day: float = 0.0

    @classmethod
    def of(cls, stored: StoredScores) -> Scores:
        """Read stored scores, also those of an older version without some of the fields."""
        return cls(
            good=stored.get("good", ()),
            spam=stored.get("spam", ()),
            recent=stored.get("recent", ()),
            comments_a_day=stored.get("comments_a_day", 0.0),
        )


def keep(policy: Policy, fitted: Fitted | None) -> Policy:
    """Return the policy with the fitted thresholds instead of the manual ones."""
    if fitted is None:
        return policy
    thresholds = {
        name: getattr(fitted, name)
        for name in ("flag_above", "flag_above_with_hint", "reject_above")
    }
    return policy.model_copy(update={"spam": policy.spam.model_copy(update=thresholds)})


def fit(policy: Policy, scores: Scores | None) -> Fitted | None:
    """Return thresholds that keep this policy's promises, or None if it promises nothing and the
    manual thresholds apply.

    `scores` is None while the site has no model of its own.
    """
    promises = policy.promises
    if promises.good_held_back_one_in is None and promises.reviews_a_day is None:
        return None
    known = scores or Scores()
    flag, hint, reject, why = _thresholds(
        policy.spam, promises.good_held_back_one_in, known, has_model=bool(scores)
    )
    flag, hint, reject, more = _within_reviews(flag, hint, reject, promises.reviews_a_day, known)
    if promises.good_held_back_one_in is None:
        reject = policy.spam.reject_above
    return Fitted(
        flag_above=flag,
        flag_above_with_hint=hint,
        reject_above=reject,
        held_back=_at_or_above(flag, known.good),
        rejected=_at_or_above(reject, known.good),
        caught=_at_or_above(flag, known.spam),
        reviews_a_day=_reviews(flag, reject, known),
        why=(*why, *more),
    )


def _thresholds(
    by_hand: SpamPolicy, one_in: int | None, scores: Scores, *, has_model: bool
) -> tuple[float, float, float | None, tuple[str, ...]]:
    flag, hint = by_hand.flag_above, min(by_hand.flag_above, by_hand.flag_above_with_hint)
    if one_in is None:
        off = "automatic rejection is off: no limit is set for good comments held back"
        return flag, hint, None, (off,) if by_hand.reject_above is None else ()
    if not has_model:
        return (
            flag,
            hint,
            None,
            ("automatic rejection is off: this site does not have its own model yet",),
        )
    allowed = most_allowed(len(scores.good), one_in)
    if allowed is None:
        few = (
            f"it needs {fewest(one_in):,} good comments to keep the limit of 1 in {one_in}, "
            f"and {len(scores.good)} have been decided"
        )
        return flag, hint, None, (f"automatic rejection is off: {few}",)
    lowest = _just_above(scores.good, allowed)
    flag, hint = max(flag, lowest), max(hint, lowest)
    return flag, hint, max(flag, SURE), ()


def _within_reviews(
    flag: float, hint: float, reject: float | None, most: int | None, scores: Scores
) -> tuple[float, float, float | None, tuple[str, ...]]:
    """If the score would send more comments to review than the owner wants to read, reject the most
    certain ones, or let the least certain ones pass. Nearly certain spam never passes because of
    this limit.
    """
    expected = _reviews(flag, reject, scores)
    if most is None or expected is None or expected <= most:
        return flag, hint, reject, ()
    room = int(most / scores.comments_a_day * len(scores.recent))
    first = bisect_left(scores.recent, flag)
    if reject is not None:
        return flag, hint, max(flag, scores.recent[first + room]), ()
    return (
        flag,
        hint,
        reject,
        (f"expect about {expected:.0f} reviews a day, more than your limit of {most}",),
    )


def _reviews(flag: float, reject: float | None, scores: Scores) -> float | None:
    """Return how many comments a day the score alone would send to a human."""
    if not scores.recent:
        return None
    end = len(scores.recent) if reject is None else bisect_left(scores.recent, reject)
    band = max(0, end - bisect_left(scores.recent, flag))
    return round(band / len(scores.recent) * scores.comments_a_day, 1)


def _at_or_above(threshold: float | None, scores: Sequence[float]) -> Interval:
    return interval(
        0 if threshold is None else len(scores) - bisect_left(scores, threshold), len(scores)
    )


def _just_above(good: Sequence[float], allowed: int) -> float:
    """Return the lowest threshold with at most this many good comments at or above it."""
    if allowed >= len(good):
        return 0.0
    return round(good[-1 - allowed] + STEP, DIGITS)


# The exact binomial interval. scipy has it, too, but would add 40 MB to a web process that shows
# the thresholds.


def interval(count: int, of: int, level: float = LEVEL) -> Interval:
    """Return the interval of Clopper and Pearson."""
    if not of:
        return Interval(0, 0, None, 0.0, 1.0)
    low, high = 1 - _upper(of - count, of, level), _upper(count, of, level)
    return Interval(count, of, round(count / of, 5), round(low, 5), round(high, 5))


def most_allowed(of: int, one_in: int) -> int | None:
    """Return how many of `of` may be wrong for the interval to stay within 1 in N; None if even 0
    is too many.
    """
    if of < fewest(one_in):
        return None
    low, high = 0, of // one_in + 1  # the interval's end is never below the share itself
    while low < high - 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _upper(middle, of) <= 1 / one_in else (low, middle)
    return low


def fewest(one_in: int) -> int:
    """Return how many must be seen, none of them wrong, to be sure of 1 in N."""
    return ceil(log((1 - LEVEL) / 2) / log1p(-1 / one_in))


def _upper(count: int, of: int, level: float = LEVEL) -> float:
    """Return the share at which this count or a lower one has a probability of only (1 - level) /
    2.
    """
    if count >= of:
        return 1.0
    low, high = count / of, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if _at_most(count, of, middle) > (1 - level) / 2:
            low = middle
        else:
            high = middle
    return high


def _at_most(count: int, of: int, share: float) -> float:
    """Return P(X ≤ count) of a binomial, from its last term downwards: each term is the next one
    times a ratio.
    """
    if not 0 < share < 1:
        return 1.0 if share <= 0 else 0.0
    ways = lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)
    term = total = exp(ways + count * log(share) + (of - count) * log1p(-share))
    for taken in range(count, 0, -1):
        term *= taken / (of - taken + 1) * (1 - share) / share
        total += term
        if term < total * 1e-12:
            break
    return total
