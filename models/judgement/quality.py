"""How good a site's automatic decisions are: the estimators and their exact intervals. Pure.

Greenroom puts every comment into one of three groups before a human judges it: *live* (approved),
*held* (flagged, it waits for a human) and *rejected*. N is the number of comments in a group, n how
many of them humans have judged, k how many of those judgements contradict the machine.

- **Wrongly passed** is k / n of the live comments. Only the blind sample counts, because it is
  drawn by chance from everything that went live. The interval is the one of Clopper and Pearson
  (1934).
- **Wrongly rejected** is the same for comments that the machine rejected.
- **Wrongly held** is k / n of the held comments. Moderators decide all of them in time, so the
  queue itself is the sample. Comments that still wait are not a random part of the queue. The
  interval [low, high] of k / n therefore becomes [low · n / N, (high · n + N - n) / N]: the lower
  end takes all of them for rightly held, the upper end for wrongly held.
- **The share of all good comments that were held** is H / (H + L + R), with the numbers H, L and R
  of good comments in the three groups. Each number has its own interval, and their chances of
  being wrong add up to 1 - LEVEL (`SPLIT`). The lower end takes the lowest H and the highest L and
  R, the upper end the opposite. No answer from the queue is used for L or R, and none from the
  sample for H. For a single check, H has two parts: those that the check held, and all others.
- **The sample had several shares** (say 1 % in May and 10 % in June): a plain k / n would count
  June ten times. There are two valid ways. *Even*: use only the comments that the lowest share
  would have drawn, too; every comment then had the same chance. *Weighted*: one interval for each
  share, at the level 1 - (1 - LEVEL) / shares, added up with the weights N / ΣN. Greenroom takes
  the way whose interval would be narrower if no answer contradicted the machine. That depends only
  on how many answers there are, so the choice cannot favour a result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from models.judgement.promises import LEVEL, Interval, interval

FEWEST = 30  # judged comments; with fewer there are "not enough reviews yet"
LIVE, HELD, REJECTED = "live", "held", "rejected"
# The part of the chance of being wrong that the numerator may use up, and each of the up to three
# other numbers. Those hardly move the result.
SPLIT = (0.7, 0.1)

Nothing = TypeVar("Nothing", float, None)


class Answer(NamedTuple):
    """A human's blind answer. The sample drew the comment because `draw`, a number in 0–1 that no
    check sees, is below the share.
    """

    is_good: bool
    draw: float


class Stratum(NamedTuple):
    """The comments of one group that arrived while the sample had this share."""

    share: float
    comments: int
    answers: Sequence[Answer] = ()


class Queue(NamedTuple):
    """The held comments: how many humans have judged, and how many of those were good."""

    comments: int
    judged: int
    good: int


class Judged(NamedTuple):
    """Everything known about the comments of a period, a language or a check. `held_by_others` are
    those that other checks held.
    """

    live: Sequence[Stratum]
    held: Queue
    rejected: Sequence[Stratum]
    held_by_others: Queue = Queue(0, 0, 0)


class Range(NamedTuple):
    """A share and the ends of its interval. Without a share, the best guess is unknown."""

    share: float | None
    low: float
    high: float


def wrongly_passed(live: Sequence[Stratum]) -> Interval:
    """Return the share of live comments that should not be live. Comments that arrived while the
    sample was off are not covered.
    """
    return sampled(live, wrong_is_good=False)


def wrongly_rejected(rejected: Sequence[Stratum]) -> Interval:
    """Return the share of the machine's rejections that were good comments."""
    return sampled(rejected, wrong_is_good=True)


def wrongly_held(held: Queue) -> Interval:
    """Return the share of held comments that were good."""
    return _of_queue(held, LEVEL)


def good_held(judged: Judged) -> Range:
    """Return the share of all good comments that the machine held for a human."""
    return _of_all_good(judged, HELD)


def good_rejected(judged: Judged) -> Range:
    """Return the share of all good comments that the machine rejected."""
    return _of_all_good(judged, REJECTED)


def sampled(strata: Sequence[Stratum], *, wrong_is_good: bool, level: float = LEVEL) -> Interval:
    """Return the share of wrong decisions in these strata, by the blind answers alone. `wrong` and
    `of` count the answers that were used.
    """
    drawn = [stratum for stratum in strata if stratum.share > 0 and stratum.comments]
    if len(drawn) > 1 and _end(even := _even(drawn), level) > _weighted_end(drawn, level):
        return _weighted(drawn, wrong_is_good=wrong_is_good, level=level)
    answers = even if len(drawn) > 1 else [answer for each in drawn for answer in each.answers]
    return _interval(answers, wrong_is_good=wrong_is_good, level=level)


def _even(strata: Sequence[Stratum]) -> list[Answer]:
    lowest = min(stratum.share for stratum in strata)
    return [answer for each in strata for answer in each.answers if answer.draw < lowest]


def _end(answers: Sequence[Answer], level: float) -> float:
    """Return the upper end if no answer contradicted the machine."""
    return interval(0, len(answers), level).high


def _weighted_end(strata: Sequence[Stratum], level: float) -> float:
    ends = [_end(stratum.answers, _level_of_each(strata, level)) for stratum in strata]
    return _mean(ends, strata)


def _level_of_each(strata: Sequence[Stratum], level: float) -> float:
    return 1 - (1 - level) / len(strata)


def _mean(values: Iterable[float], strata: Sequence[Stratum]) -> float:
    weighted = [value * each.comments for value, each in zip(values, strata, strict=True)]
    return sum(weighted) / sum(each.comments for each in strata)


def _weighted(strata: Sequence[Stratum], *, wrong_is_good: bool, level: float) -> Interval:
    each = _level_of_each(strata, level)
    parts = [_interval(one.answers, wrong_is_good=wrong_is_good, level=each) for one in strata]
    answered = [
        (part.share, stratum)
        for part, stratum in zip(parts, strata, strict=True)
        if part.share is not None
    ]
    shares, of_those = zip(*answered, strict=True) if answered else ((), ())
    return Interval(
        wrong=sum(part.wrong for part in parts),
        of=sum(part.of for part in parts),
        share=round(_mean(shares, of_those), 5) if answered else None,
        low=round(_mean((part.low for part in parts), strata), 5),
        high=round(_mean((part.high for part in parts), strata), 5),
    )


def _interval(answers: Sequence[Answer], *, wrong_is_good: bool, level: float) -> Interval:
    wrong = sum(answer.is_good == wrong_is_good for answer in answers)
    return interval(wrong, len(answers), level)


def _of_queue(held: Queue, level: float) -> Interval:
    known = interval(held.good, held.judged, level)
    if not held.judged:
        return known
    waiting = held.comments - held.judged
    return known._replace(
        low=round(known.low * held.judged / held.comments, 5),
        high=round((known.high * held.judged + waiting) / held.comments, 5),
    )


def _of_all_good(judged: Judged, group: str) -> Range:
    numbers = {
        LIVE: _good_of_sample(judged.live, _level(group == LIVE)),
        HELD: _good_of_queue(judged.held, _level(group == HELD)),
        REJECTED: _good_of_sample(judged.rejected, _level(group == REJECTED)),
        "others": _good_of_queue(judged.held_by_others, _level(False)),
    }
    this = numbers.pop(group)
    others = numbers.values()
    guesses = [each.share for each in others if each.share is not None]
    guess = None
    if this.share is not None and len(guesses) == len(others):
        guess = _ratio(this.share, sum(guesses), of_nothing=None)
    return Range(
        share=guess,
        low=_ratio(this.low, sum(each.high for each in others), of_nothing=0.0),
        high=_ratio(this.high, sum(each.low for each in others), of_nothing=1.0),
    )


def _level(is_numerator: bool) -> float:
    return 1 - (1 - LEVEL) * SPLIT[0 if is_numerator else 1]


def _good_of_queue(queue: Queue, level: float) -> Range:
    """Return the number of good comments in the queue, with its interval."""
    return _number(_of_queue(queue, level), queue.comments)


def _good_of_sample(strata: Sequence[Stratum], level: float) -> Range:
    """Return the number of good comments in these strata, with its interval. Of those that arrived
    while the sample was off, all or none may be good.
    """
    covered = sum(stratum.comments for stratum in strata if stratum.share > 0)
    good = _number(sampled(strata, wrong_is_good=True, level=level), covered)
    unknown = sum(stratum.comments for stratum in strata) - covered
    return good._replace(high=good.high + unknown)


def _number(rate: Interval, comments: int) -> Range:
    if not comments:
        return Range(0.0, 0.0, 0.0)
    guess = None if rate.share is None else rate.share * comments
    return Range(guess, rate.low * comments, rate.high * comments)


def _ratio(this: float, others: float, *, of_nothing: Nothing) -> float | Nothing:
    return round(this / (this + others), 5) if this + others else of_nothing
