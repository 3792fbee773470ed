"""Report a comment, and tell the reporter what came of it."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from sqlalchemy import select
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.judgement.policy import Policy
from models.records import Report, Site
from models.settling.objecting import Filing, report
from models.store.database import begin, reading
from models.store.secrets import keyed_hash
from models.store.signed_ids import read_signed, signed
from models.text.cleaning import MOST_TIMES, clean
from models.text.stamps import utc_stamp
from service.http import limits
from service.http.addresses import reader
from service.http.api_types import Id, OneOf, Time
from service.http.problems import Problem
from service.moderation.deciding import publish_soon
from service.readers.identity import Identity
from service.sites.lookup import SiteInfo

MOST_WORDS = 1000  # characters
REPORTS = limits.Pace(a_minute=10, an_hour=60)
Reason = Literal["insult", "hate", "threat", "spam", "off_topic", "privacy", "other"]


class NewReport(BaseModel):
    """Why a comment should be removed. `text` adds words of the reporter."""

    model_config = ConfigDict(strict=True, extra="ignore")

    reason: Annotated[Reason, Field(examples=["threat"])]
    text: Annotated[
        str,
        StringConstraints(max_length=MOST_WORDS * MOST_TIMES),
        Field(json_schema_extra={"maxLength": MOST_WORDS}, examples=["It names my address."]),
    ] = ""

    @field_validator("text")
    @classmethod
    def _text(cls, value: str) -> str:
        if "\0" in value:
            raise ValueError("This contains a NUL character. Remove it.")
        return clean(value, MOST_WORDS)


class ReportStatus(TypedDict):
    """What came of a report. `status` is "upheld" if the comment was removed, and "dismissed" if a
    moderator kept it.
    """

    comment: Id
    status: Annotated[str, OneOf(("open", "upheld", "dismissed"))]
    at: Time
    closed: Time | None


class FoundReport(NamedTuple):
    site: str
    answer: ReportStatus


def file_report(info: SiteInfo, comment_id: str, said: NewReport, who: Identity | None) -> str:
    """File a report for the reader of this request, who may be known; return its receipt. Raises a
    404 for a comment that is not published.
    """
    if not is_id(comment_id):
        raise _not_published()
    address = reader()
    filing = Filing(
        site_id=info.id,
        comment_id=comment_id,
        reporter=reporter_of(who.reader_id) if who else address,
        address=address,
        reason=said.reason,
        text=said.text,
        reader_id=who and who.reader_id,
    )
    with begin() as session:
        policy = session.execute(select(Site.policy).where(Site.id == info.id)).scalar_one()
        filed = report(session, filing, to_hold=_reports_to_hold(policy))
    if filed is None:
        raise _not_published()
    if filed.settled:
        publish_soon(filed.settled)
    return signed("report", filed.id)


def reporter_of(reader_id: str) -> str:
    """Return the keyed hash under which the reports of a known reader are counted."""
    return keyed_hash("reporter", reader_id)


def _not_published() -> Problem:
    return Problem(404, "This comment is not published.")


def count_report(info: SiteInfo) -> None:
    """Count a report, valid or not. Raises a 429 if this address has sent too many."""
    if too_fast := limits.count_sent("report", f"{info.key} {reader()}", REPORTS):
        raise too_fast


def _reports_to_hold(policy: dict[str, object]) -> float:
    default = Policy.model_fields["reports_to_hold"].default
    wanted = policy.get("reports_to_hold", default)
    return float(wanted) if isinstance(wanted, int | float) else float(default)


def find_report(receipt: str) -> FoundReport | None:
    """Return what came of the report, and its site. None if the receipt is not one of ours."""
    report_id = read_signed("report", receipt)
    if report_id is None:
        return None
    wanted = select(
        Report.comment_id, Report.outcome, Report.at, Report.settled_at, Site.key.label("site")
    ).join(Site, Site.id == Report.site_id)
    with reading() as session:
        row = session.execute(wanted.where(Report.id == report_id)).one_or_none()
    if row is None:
        return None
    answer: ReportStatus = {
        "comment": row.comment_id,
        "status": row.outcome or "open",
        "at": utc_stamp(row.at),
        "closed": utc_stamp(row.settled_at),
    }
    return FoundReport(row.site, answer)
