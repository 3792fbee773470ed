"""`settle()`: the one place where a comment changes status, by the policy or a moderator; undoing
it, and erasure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from models.judgement.policy import Verdict
from models.records import (
    Block,
    Comment,
    DecisionRecord,
    Event,
    Fingerprint,
    LinkedHost,
    Note,
    Question,
    Review,
    Screening,
    Site,
    SiteModelRecord,
)
from models.settling.actor import Actor
from models.settling.changes import VERDICT, Change, Settled
from models.settling.history import BY_A_HUMAN, human_decisions, standing_decision
from models.settling.settling import Settling
from models.store.database import now
from models.store.scrubbing import owe_scrubbing
from models.webhooks.owed import cancel_deliveries, redact_attempts

log = structlog.get_logger()


def settle(session: Session, changes: Sequence[Change]) -> list[Settled | None]:
    """Write each change's status, decision, reviews and event, all in the session's transaction.

    Answers one for one; None where someone else was first, so that nothing was done.
    """
    work = Settling(session, changes)
    settled = [work.apply(change) for change in changes]
    work.write()
    return [
        each and each._replace(owed=tuple(work.owed.get(each.comment_id, ()))) for each in settled
    ]


def tell(settled: Iterable[Settled]) -> None:
    """Say in the log what was settled. To be called once it is committed."""
    for each in settled:
        if each.is_new:
            log.info(
                "settled", comment=each.comment_id, site=each.site, status=each.status, ms=each.ms
            )


class Refused(Exception):
    """What was asked for cannot be done now; the message says why, in words for whoever asked."""


def undo(session: Session, comment_id: str, *, by: Actor, decision: str | None = None) -> Settled:
    """Restore the state before the latest human decision that is not undone yet.

    With `decision` only that one is undone. Raises `Refused` if another came after it, or if there
    is nothing to undo.
    """
    done = undo_each(session, {comment_id: decision}, by=by)[comment_id]
    if isinstance(done, Refused):
        raise done
    return done


def undo_each(
    session: Session, decisions: Mapping[str, str | None], *, by: Actor
) -> dict[str, Settled | Refused]:
    """The same for many comments at once, in one transaction: what came of each, in the order
    given.
    """
    ids = list(decisions)
    session.execute(
        select(Comment.id)
        .where(Comment.id.in_(ids))
        .order_by(Comment.id)
        .with_for_update(key_share=True)
    )
    logs = human_decisions(session, ids)
    lasts = {id_: _to_undo(logs[id_], wanted) for id_, wanted in decisions.items()}
    closed: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for row in session.execute(
        select(Review.comment_id, Review.closed_by, Review.cause).where(Review.comment_id.in_(ids))
    ):
        closed[row.comment_id, row.closed_by].append(row.cause)
    changes = [
        _restoring(last, by, closed[id_, last.id])
        for id_, last in lasts.items()
        if isinstance(last, DecisionRecord)
    ]
    erased = Refused("This comment was erased; nothing can be restored.")
    settled = zip(changes, settle(session, changes), strict=True)
    restored: dict[str, Settled | Refused] = {
        change.comment_id: each or erased for change, each in settled
    }
    return {
        id_: last if isinstance(last, Refused) else restored[id_] for id_, last in lasts.items()
    }


def _to_undo(log: Sequence[DecisionRecord], wanted: str | None) -> DecisionRecord | Refused:
    """The standing decision, if it is the one wanted."""
    last = standing_decision(log)
    if last is None:
        return Refused("There is no decision by a moderator left to undo on this comment.")
    if wanted is not None and wanted != last.id:
        return Refused(_why_not(wanted, last, log))
    return last


def _restoring(last: DecisionRecord, by: Actor, reopens: Sequence[str]) -> Change:
    """What a human has seen goes to humans, not back in line."""
    before = "flagged" if last.was == "pending" else last.was
    return Change(
        last.comment_id,
        VERDICT[before],
        reasons=(f"undid the decision to {last.verdict}",),
        by=by,
        undoes=last.id,
        becomes=before,
        reopens=reopens,
    )


def _why_not(decision: str, last: DecisionRecord, log: Sequence[DecisionRecord]) -> str:
    if any(entry.undoes == decision for entry in log):
        return "That decision has been undone already."
    return (
        f"Another decision came after that one: {last.by} decided to {last.verdict} at "
        f"{last.at:%Y-%m-%d %H:%M} UTC."
    )


def erase(session: Session, comment_id: str, *, by: Actor) -> Settled | None:
    """Remove the comment's content everywhere we keep it; its place stays for its replies. None if
    it is gone.
    """
    work = Settling(session, [Change(comment_id, None)])
    comment = work.comments.get(comment_id)
    if comment is None or comment["erased_at"] is not None:
        return None
    # Before its deliveries and events, like everyone who changes these under the lock of their
    # site.
    session.execute(
        select(Site.id).where(Site.id == comment["site_id"]).with_for_update(key_share=True)
    )
    was = comment["status"]
    comment.update(dict(_NOTHING), erased_at=work.at)
    if was == "approved":
        work.move_on_page(comment, "deleted")
    comment.update(status="deleted", version=comment["version"] + 1)
    work.changed[comment_id] = None
    decision = work.record_decision(
        Change(comment_id, Verdict.REJECT, ("erased",), by), comment, was, "deleted"
    )
    work.closing.append((comment_id, decision))
    touches_page = was == "approved"
    work.emit(
        comment,
        "comment.deleted",
        None,
        was=was,
        revision=comment["revision"] if touches_page else None,
    )
    work.also_to[work.latest_event[comment_id]] = cancel_deliveries(session, comment_id)
    _redact(session, comment_id, comment["at"])
    session.execute(
        update(Comment).where(Comment.id == comment_id), {**_NOTHING, "erased_at": work.at}
    )
    work.write()
    _forget_soon(session, comment, work.at)
    owe_scrubbing(session, work.at, index=True)
    settled = work.answer(comment, decision_id=decision, is_new=True, touches_page=touches_page)
    return settled._replace(owed=tuple(work.owed.get(comment_id, ())))


def _forget_soon(session: Session, comment: dict[str, Any], at: datetime) -> None:
    """A site's model that may have learned from the comment is owed another without it."""
    was_decided = exists().where(DecisionRecord.comment_id == comment["id"], BY_A_HUMAN)
    has_learned = exists().where(SiteModelRecord.site_id == comment["site_id"])
    site = update(Site).where(Site.id == comment["site_id"], was_decided, has_learned)
    session.execute(site.values(learn_due=at))


_NOTHING: dict[str, Any] = {
    "name": "",
    "email": None,
    "email_index": "",
    "website": None,
    "body": "",
    "html": None,
    "avatar": "",
    "address": "",
    "form": {},
    "page": {},
    "said_once": None,
    "request_hash": None,
    "screen_due": None,
    "found": None,
    "campaign": None,
}


def erase_rest(session: Session, comment_id: str) -> None:
    """What is left of a comment that was erased before, by whatever mistake."""
    cancel_deliveries(session, comment_id)
    _redact(session, comment_id, session.get_one(Comment, comment_id).at)
    erased = update(Comment).where(Comment.id == comment_id, Comment.erased_at.is_not(None))
    session.execute(erased.values(_NOTHING))
    owe_scrubbing(session, now(), index=True)


def _redact(session: Session, comment_id: str, at: datetime) -> None:
    """Evidence and reasons quote the comment, and events carry it: what they said goes, that they
    were stays.
    """
    session.execute(update(Screening).where(Screening.comment_id == comment_id).values(evidence=[]))
    session.execute(
        update(DecisionRecord)
        .where(DecisionRecord.comment_id == comment_id)
        .values(reasons=[], note="")
    )
    session.execute(
        delete(Fingerprint).where(Fingerprint.comment_id == comment_id, Fingerprint.at == at)
    )
    session.execute(delete(Note).where(Note.kind == "comment", Note.subject == comment_id))
    session.execute(delete(Question).where(Question.comment_id == comment_id))
    theirs = (Block.comment_id == comment_id) & (Block.kind == "author")
    session.execute(update(Block).where(theirs).values(label="an erased author"))
    like_it = (Block.comment_id == comment_id) & (Block.kind == "like")
    session.execute(update(Block).where(like_it).values(label="an erased comment"))
    session.execute(delete(LinkedHost).where(LinkedHost.comment_id == comment_id))
    redact_attempts(session, comment_id)
    for event in session.execute(select(Event).where(Event.comment_id == comment_id)).scalars():
        blank = {**event.data["comment"], "name": "", "website": None, "html": ""}
        event.data = {
            **event.data,
            "comment": blank,
            "decision": _without_reasons(event.data["decision"]),
        }


def _without_reasons(decision: dict[str, Any] | None) -> dict[str, Any] | None:
    return {**decision, "reasons": []} if decision else None
