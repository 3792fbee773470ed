"""What readers said against comments, for moderators: reports with their weights, waves of them,
and notices of illegal content.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import Field
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.records import Notice, Report
from models.settling.contacts import open_contact
from models.text.stamps import utc_stamp
from service.http.api_types import Email, Id, OneOf, Time
from service.http.problems import Problem
from service.moderation.log import note_act

# A wave: so many open reports, within so long, nearly all from addresses that are new to the site.
WAVE_REPORTS, WAVE_WITHIN, WAVE_SHARE = 3, timedelta(minutes=10), 0.8
MOST_SHOWN = 50  # reports at a comment


class Reports(TypedDict):
    """The reports of a comment. `weight` and `by_reason` count the open ones. `wave` says in words
    that many came at once from addresses that are new to the site.
    """

    open: Annotated[int, Field(examples=[2])]
    upheld: int
    dismissed: int
    weight: Annotated[float, Field(examples=[2.0])]
    by_reason: Annotated[dict[str, int], Field(examples=[{"threat": 2}])]
    wave: Annotated[
        str | None, Field(examples=["3 of 3 reports within 2 minutes from new addresses"])
    ]


class NoticeRecord(TypedDict):
    """A notice of illegal content. `name` and `email` are null if the person gave none, or after
    Greenroom has deleted them.
    """

    id: Id
    comment: Id
    category: Annotated[str, Field(examples=["ILLEGAL_OR_HARMFUL_SPEECH"])]
    explanation: Annotated[str, Field(examples=["It calls for violence against a named person."])]
    name: Annotated[str | None, Field(examples=["Ann Example"])]
    email: Email | None
    opened: Time
    due: Time
    outcome: Annotated[str, OneOf(("removed", "kept", "dismissed"))] | None
    closed: Time | None
    answer: str
    automated: bool | None


class ShownReport(NamedTuple):
    """One report at a comment in the console."""

    reason: str
    text: str
    weight: float
    at: datetime
    is_new: bool
    is_known: bool
    outcome: str | None


class Arrival(NamedTuple):
    """When a report came, and whether its address is new to the site."""

    at: datetime
    is_new: bool


def no_reports() -> Reports:
    return {
        "open": 0,
        "upheld": 0,
        "dismissed": 0,
        "weight": 0.0,
        "by_reason": {},
        "wave": None,
    }


def reports_of(session: Session, comment_ids: Sequence[str]) -> dict[str, Reports]:
    """Count the reports of each of these comments that has some."""
    outcome = func.coalesce(Report.outcome, "open")
    counted = select(
        Report.comment_id, outcome, Report.reason, func.count(), func.sum(Report.weight)
    ).where(Report.comment_id.in_(comment_ids))
    found: dict[str, Reports] = defaultdict(no_reports)
    by = (Report.comment_id, outcome, Report.reason)
    for comment, state, reason, number, weight in session.execute(counted.group_by(*by)):
        reports = found[comment]
        if state == "open":
            reports["open"] += number
            reports["weight"] = round(reports["weight"] + weight, 4)
            reports["by_reason"][reason] = number
        elif state == "upheld":
            reports["upheld"] += number
        else:
            reports["dismissed"] += number
    for comment, reports in found.items():
        if reports["open"] >= WAVE_REPORTS:
            reports["wave"] = _wave(session, comment)
    return dict(found)


def _wave(session: Session, comment_id: str) -> str | None:
    newest = select(Report.at, Report.is_new).where(
        Report.comment_id == comment_id, Report.outcome.is_(None)
    )
    rows = session.execute(newest.order_by(Report.id.desc()).limit(MOST_SHOWN))
    return wave_in_words([Arrival(at, is_new) for at, is_new in rows])


def wave_in_words(newest_first: Sequence[Arrival]) -> str | None:
    """Say that the reports are a wave from new addresses, or return None if they are not."""
    if not newest_first:
        return None
    last = newest_first[0].at
    recent = [each for each in newest_first if last - each.at <= WAVE_WITHIN]
    new = sum(each.is_new for each in recent)
    if new < WAVE_REPORTS or new < WAVE_SHARE * len(recent):
        return None
    minutes = max(1, round((last - recent[-1].at).total_seconds() / 60))
    within = "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"{new} of {len(recent)} reports within {within} came from addresses new to this site"


def shown_reports(session: Session, comment_id: str) -> list[ShownReport]:
    """Return the reports of a comment, open ones first, then the newest."""
    wanted = select(
        Report.reason,
        Report.text,
        Report.weight,
        Report.at,
        Report.is_new,
        Report.reader_id.is_not(None),
        Report.outcome,
    ).where(Report.comment_id == comment_id)
    open_first = case((Report.outcome.is_(None), 0), else_=1)
    rows = session.execute(wanted.order_by(open_first, Report.id.desc()).limit(MOST_SHOWN))
    return [ShownReport(*row) for row in rows]


def notices_of(session: Session, comment_ids: Sequence[str]) -> dict[str, list[NoticeRecord]]:
    """Return the notices of each of these comments that has some, oldest first."""
    wanted = select(Notice).where(Notice.comment_id.in_(comment_ids)).order_by(Notice.id)
    found: dict[str, list[NoticeRecord]] = defaultdict(list)
    for notice in session.scalars(wanted):
        found[notice.comment_id].append(_record(notice))
    return dict(found)


def list_notices(
    session: Session, site_id: int, status: str, *, after: str | None, limit: int
) -> list[NoticeRecord]:
    wanted = select(Notice).where(Notice.site_id == site_id)
    if status != "all":
        is_open = Notice.closed_at.is_(None)
        wanted = wanted.where(is_open if status == "open" else ~is_open)
    if after:
        wanted = wanted.where(Notice.id > after)
    return [_record(row) for row in session.scalars(wanted.order_by(Notice.id).limit(limit))]


def wanted_notice(session: Session, site_id: int, notice_id: str) -> NoticeRecord:
    """Return the notice. Raises a 404 if the site has no such notice."""
    notice = session.get(Notice, notice_id) if is_id(notice_id) else None
    if notice is None or notice.site_id != site_id:
        raise Problem(404, "There is no such notice on this site.")
    return _record(notice)


def note_dismissal(session: Session, by: str, site_id: int) -> None:
    note_act(session, by, "notices", "dismissed a notice of illegal content", site_id=site_id)


def _record(notice: Notice) -> NoticeRecord:
    contact = open_contact(notice.contact)
    return {
        "id": notice.id,
        "comment": notice.comment_id,
        "category": notice.category,
        "explanation": notice.explanation,
        "name": contact["name"] or None,
        "email": contact["email"] or None,
        "opened": utc_stamp(notice.opened_at),
        "due": utc_stamp(notice.due_at),
        "outcome": notice.outcome,
        "closed": utc_stamp(notice.closed_at),
        "answer": notice.answer,
        "automated": notice.is_automated,
    }
