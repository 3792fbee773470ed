"""The figures of a transparency report (DSA, Articles 15 and 24): what a site restricted and why,
how often machines decided and were wrong, appeals, and how long each took.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Annotated, Any, NamedTuple

from pydantic import Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.records import Appeal, DecisionRecord, Notice, Report, Site, Statement
from models.settling.history import BY_A_HUMAN
from service.http import spreadsheets
from service.sites.quality import MOST_MONTHS, Rate, Span, quality

MOST_DAYS = 3 * 366
Hours = Annotated[float | None, Field(examples=[5.5])]
Count = Annotated[int, Field(examples=[12])]


class NoticeFigures(TypedDict):
    """The notices of one category (or all of them), and what became of those that are decided."""

    category: Annotated[str, Field(examples=["ILLEGAL_OR_HARMFUL_SPEECH"])]
    received: Count
    open: Count
    removed: Count
    kept: Count
    dismissed: Count
    by_machine: Count
    median_hours: Hours


class RuleFigures(TypedDict):
    """How often a rule was applied. `title` is that of its latest use."""

    rule: Annotated[str, Field(examples=["abuse"])]
    title: Annotated[str, Field(examples=["No insults, threats or hate"])]
    ground: Annotated[str, Field(examples=["house"])]
    restrictions: Count


class Restrictions(TypedDict):
    """Rejected comments that needed a statement of reasons. `by_source` says who asked for the
    decision. The others are about the decisions on the site's own initiative: `by_detection`
    counts them by the check that found something, with "people" for those that only people found;
    a comment that several checks found counts for each.
    """

    total: Count
    by_source: dict[str, int]
    by_detection: dict[str, int]
    decided_by_machine: Count
    detected_by_machine: Count
    by_rule: list[RuleFigures]


class Automation(TypedDict):
    """What Greenroom decided without a human in the months of the report, and its error rates with
    their 95 % intervals. `decided_by_machine` is the share of all comments.
    """

    months: Annotated[str, Field(examples=["2026-01 to 2026-06"])]
    published: Count
    held: Count
    rejected: Count
    decided_by_machine: Annotated[float | None, Field(examples=[0.93])]
    wrongly_published: Rate
    wrongly_held: Rate
    wrongly_rejected: Rate


class AppealFigures(TypedDict):
    """Appeals by outcome. `in_time` counts the decided ones that met their due time."""

    received: Count
    open: Count
    upheld: Count
    reversed: Count
    changed: Count
    withdrawn: Count
    in_time: Count
    median_hours: Hours


class ReportFigures(TypedDict):
    """What readers reported, by their reason."""

    received: Count
    by_reason: dict[str, int]
    upheld: Count
    dismissed: Count
    median_hours: Hours


# "from" is a Python keyword, so this cannot be written as a class.
Transparency = TypedDict(
    "Transparency",
    {
        "site": Annotated[str, Field(examples=["demo"])],
        "from": Annotated[str, Field(examples=["2026-01-01"])],
        "to": Annotated[str, Field(examples=["2026-06-30"])],
        "notices": NoticeFigures,
        "notices_by_category": list[NoticeFigures],
        "reports": ReportFigures,
        "restrictions": Restrictions,
        "rejected_as_spam": Count,
        "automation": Automation,
        "appeals": AppealFigures,
    },
)
Transparency.__doc__ = """The figures of a transparency report. Both days are included, in UTC.
Times are medians in hours, null if nothing was decided. `rejected_as_spam` counts the comments that
people rejected as spam, which need no statement of reasons."""


class Period(NamedTuple):
    """Both days are included."""

    first: date
    last: date

    def holds(self, column: Any) -> ColumnElement[bool]:
        begin = datetime.combine(self.first, time(), UTC)
        end = datetime.combine(self.last + timedelta(days=1), time(), UTC)
        held: ColumnElement[bool] = (column >= begin) & (column < end)
        return held


def period(first: date | None, last: date | None, today: date) -> Period:
    """Return the period of a report; by default the twelve months until today. Raises ValueError,
    with a message for the person, if the days are in the wrong order or too far apart.
    """
    end = last or today
    begin = first or end - timedelta(days=365)
    if begin > end:
        raise ValueError("`from` must not be after `to`.")
    if (end - begin).days > MOST_DAYS:
        raise ValueError("Ask for at most three years.")
    return Period(begin, end)


def transparency(session: Session, site_id: int, when: Period) -> Transparency:
    notices = _notices(session, site_id, when)
    return {
        "site": session.scalars(select(Site.key).where(Site.id == site_id)).one(),
        "from": when.first.isoformat(),
        "to": when.last.isoformat(),
        "notices": _notice_figures("all", notices),
        "notices_by_category": [
            _notice_figures(category, [row for row in notices if row.category == category])
            for category in sorted({row.category for row in notices})
        ],
        "reports": _reports(session, site_id, when),
        "restrictions": _restrictions(session, site_id, when),
        "rejected_as_spam": _rejected_as_spam(session, site_id, when),
        "automation": _automation(session, site_id, when),
        "appeals": _appeals(session, site_id, when),
    }


class _NoticeRow(NamedTuple):
    category: str
    outcome: str | None
    opened_at: datetime
    closed_at: datetime | None
    is_automated: bool | None


def _notices(session: Session, site_id: int, when: Period) -> list[_NoticeRow]:
    wanted = select(
        Notice.category, Notice.outcome, Notice.opened_at, Notice.closed_at, Notice.is_automated
    ).where(Notice.site_id == site_id, when.holds(Notice.opened_at))
    return [_NoticeRow(*row) for row in session.execute(wanted)]


def _notice_figures(category: str, rows: list[_NoticeRow]) -> NoticeFigures:
    outcomes = Counter(row.outcome for row in rows)
    return {
        "category": category,
        "received": len(rows),
        "open": outcomes[None],
        "removed": outcomes["removed"],
        "kept": outcomes["kept"],
        "dismissed": outcomes["dismissed"],
        "by_machine": sum(bool(row.is_automated) for row in rows),
        "median_hours": _median_hours((row.opened_at, row.closed_at) for row in rows),
    }


def _reports(session: Session, site_id: int, when: Period) -> ReportFigures:
    wanted = select(Report.reason, Report.outcome, Report.at, Report.settled_at)
    rows = session.execute(wanted.where(Report.site_id == site_id, when.holds(Report.at))).all()
    outcomes = Counter(row.outcome for row in rows)
    return {
        "received": len(rows),
        "by_reason": dict(sorted(Counter(row.reason for row in rows).items())),
        "upheld": outcomes["upheld"],
        "dismissed": outcomes["dismissed"],
        "median_hours": _median_hours((row.at, row.settled_at) for row in rows),
    }


def _restrictions(session: Session, site_id: int, when: Period) -> Restrictions:
    of_site = Statement.site_id == site_id, when.holds(Statement.at)
    grouped = select(
        Statement.source,
        Statement.checks,
        Statement.automated_detection,
        Statement.automated_decision,
        func.count(),
    ).where(*of_site)
    kinds = (
        Statement.source,
        Statement.checks,
        Statement.automated_detection,
        Statement.automated_decision,
    )
    sources: Counter[str] = Counter()
    checks: Counter[str] = Counter()
    detected = decided = 0
    for source, found, is_detected, is_decided, count in session.execute(grouped.group_by(*kinds)):
        sources[source] += count
        if source != "own_initiative":
            continue
        for check in (found or "").split() or ["people"]:
            checks[check] += count
        detected += count if is_detected else 0
        decided += count if is_decided else 0
    return {
        "total": sum(sources.values()),
        "by_source": {each: sources[each] for each in ("own_initiative", "report", "notice")},
        "by_detection": dict(checks.most_common()),
        "detected_by_machine": detected,
        "decided_by_machine": decided,
        "by_rule": _rules(session, of_site),
    }


def _rules(session: Session, of_site: Iterable[ColumnElement[bool]]) -> list[RuleFigures]:
    wanted = select(
        Statement.rule, Statement.title, Statement.ground, func.count(), func.max(Statement.at)
    ).where(*of_site)
    kinds = (Statement.rule, Statement.title, Statement.ground)
    rules: dict[str, RuleFigures] = {}
    latest_last = sorted(session.execute(wanted.group_by(*kinds)), key=lambda row: row[4])
    for rule, title, ground, count, _ in latest_last:
        before = rules[rule]["restrictions"] if rule in rules else 0
        rules[rule] = {
            "rule": rule,
            "title": title,
            "ground": ground,
            "restrictions": before + count,
        }
    return sorted(rules.values(), key=lambda row: -row["restrictions"])


def _rejected_as_spam(session: Session, site_id: int, when: Period) -> int:
    wanted = select(func.count()).where(
        DecisionRecord.site_id == site_id,
        BY_A_HUMAN,
        DecisionRecord.reason == "spam",
        DecisionRecord.becomes == "rejected",
        DecisionRecord.undoes.is_(None),
        when.holds(DecisionRecord.at),
    )
    return session.execute(wanted).scalar_one()


def _automation(session: Session, site_id: int, when: Period) -> Automation:
    """Return the figures of the page Quality for the months of the report, at most the last 24."""
    months = Span(when.first.replace(day=1), when.last.replace(day=1))
    while len(months.beginnings()) - 1 > MOST_MONTHS:
        months = Span((months.first + timedelta(days=31)).replace(day=1), months.last)
    total = quality(session, site_id, months)["total"]
    return {
        "months": f"{months.first:%Y-%m} to {months.last:%Y-%m}",
        "published": total["comments"]["live"],
        "held": total["comments"]["held"],
        "rejected": total["comments"]["rejected"],
        "decided_by_machine": total["decided_by_machine"],
        "wrongly_published": total["wrongly_passed"],
        "wrongly_held": total["wrongly_held"],
        "wrongly_rejected": total["wrongly_rejected"],
    }


def _appeals(session: Session, site_id: int, when: Period) -> AppealFigures:
    wanted = select(Appeal.status, Appeal.opened_at, Appeal.due_at, Appeal.closed_at)
    wanted = wanted.where(Appeal.site_id == site_id, when.holds(Appeal.opened_at))
    rows = session.execute(wanted).all()
    count = Counter(row.status for row in rows)
    decided = [row for row in rows if row.status in {"upheld", "reversed", "changed"}]
    return {
        "received": len(rows),
        "open": count["open"],
        "upheld": count["upheld"],
        "reversed": count["reversed"],
        "changed": count["changed"],
        "withdrawn": count["withdrawn"],
        "in_time": sum(row.closed_at <= row.due_at for row in decided),
        "median_hours": _median_hours((row.opened_at, row.closed_at) for row in decided),
    }


def _median_hours(spans: Iterable[tuple[datetime, datetime | None]]) -> float | None:
    hours = [(end - begin).total_seconds() / 3600 for begin, end in spans if end]
    return round(median(hours), 2) if hours else None


COLUMNS = ("figure", "value")
EXAMPLE = spreadsheets.line(COLUMNS) + spreadsheets.line(("appeals reversed", "3"))


def as_csv(found: Transparency) -> str:
    """Return one line for each figure, named by its place in the JSON."""
    lines = [spreadsheets.line(COLUMNS)]
    lines += [spreadsheets.line([name, value]) for name, value in _figures("", found)]
    return "".join(lines)


def _figures(place: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _figures(f"{place} {name}".strip(), part)
    elif isinstance(value, list):
        for part in value:
            label = part.get("category") or part.get("rule")
            rest = {key: each for key, each in part.items() if key not in {"category", "rule"}}
            yield from _figures(f"{place} {label}", rest)
    else:
        yield place, "" if value is None else str(value)
