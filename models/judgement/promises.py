"""What an owner asks of the spam score in their own words, and the thresholds that keep it on this
site. Pure.

"At most 1 in 200 good comments held back" is kept when, by the site's own labels, even the
pessimistic end of the exact interval (Clopper & Pearson 1934) of the share of good comments at or
above the threshold is not above 1 in 200. Held back is what the score keeps off the page, for a
human or for good; so only then may the machine reject by itself.

The good comments among the labels are those a moderator approved. Most of them were flagged before,
so they are harder than the site's good comments are on the whole, and the thresholds err to the
careful side.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil, exp, lgamma, log, log1p
from typing import NamedTuple, TypedDict

from models.judgement.policy import Policy, SpamPolicy

LEVEL = 0.95
DIGITS, STEP = 4, 0.0001  # of the probabilities that thresholds are fitted from
SURE = 0.9  # below it the machine rejects only to keep the reviews to their number


class Interval(NamedTuple):
    """`wrong` of `of`, as a share, and the ends of its exact interval at `LEVEL`."""

    wrong: int
    of: int
    share: float | None
    low: float
    high: float


class Fitted(NamedTuple):
    """The thresholds in force and what they come from; `reject_above` None: the machine rejects
    nothing by its score.

    `why` says what was not done, or not yet, in words for the owner.
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
        """As JSON tells it."""
        return {name: _plain(value) for name, value in self._asdict().items()}


def _plain(value: object) -> object:
    return value._asdict() if isinstance(value, Interval) else value


class StoredScores(TypedDict, total=False):
    """`Scores` as the row of a site's model holds them."""

    good: list[float]
    spam: list[float]
    recent: list[float]
    comments_a_day: float


class Scores(NamedTuple):
    """Calibrated probabilities, each list sorted: of the labels, by models that had not seen them,
    and of the newest comments, of which so many come in a day.
    """

    good: Sequence[float] = ()
    spam: Sequence[float] = ()
    recent: Sequence[float] = ()
    comments_a_day: float = 0.0

    @classmethod
    def of(cls, stored: StoredScores) -> Scores:
        """Also of scores that an older version stored, without some of the fields."""
        return cls(
            good=stored.get("good", ()),
            spam=stored.get("spam", ()),
            recent=stored.get("recent", ()),
            comments_a_day=stored.get("comments_a_day", 0.0),
        )


def keep(policy: Policy, fitted: Fitted | None) -> Policy:
    """The policy with the fitted thresholds in the place of those set by hand."""
    if fitted is None:
        return policy
    thresholds = {
        name: getattr(fitted, name)
        for name in ("flag_above", "flag_above_with_hint", "reject_above")
    }
    return policy.model_copy(update={"spam": policy.spam.model_copy(update=thresholds)})


def fit(policy: Policy, scores: Scores | None) -> Fitted | None:
    """Thresholds for what this policy promises; None where it promises nothing and those set by
    hand count.

    `scores` are None while the site has no model of its own.
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
        return (
            flag,
            hint,
            None,
            ("automatic rejection is off: there is no limit for good comments held back",),
        )
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
            f"{len(scores.good)} good comments are decided, but {fewest(one_in):,} are needed "
            "to promise"
        )
        return flag, hint, None, (f"automatic rejection is off: {few} 1 in {one_in}",)
    lowest = _just_above(scores.good, allowed)
    flag, hint = max(flag, lowest), max(hint, lowest)
    return flag, hint, max(flag, SURE), ()


def _within_reviews(
    flag: float, hint: float, reject: float | None, most: int | None, scores: Scores
) -> tuple[float, float, float | None, tuple[str, ...]]:
    """Where more would come than the owner wants to read, the surest of them are rejected, or
    nobody is asked about the least sure ones; but what is nearly certain spam is never let through
    for that.
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
    """How many comments a day the score alone would send to a human."""
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
    """The lowest threshold with no more than so many good comments at or above it."""
    if allowed >= len(good):
        return 0.0
    return round(good[-1 - allowed] + STEP, DIGITS)


# The exact binomial interval. scipy has it too, for 40 MB in a web process that shows the
# thresholds.


def interval(count: int, of: int) -> Interval:
    """Clopper and Pearson's, at `LEVEL`."""
    if not of:
        return Interval(0, 0, None, 0.0, 1.0)
    low = 1 - _upper(of - count, of)
    return Interval(count, of, round(count / of, 5), round(low, 5), round(_upper(count, of), 5))


def most_allowed(of: int, one_in: int) -> int | None:
    """How many of so many may be wrong for the interval to stay within 1 in N; None if not even
    none is enough.
    """
    if of < fewest(one_in):
        return None
    low, high = 0, of // one_in + 1  # the interval's end is never below the share itself
    while low < high - 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _upper(middle, of) <= 1 / one_in else (low, middle)
    return low


def fewest(one_in: int) -> int:
    """How many must be seen, none of them wrong, to be sure of 1 in N."""
    return ceil(log((1 - LEVEL) / 2) / log1p(-1 / one_in))


def _upper(count: int, of: int) -> float:
    """The share at which so few, or fewer, would be seen with a probability of only (1 - LEVEL) /
    2.
    """
    if count >= of:
        return 1.0
    low, high = count / of, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if _at_most(count, of, middle) > (1 - LEVEL) / 2:
            low = middle
        else:
            high = middle
    return high


def _at_most(count: int, of: int, share: float) -> float:
    """P(X ≤ count) of a binomial: from its last term downwards, each the one before
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
