"""The quality of a site's automatic decisions, as the API, the console and the CSV show it.

The estimators and their intervals are in `models/judgement/quality.py`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Annotated, NamedTuple

from cachetools import FIFOCache, TTLCache
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models import caches
from models.classifier.site_card import SiteCard
from models.judgement import quality as estimators
from models.judgement.promises import Interval
from models.judgement.quality import FEWEST, LIVE, REJECTED, Judged, Queue, Range, Stratum
from models.records import Site, SiteModelRecord
from models.store.database import now
from models.text.stamps import utc_stamp
from service.http.api_types import Time
from service.sites.quality_rows import Facts, Held, Place, Reversals, facts

MOST_MONTHS, MONTHS = 24, 12
MOST_LANGUAGES = 30
MOST_MODELS = 200
MOST_REMEMBERED = 50
MANY, KEPT_FOR = 50_000, timedelta(hours=1)
PUBLISHED_SECONDS = 600

MonthName = Annotated[str, Field(examples=["2026-03"])]
Share = Annotated[float | None, Field(examples=[0.0067])]


class Rate(TypedDict):
    """A share with its exact 95 % interval. `wrong` and `of` are the human answers it was computed
    from. Below 30 answers, `enough` is false and the share and its ends are null.
    """

    wrong: Annotated[int, Field(examples=[2])]
    of: Annotated[int, Field(examples=[300])]
    enough: bool
    share: Share
    low: Annotated[float | None, Field(examples=[0.0008])]
    high: Annotated[float | None, Field(examples=[0.0239])]


class OfAllGood(TypedDict):
    """A share of all good comments, with its 95 % interval. It combines the answers of several
    groups, so it has no counts of its own.
    """

    enough: bool
    share: Annotated[float | None, Field(examples=[0.0041])]
    low: Annotated[float | None, Field(examples=[0.0026])]
    high: Annotated[float | None, Field(examples=[0.0077])]


class Comments(TypedDict):
    """How many comments the machine put into each group, before any human judged them."""

    live: Annotated[int, Field(examples=[6000])]
    held: Annotated[int, Field(examples=[420])]
    rejected: Annotated[int, Field(examples=[80])]


class Row(TypedDict):
    """The figures of the whole period, of one month or of one language.

    `reviews` are the held comments that humans decided, `waiting` those that still wait, and
    `samples` the answers from the blind sample. `decided_by_machine` is the share of comments that
    went live or were rejected without waiting for a human.
    """

    name: Annotated[str, Field(examples=["total"])]
    comments: Comments
    reviews: Annotated[int, Field(examples=[412])]
    waiting: Annotated[int, Field(examples=[8])]
    samples: Annotated[int, Field(examples=[304])]
    decided_by_machine: Annotated[float | None, Field(examples=[0.9354])]
    wrongly_passed: Rate
    wrongly_held: Rate
    wrongly_rejected: Rate
    good_held: OfAllGood
    good_rejected: OfAllGood


class CheckRow(TypedDict):
    """The comments that were held because of this check. A comment that several checks held counts
    for each of them, so the rows can add up to more than all held comments.
    """

    name: Annotated[str, Field(examples=["links"])]
    held: Annotated[int, Field(examples=[140])]
    reviews: Annotated[int, Field(examples=[138])]
    waiting: Annotated[int, Field(examples=[2])]
    wrongly_held: Rate
    good_held: OfAllGood


class Reversed(TypedDict):
    """Decisions by humans that did not last: undone, or followed by the opposite decision, for
    example after an appeal. `taken_down` and `restored` count live and rejected comments that
    moderators corrected outside the blind sample.
    """

    decisions: Annotated[int, Field(examples=[712])]
    undone: Annotated[int, Field(examples=[9])]
    changed: Annotated[int, Field(examples=[3])]
    taken_down: Annotated[int, Field(examples=[5])]
    restored: Annotated[int, Field(examples=[1])]


class Learned(TypedDict):
    """A model that learned from the site's moderators: what it learned from, and its figures on
    decisions that it had not seen.
    """

    score: Annotated[str, Field(examples=["spam"])]
    version: Annotated[str, Field(examples=["site-3f1f0a6b52c7"])]
    made: Time
    labels: Annotated[int, Field(examples=[150])]
    rejected_found: Annotated[float, Field(examples=[0.94])]
    approved_held: Annotated[float, Field(examples=[0.012])]
    went_live: bool


# "from" is a Python keyword, so this cannot be written as a class.
Quality = TypedDict(
    "Quality",
    {
        "site": Annotated[str, Field(examples=["demo"])],
        "from": MonthName,
        "to": MonthName,
        "computed_at": Time,
        "sentence": Annotated[
            str,
            Field(
                examples=[
                    (
                        "Of 1,000 good comments we held between 2 and 8 (412 reviews); of 1,000 "
                        "published, between 0 and 24 should not have been (300 blind samples)."
                    )
                ]
            ),
        ],
        "fewest": Annotated[int, Field(examples=[30])],
        "open_samples": int,
        "total": Row,
        "months": list[Row],
        "languages": list[Row],
        "checks": list[CheckRow],
        "reversed": Reversed,
        "models": list[Learned],
    },
)
Quality.__doc__ = """How often the automatic decisions of a site are wrong. `sentence` says it for
readers. `open_samples` counts comments of the blind sample that nobody has decided yet. Figures of
50,000 comments or more may be an hour old."""


class Span(NamedTuple):
    """The months from `first` to `last`, each named by its first day."""

    first: date
    last: date

    def beginnings(self) -> list[datetime]:
        """Return the first moment of each month, and the end of the last one."""
        count = _number(self.last) - _number(self.first) + 2
        months = (divmod(_number(self.first) + each, 12) for each in range(count))
        return [datetime(year, month + 1, 1, tzinfo=UTC) for year, month in months]


def span(first: date | None, last: date | None, today: date) -> Span:
    """Return the months to show. By default they end with this month, and there are twelve. Raises
    ValueError, with a message for the person, if they are in the wrong order or too many.
    """
    end = (last or today).replace(day=1)
    year, month = divmod(_number(end) - MONTHS + 1, 12)
    begin = (first or date(year, month + 1, 1)).replace(day=1)
    if begin > end:
        raise ValueError("`from` must not be after `to`.")
    if _number(end) - _number(begin) >= MOST_MONTHS:
        raise ValueError(f"Ask for at most {MOST_MONTHS} months.")
    return Span(begin, end)


def _number(month: date) -> int:
    return month.year * 12 + month.month - 1


def quality(session: Session, site_id: int, months: Span) -> Quality:
    """Return the figures. They are computed again only after something on the site has changed, and
    those of many comments at most once an hour.
    """
    site = session.execute(select(Site).where(Site.id == site_id)).scalar_one()
    state = (site.event_sequence, site.fresh_decisions, site.learned_at, site.policy_version)
    with _lock:
        known = _remembered.get((site.id, months))
    if known and (known.state == state or (known.is_large and now() - known.at < KEPT_FOR)):
        return known.quality
    found = _computed(session, site, months)
    with _lock:
        _remembered[site.id, months] = _Remembered(state, now(), found)
    return found


def public_quality(session: Session, site_key: str, today: date) -> Quality | None:
    """Return the figures of the last twelve months, or None if the site does not publish them. They
    are computed every ten minutes at most, because everyone may ask.
    """
    is_public = Site.policy["quality"]["public"].as_boolean()
    row = session.execute(select(Site.id, is_public).where(Site.key == site_key)).one_or_none()
    if row is None or not row[1]:
        return None
    with _lock:
        known = _published.get(row.id)
    if known is None:
        known = quality(session, row.id, span(None, None, today))
        with _lock:
            _published[row.id] = known
    return known


class _Remembered(NamedTuple):
    state: tuple[object, ...]
    at: datetime
    quality: Quality

    @property
    def is_large(self) -> bool:
        comments = self.quality["total"]["comments"]
        return comments["live"] + comments["held"] + comments["rejected"] >= MANY


_lock = Lock()
_remembered: FIFOCache[tuple[int, Span], _Remembered] = FIFOCache(MOST_REMEMBERED)
_published: TTLCache[int, Quality] = TTLCache(MOST_REMEMBERED, PUBLISHED_SECONDS)
caches.register(_remembered.clear)
caches.register(_published.clear)


def _computed(session: Session, site: Site, months: Span) -> Quality:
    beginnings = months.beginnings()
    found = facts(session, site.id, beginnings)
    total = _row(found, "total")
    names = [f"{each:%Y-%m}" for each in beginnings[:-1]]
    return {
        "site": site.key,
        "from": names[0],
        "to": names[-1],
        "computed_at": utc_stamp(now()),
        "sentence": sentence(total),
        "fewest": FEWEST,
        "open_samples": found.open_samples,
        "total": total,
        "months": [_row(found, name, month=name) for name in names],
        "languages": [_row(found, name, language=name) for name in _languages(found)],
        "checks": _checks(found),
        "reversed": _reversed(found.reversals),
        "models": _models(session, site.id),
    }


def _languages(found: Facts) -> list[str]:
    """Return the languages with the most comments."""
    sizes = Counter[str]()
    for (place, _), count in found.groups.items():
        sizes[place.language] += count
    for held, count in found.held.items():
        sizes[held.language] += count
    return [name for name, size in sizes.most_common(MOST_LANGUAGES) if size]


def _row(found: Facts, name: str, *, month: str = "", language: str = "") -> Row:
    def belongs(place: Place | Held) -> bool:
        return month in ("", place.month) and language in ("", place.language)

    judged = Judged(
        live=_strata(found, LIVE, belongs),
        held=_queue(found, belongs),
        rejected=_strata(found, REJECTED, belongs),
    )
    comments: Comments = {
        "live": sum(stratum.comments for stratum in judged.live),
        "held": judged.held.comments,
        "rejected": sum(stratum.comments for stratum in judged.rejected),
    }
    strata = (*judged.live, *judged.rejected)
    everything = sum((comments["live"], comments["held"], comments["rejected"]))
    passed = _rate(estimators.wrongly_passed(judged.live))
    held = _rate(estimators.wrongly_held(judged.held))
    rejected = _rate(estimators.wrongly_rejected(judged.rejected))
    enough = passed["enough"] and held["enough"]
    by_machine = comments["live"] + comments["rejected"]
    return {
        "name": name,
        "comments": comments,
        "reviews": judged.held.judged,
        "waiting": judged.held.comments - judged.held.judged,
        "samples": sum(len(stratum.answers) for stratum in strata),
        "decided_by_machine": round(by_machine / everything, 5) if everything else None,
        "wrongly_passed": passed,
        "wrongly_held": held,
        "wrongly_rejected": rejected,
        "good_held": _of_all_good(estimators.good_held(judged), enough=enough),
        "good_rejected": _of_all_good(
            estimators.good_rejected(judged), enough=enough and rejected["enough"]
        ),
    }


def _strata(found: Facts, group: str, belongs: Callable[[Place], bool]) -> list[Stratum]:
    """Return the group's comments and answers, by the share that the sample had."""
    sizes, answers = Counter[float](), dict[float, list[estimators.Answer]]()
    for (place, name), count in found.groups.items():
        if name == group and belongs(place):
            sizes[place.share] += count
            answers.setdefault(place.share, []).extend(found.answers.get((place, name), ()))
    return [Stratum(share, size, answers[share]) for share, size in sizes.items()]


def _queue(found: Facts, belongs: Callable[[Held], bool]) -> Queue:
    comments = judged = good = 0
    for held, count in found.held.items():
        if belongs(held):
            comments += count
            judged += 0 if held.is_good is None else count
            good += count if held.is_good else 0
    return Queue(comments, judged, good)


def _checks(found: Facts) -> list[CheckRow]:
    """Return a row for each check, the one that held most first."""
    live, rejected = (_strata(found, group, lambda _: True) for group in (LIVE, REJECTED))
    names = {name for held, count in found.held.items() if count for name in held.checks.split()}
    rows = []
    for name in names:
        by_it, by_others = _queues(found, name)
        rows.append(_check_row(name, Judged(live, by_it, rejected, by_others)))
    return sorted(rows, key=lambda row: (-row["held"], row["name"]))


def _queues(found: Facts, check: str) -> tuple[Queue, Queue]:
    """Return the comments that this check held, and all other held comments."""

    def is_held_by_it(held: Held) -> bool:
        return check in held.checks.split()

    return _queue(found, is_held_by_it), _queue(found, lambda held: not is_held_by_it(held))


def _check_row(name: str, judged: Judged) -> CheckRow:
    held = _rate(estimators.wrongly_held(judged.held))
    passed = _rate(estimators.wrongly_passed(judged.live))
    enough = held["enough"] and passed["enough"]
    return {
        "name": name,
        "held": judged.held.comments,
        "reviews": judged.held.judged,
        "waiting": judged.held.comments - judged.held.judged,
        "wrongly_held": held,
        "good_held": _of_all_good(estimators.good_held(judged), enough=enough),
    }


def _rate(rate: Interval) -> Rate:
    enough = rate.of >= FEWEST
    return {
        "wrong": rate.wrong,
        "of": rate.of,
        "enough": enough,
        "share": rate.share if enough else None,
        "low": rate.low if enough else None,
        "high": rate.high if enough else None,
    }


def _of_all_good(share: Range, *, enough: bool) -> OfAllGood:
    if not enough:
        return {"enough": False, "share": None, "low": None, "high": None}
    return {"enough": True, "share": share.share, "low": share.low, "high": share.high}


def _reversed(reversals: Reversals) -> Reversed:
    return {
        "decisions": reversals.decisions,
        "undone": reversals.undone,
        "changed": reversals.changed,
        "taken_down": reversals.taken_down,
        "restored": reversals.restored,
    }


def _models(session: Session, site_id: int) -> list[Learned]:
    """Return the site's newest models, oldest first."""
    columns = (SiteModelRecord.score, SiteModelRecord.card, SiteModelRecord.at)
    newest = select(*columns).where(SiteModelRecord.site_id == site_id)
    rows = session.execute(newest.order_by(SiteModelRecord.id.desc()).limit(MOST_MODELS)).all()
    return [_learned(row.score, row.card, row.at) for row in reversed(rows)]


def _learned(score: str, card: SiteCard, at: datetime) -> Learned:
    return {
        "score": score,
        "version": card["version"],
        "made": utc_stamp(at),
        "labels": card["decisions"]["rejected"] + card["decisions"]["approved"],
        "rejected_found": card["figures"]["rejected found"],
        "approved_held": card["figures"]["approved held"],
        "went_live": card["went live"],
    }


def sentence(total: Row) -> str:
    """Say the total's intervals in one sentence that a newsroom can print."""
    return f"{_said_held(total)}{_said_rejected(total)}; {_said_passed(total)}."


def _said_held(total: Row) -> str:
    good, reviews = total["good_held"], total["reviews"]
    if not good["enough"]:
        needed = f"{FEWEST} reviews and {FEWEST} blind samples"
        return f"Not enough reviews yet to say how many good comments we hold (this needs {needed})"
    return f"Of 1,000 good comments we held {_between(good)} ({_count(reviews, 'review')})"


def _said_rejected(total: Row) -> str:
    """Say nothing if no comment was rejected, or if the sentence says nothing about good ones."""
    good, rejected = total["good_rejected"], total["comments"]["rejected"]
    if not rejected or not total["good_held"]["enough"]:
        return ""
    count = _count(total["wrongly_rejected"]["of"], "blind sample")
    if good["enough"]:
        return f" and rejected {_between(good)} ({count})"
    return (
        f"; we rejected {_count(rejected, 'comment')}, too few of them checked to say how many "
        f"were good ({count})"
    )


def _said_passed(total: Row) -> str:
    passed = total["wrongly_passed"]
    count = _count(passed["of"], "blind sample")
    if not passed["enough"]:
        return f"too few blind samples yet to say how many should not have been published ({count})"
    return f"of 1,000 published, {_between(passed)} should not have been ({count})"


def _between(ends: Rate | OfAllGood) -> str:
    """Say the interval as whole comments of a thousand, rounded away from each other."""
    low, high = ends["low"] or 0.0, ends["high"] or 0.0
    return f"between {math.floor(round(low * 1000, 2))} and {math.ceil(round(high * 1000, 2))}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
