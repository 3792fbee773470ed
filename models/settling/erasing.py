"""Erase a comment: remove its content from everywhere, and keep its place in the thread."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from models.mailing.outbox import cancel_mails
from models.records import (
    Appeal,
    Block,
    Comment,
    DecisionRecord,
    Edit,
    Event,
    Fingerprint,
    LinkedHost,
    Note,
    Notice,
    Question,
    Report,
    Screening,
    Site,
    SiteModelRecord,
    Statement,
)
from models.records.edit import REJECTED, WAITING
from models.settling.actor import POLICY, Actor
from models.settling.changes import Settled
from models.settling.history import BY_A_HUMAN
from models.settling.settling import Settling
from models.store.database import now
from models.store.scrubbing import owe_scrubbing
from models.webhooks.owed import cancel_deliveries, redact_attempts


def erase(session: Session, comment_id: str, *, by: Actor) -> Settled | None:
    """Erase the comment's content; its place stays for its replies. Return None if it was erased
    before.
    """
    work = Settling(session, [comment_id])
    settled = work.erase(comment_id, by=by)
    if settled is None:
        return None
    comment = work.drafts.comments[comment_id]
    # Every transaction locks the site before its deliveries and events.
    session.execute(
        select(Site.id).where(Site.id == comment.site_id).with_for_update(key_share=True)
    )
    work.events.tell_also(comment_id, cancel_deliveries(session, comment_id))
    _redact(session, comment_id, comment.at)
    cancel_mails(session, [comment_id])
    blank = {**_BLANK, "erased_at": work.at}
    session.execute(update(Comment).where(Comment.id == comment_id).values(blank))
    work.write()
    _owe_learning(session, comment_id, comment.site_id, work.at)
    owe_scrubbing(session, work.at, index=True)
    return work.with_deliveries(settled)


def erase_rest(session: Session, comment_id: str) -> None:
    """Erase the remains of a comment whose erasure was incomplete because of a mistake."""
    cancel_deliveries(session, comment_id)
    _redact(session, comment_id, session.get_one(Comment, comment_id).at)
    erased = update(Comment).where(Comment.id == comment_id, Comment.erased_at.is_not(None))
    session.execute(erased.values(_BLANK))
    owe_scrubbing(session, now(), index=True)


_BLANK: dict[str, object] = {
    "name": "",
    "email": None,
    "email_index": "",
    "website": None,
    "reader_id": None,
    "badges": None,
    "body": "",
    "html": None,
    "avatar": "",
    "address": "",
    "form": {},
    "page": {},
    "said_once": None,
    "request_hash": None,
    "screen_due": None,
    "edit_id": None,
    "found": None,
    "campaign": None,
}


_BLANK_EDIT: dict[str, object] = {
    "before": "",
    "body": "",
    "note": "",
    "html": None,
    "found": None,
    "campaign": None,
    "evidence": [],
}


def _owe_learning(session: Session, comment_id: str, site_id: int, at: datetime) -> None:
    """If a model of the site may have learned from the comment, the site is due to learn again
    without it.
    """
    was_decided = exists().where(DecisionRecord.comment_id == comment_id, BY_A_HUMAN)
    has_learned = exists().where(SiteModelRecord.site_id == site_id)
    site = update(Site).where(Site.id == site_id, was_decided, has_learned)
    session.execute(site.values(learn_due=at))


def _redact(session: Session, comment_id: str, at: datetime) -> None:
    """Remove quotations of the comment from evidence, reasons and events, and keep the rest of
    them.
    """
    session.execute(update(Screening).where(Screening.comment_id == comment_id).values(evidence=[]))
    decisions = update(DecisionRecord).where(DecisionRecord.comment_id == comment_id)
    session.execute(decisions.values(reasons=[], note="", answer=None))
    statements = update(Statement).where(Statement.comment_id == comment_id)
    session.execute(statements.values(answer=""))
    appeals = update(Appeal).where(Appeal.comment_id == comment_id)
    session.execute(appeals.values(text="", answer=""))
    prints = (Fingerprint.comment_id == comment_id) & (Fingerprint.at == at)
    session.execute(delete(Fingerprint).where(prints))
    session.execute(delete(Note).where(Note.kind == "comment", Note.subject == comment_id))
    edits = update(Edit).where(Edit.comment_id == comment_id)
    session.execute(edits.values(_BLANK_EDIT).execution_options(synchronize_session=False))
    waiting = edits.where(Edit.status == WAITING)
    session.execute(waiting.values(status=REJECTED, settled_at=now(), settled_by=str(POLICY)))
    session.execute(delete(Question).where(Question.comment_id == comment_id))
    session.execute(update(Report).where(Report.comment_id == comment_id).values(text=""))
    notices = update(Notice).where(Notice.comment_id == comment_id)
    session.execute(notices.values(explanation="", answer=""))
    for kind, label in (("author", "an erased author"), ("like", "an erased comment")):
        blocks = update(Block).where(Block.comment_id == comment_id, Block.kind == kind)
        session.execute(blocks.values(label=label))
    session.execute(delete(LinkedHost).where(LinkedHost.comment_id == comment_id))
    redact_attempts(session, comment_id)
    _redact_events(session, comment_id)


def _redact_events(session: Session, comment_id: str) -> None:
    for event in session.scalars(select(Event).where(Event.comment_id == comment_id)):
        decision = event.data["decision"]
        event.data = {
            **event.data,
            "comment": {
                **event.data["comment"],
                "name": "",
                "website": None,
                "badges": [],
                "html": "",
            },
            "decision": {**decision, "reasons": []} if decision else None,
        }
