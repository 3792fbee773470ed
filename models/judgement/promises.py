"""An owner's promises about the scores, and the thresholds that keep them on this site. Pure.

"At most 1 in 200 good comments held back" is kept if even the pessimistic end of the exact interval
(Clopper & Pearson 1934) of the share of good comments at or above a threshold is at most 1 in 200,
by the site's own labels. A comment is held back if any score keeps it off the page, temporarily or
for good, so the thresholds of all scores are fitted together. With a promise the machine may also
reject by the spam score.

The good comments among the labels are those that a moderator approved. Most of them were flagged
before, so they are harder than the site's other good comments, and the thresholds are on the
careful side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, exp, lgamma, log, log1p
from typing import Literal, NamedTuple, TypedDict

from models.judgement.policy import Policy
from models.judgement.scores import ABUSE, SCORES, SPAM

LEVEL = 0.95
DIGITS, STEP = 4, 0.0001  # of the probabilities that thresholds are fitted to
NONE = -1.0  # in a list of scores: the model gave none
SURE = 0.9  # below it the machine rejects only to limit the number of reviews


class Interval(NamedTuple):
    """The share `wrong` / `of`, and the ends of its exact interval at `LEVEL`."""

    wrong: int
    of: int
    share: float | None
    low: float
    high: float


class FittedAbuse(NamedTuple):
    """The threshold of the abuse score, the good comments that this score holds by itself, and the
    abusive ones that it finds.
    """

    flag_above: float
    held_back: Interval
    caught: Interval


class Fitted(NamedTuple):
    """The thresholds in force and their origin. Without `reject_above`, Greenroom rejects no
    comment by score.

    The thresholds without a name are those of the spam score; `abuse` has the other one.
    `held_back` are the good comments that any score holds. `why` explains to the owner what
    Greenroom does not do yet.
    """

    flag_above: float
    flag_above_with_hint: float
    reject_above: float | None
    held_back: Interval
    rejected: Interval
    caught: Interval
    reviews_a_day: float | None
    why: tuple[str, ...]
    abuse: FittedAbuse

    def told(self) -> dict[str, object]:
        """Return the JSON form."""
        return _plain(self)


def _plain(value: Fitted | FittedAbuse) -> dict[str, object]:
    told: dict[str, object] = {}
    for name, each in value._asdict().items():
        if isinstance(each, FittedAbuse):
            told[name] = _plain(each)
        else:
            told[name] = each._asdict() if isinstance(each, Interval) else each
    return told


class OtherScores(TypedDict):
    """What the base model of another score says of the same comments, in the same order. None: it
    does not know the language.
    """

    good: list[float | None]
    recent: list[float | None]


class StoredScores(TypedDict, total=False):
    """`Scores` in the form that the row of a site's model stores."""

    good: list[float]
    spam: list[float]
    recent: list[float]
    comments_a_day: float
    good_ids: list[str]
    recent_ids: list[str]
    others: dict[str, OtherScores]


class Scores(NamedTuple):
    """Calibrated probabilities by one model in sorted lists: of the labels, by models that had not
    seen them, and of the newest comments, with how many of them arrive per day.

    `good` are the approved comments, `spam` those that were rejected for what this model scores:
    spam or abuse. `good_ids` and `recent_ids` name the comments in the same order; rows of earlier
    releases have none. `others` are the base models of the other scores.
    """

    good: Sequence[float] = ()
    spam: Sequence[float] = ()
    recent: Sequence[float] = ()
    comments_a_day: float = 0.0
    good_ids: Sequence[str] = ()
    recent_ids: Sequence[str] = ()
    others: Mapping[str, OtherScores] = {}

    @classmethod
    def of(cls, stored: StoredScores) -> Scores:
        """Read stored scores, also those of an older version without some of the fields."""
        return cls(
            good=stored.get("good", ()),
            spam=stored.get("spam", ()),
            recent=stored.get("recent", ()),
            comments_a_day=stored.get("comments_a_day", 0.0),
            good_ids=stored.get("good_ids", ()),
            recent_ids=stored.get("recent_ids", ()),
            others=stored.get("others", {}),
        )


def collected(
    good: Mapping[str, float],
    bad: Iterable[float],
    recent: Mapping[str, float],
    comments_a_day: float,
    others: Mapping[str, Mapping[str, float | None]],
) -> Scores:
    """Return the scores to store with a model: those of the good and of the newest comments by
    comment, and what the base model of each other score says of all of these.
    """
    good, recent = (dict(sorted(each.items(), key=lambda item: item[1])) for each in (good, recent))
    return Scores(
        good=[rounded(score) for score in good.values()],
        spam=[rounded(score) for score in sorted(bad)],
        recent=[rounded(score) for score in recent.values()],
        comments_a_day=comments_a_day,
        good_ids=list(good),
        recent_ids=list(recent),
        others={
            score: {
                "good": [_one_rounded(by.get(comment)) for comment in good],
                "recent": [_one_rounded(by.get(comment)) for comment in recent],
            }
            for score, by in others.items()
        },
    )


def _one_rounded(score: float | None) -> float | None:
    return None if score is None else rounded(score)


def rounded(score: float) -> float:
    """Return the score below 1, so that there is a threshold above it."""
    return round(min(score, 1 - STEP), DIGITS)


class Thresholds(NamedTuple):
    """Of the spam score (also with a hint, and to reject), and of the abuse score."""

    spam: float
    spam_with_hint: float
    reject: float | None
    abuse: float

    @property
    def flag(self) -> dict[str, float]:
        return {SPAM: self.spam, ABUSE: self.abuse}


def keep(policy: Policy, fitted: Fitted | None) -> Policy:
    """Return the policy with the fitted thresholds instead of the manual ones."""
    if fitted is None:
        return policy
    spam = {
        name: getattr(fitted, name)
        for name in ("flag_above", "flag_above_with_hint", "reject_above")
    }
    abuse = {"flag_above": fitted.abuse.flag_above}
    return policy.model_copy(
        update={
            SPAM: policy.spam.model_copy(update=spam),
            ABUSE: policy.abuse.model_copy(update=abuse),
        }
    )


def fit(policy: Policy, scores: Mapping[str, Scores] | None) -> Fitted | None:
    """Return thresholds that keep this policy's promises, or None if it promises nothing and the
    manual thresholds apply.

    `scores` has the site's own models by the name of their score. It is empty or None while the
    site has none.
    """
    promises, known = policy.promises, scores or {}
    if not promises.are_made:
        return None
    good = side_by_side(known, "good")
    by_hand = _by_hand(policy)
    limits, why = _keeping(by_hand, promises.good_held_back_one_in, good, known)
    limits, more = _within_reviews(limits, promises.reviews_a_day, known)
    if promises.good_held_back_one_in is None:
        limits = limits._replace(reject=by_hand.reject)
    labels = {score: known.get(score, Scores()).spam for score in SCORES}
    return Fitted(
        flag_above=limits.spam,
        flag_above_with_hint=limits.spam_with_hint,
        reject_above=limits.reject,
        held_back=interval(good.held(limits.flag), good.comments),
        rejected=_at_or_above(limits.reject, good.by[SPAM]),
        caught=_at_or_above(limits.spam, labels[SPAM]),
        reviews_a_day=_reviews(limits, known),
        why=(*why, *more),
        abuse=FittedAbuse(
            limits.abuse,
            held_back=_at_or_above(limits.abuse, good.by[ABUSE]),
            caught=_at_or_above(limits.abuse, labels[ABUSE]),
        ),
    )


def _by_hand(policy: Policy) -> Thresholds:
    spam, abuse = policy.spam, policy.abuse
    hint = min(spam.flag_above, spam.flag_above_with_hint)
    return Thresholds(spam.flag_above, hint, spam.reject_above, abuse.flag_above)


class SideBySide(NamedTuple):
    """The scores of the same comments: a list for each score, in the same order of the comments.
    `NONE` stands for a score that a model did not give.
    """

    by: Mapping[str, Sequence[float]]
    comments: int

    def held(self, thresholds: Mapping[str, float]) -> int:
        """Count the comments that any of the scores holds."""
        return len(self.which(thresholds))

    def which(self, thresholds: Mapping[str, float]) -> set[int]:
        """Return the positions of the comments that any of the scores holds."""
        return {
            at
            for score, threshold in thresholds.items()
            for at, value in enumerate(self.by[score])
            if value >= threshold
        }


def side_by_side(known: Mapping[str, Scores], which: Literal["good", "recent"]) -> SideBySide:
    """Join the scores of the site's models by comment, and use the base model for a score without
    a model of its own.

    Models that learned at different times have not seen all the same comments. Only comments with
    all scores count. If there are none, because an earlier release stored no ids, each score counts
    as if the others held none of its comments, so the thresholds are on the careful side.
    """
    columns = {score: _by_comment(each, score, which) for score, each in known.items()}
    for own in known.values():
        for score, other in own.others.items():
            if score not in columns:
                columns[score] = dict(zip(getattr(own, f"{which}_ids"), other[which], strict=True))
    if not columns:
        return SideBySide(dict.fromkeys(SCORES, ()), 0)
    shared = set.intersection(*(set(column) for column in columns.values()))
    comments = sorted(shared or set.union(*(set(column) for column in columns.values())))
    by = {
        score: [_or_none(columns.get(score, {}).get(comment)) for comment in comments]
        for score in SCORES
    }
    count = len(shared) or max(len(column) for column in columns.values())
    return SideBySide(by, count)


def _by_comment(
    scores: Scores, score: str, which: Literal["good", "recent"]
) -> dict[str, float | None]:
    values = scores.good if which == "good" else scores.recent
    ids = scores.good_ids if which == "good" else scores.recent_ids
    return dict(zip(ids or [f"{score} {at}" for at in range(len(values))], values, strict=True))


def _or_none(value: float | None) -> float:
    return NONE if value is None else value


def _keeping(
    by_hand: Thresholds, one_in: int | None, good: SideBySide, known: Mapping[str, Scores]
) -> tuple[Thresholds, tuple[str, ...]]:
    """Raise the thresholds until all scores together hold at most 1 in N good comments."""
    off = by_hand._replace(reject=None)
    if one_in is None:
        why = "automatic rejection is off: no limit is set for good comments held back"
        return off, (why,) if by_hand.reject is None else ()
    if not known:
        why = "automatic rejection is off: this site does not have its own model yet"
        return off, (why,)
    allowed = most_allowed(good.comments, one_in)
    if allowed is None:
        few = (
            f"it needs {fewest(one_in):,} good comments to keep the limit of 1 in {one_in}, "
            f"and {good.comments} have been decided"
        )
        return off, (f"automatic rejection is off: {few}",)
    lowest = _common_tail(good, {SPAM: by_hand.spam_with_hint, ABUSE: by_hand.abuse}, allowed)
    spam = max(by_hand.spam, lowest[SPAM])
    reject = max(spam, SURE) if SPAM in known else None
    hint = max(by_hand.spam_with_hint, lowest[SPAM])
    return Thresholds(spam, hint, reject, max(by_hand.abuse, lowest[ABUSE])), ()


def _common_tail(
    good: SideBySide, floors: Mapping[str, float], allowed: int
) -> Mapping[str, float]:
    """Return thresholds, none below its floor, with at most this many good comments at or above any
    of them.

    Every score may hold equally many good comments by itself. This finds the largest such number
    with which all of them together still hold at most `allowed`, by halving.
    """
    ordered = {score: sorted(values) for score, values in good.by.items()}

    def thresholds(each: int) -> dict[str, float]:
        return {
            score: max(floors[score], _just_above(values, each))
            for score, values in ordered.items()
        }

    low, high = 0, good.comments
    while low < high:
        middle = (low + high + 1) // 2
        is_kept = good.held(thresholds(middle)) <= allowed
        low, high = (middle, high) if is_kept else (low, middle - 1)
    return thresholds(low)


def _within_reviews(
    limits: Thresholds, most: int | None, known: Mapping[str, Scores]
) -> tuple[Thresholds, tuple[str, ...]]:
    """If the scores would send more comments to review than the owner wants to read, reject the
    most certain spam, or let the least certain ones pass. Nearly certain spam never passes because
    of this limit, and no abuse does.
    """
    expected = _reviews(limits, known)
    if most is None or expected is None or expected <= most:
        return limits, ()
    if limits.reject is not None:
        recent = side_by_side(known, "recent")
        room = int(most / _a_day(known) * recent.comments)
        spam = sorted(score for score in recent.by[SPAM] if score >= limits.spam)
        left = max(0, room - recent.held(limits.flag) + len(spam))  # after what only abuse holds
        if left < len(spam):
            limits = limits._replace(reject=max(limits.spam, spam[left]))
        expected = _reviews(limits, known) or 0.0
    if expected <= most:
        return limits, ()
    return limits, (f"expect about {expected:.0f} reviews a day, more than your limit of {most}",)


def _reviews(limits: Thresholds, known: Mapping[str, Scores]) -> float | None:
    """Return how many comments a day the scores alone would send to a human."""
    recent = side_by_side(known, "recent")
    if not recent.comments:
        return None
    held = recent.which(limits.flag)
    if limits.reject is not None:
        held -= recent.which({SPAM: limits.reject})
    return round(len(held) / recent.comments * _a_day(known), 1)


def _a_day(known: Mapping[str, Scores]) -> float:
    return max(each.comments_a_day for each in known.values())


def _at_or_above(threshold: float | None, scores: Sequence[float]) -> Interval:
    count = 0 if threshold is None else sum(score >= threshold for score in scores)
    return interval(count, sum(score != NONE for score in scores))


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
