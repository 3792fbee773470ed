"""A thread takes its title and address from an approved comment."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.judgement.evidence import Evidence, from_stored, refused_of_page
from models.judgement.policy import page_query
from models.records import Screening, Site
from models.records.site import PAGE_QUERY
from models.settling.drafts import CommentDraft, ThreadDraft
from models.text.urls import page_address


def introduce(
    session: Session,
    thread: ThreadDraft,
    comment: CommentDraft,
    evidence: Iterable[Evidence] | None,
) -> None:
    """Give the thread the title and address that came with the comment, if it has none yet and no
    check objected. Without `evidence`, use the comment's latest screening.
    """
    title = None if thread.title or thread.title_is_final else comment.page.get("title")
    url = None if thread.url or thread.url_is_final else comment.page.get("url")
    if not title and not url:
        return
    if evidence is None:
        evidence = _latest_evidence(session, comment.id)
    refused = refused_of_page(evidence)
    if title and "title" not in refused:
        thread.title = title
    if url and "address" not in refused:
        policy = session.execute(select(PAGE_QUERY).where(Site.id == comment.site_id)).scalar()
        thread.url = page_address(url, page_query(policy))


def _latest_evidence(session: Session, comment_id: str) -> list[Evidence]:
    screenings = select(Screening.evidence).where(Screening.comment_id == comment_id)
    latest = screenings.order_by(Screening.number.desc()).limit(1)
    return [from_stored(item) for item in session.execute(latest).scalar() or ()]
