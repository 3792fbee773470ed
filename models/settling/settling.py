"""`settle()`: the one place where a comment changes status, by the policy or by a human.

One transaction writes the status, the decision, the reviews, the event and its deliveries: all of
it or nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy import bindparam, case, select, update
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Verdict
from models.judgement.rules import Rule
from models.judgement.scores import ABUSE, SCORES
from models.records import DecisionRecord, Edit, Review, Site
from models.records.edit import EDITED
from models.records.review import DUE_AFTER, DUE_AFTER_ALL, UNKNOWN
from models.settling.actor import POLICY, Actor
from models.settling.appeals import APPEALED, CLOSE_APPEALED, AppealDraft, Appeals
from models.settling.changes import STATUS, Change, Screened, Settled
from models.settling.drafts import CommentDraft, Drafts
from models.settling.edits import WaitingEdits, record_screening
from models.settling.events import DecisionShape, EventLog
from models.settling.history import BY_A_HUMAN
from models.settling.introducing import introduce
from models.settling.mailing import OwedMails
from models.settling.reports import Objections
from models.settling.rows import ClosedReview, NewRows
from models.settling.site_rules import RulesInUse
from models.settling.statements import Sources, needs_statement, statement_of
from models.store.database import Moment, now
from models.text import markdown

_PROBABLY = 0.5  # a score
LEARN_EVERY = 25  # human decisions on a site
log = structlog.get_logger()


def settle(session: Session, changes: Sequence[Change]) -> list[Settled | None]:
    """Apply the changes in the session's transaction.

    Return one outcome for each change, in order. None means that nothing changed: someone else was
    first, or the author appealed against this person's own decision.
    """
    work = Settling(session, [change.comment_id for change in changes])
    outcomes = [work.apply(change) for change in changes]
    work.write()
    return [outcome and work.with_deliveries(outcome) for outcome in outcomes]


def tell(settled: Iterable[Settled]) -> None:
    """Log the settled comments. Call this after the transaction is committed."""
    for each in settled:
        if each.is_new:
            log.info(
                "settled", comment=each.comment_id, site=each.site, status=each.status, ms=each.ms
            )


class Settling:
    """One settling transaction: it locks and reads every row once, and writes it once, whatever the
    number of changes.
    """

    def __init__(self, session: Session, comment_ids: Iterable[str]) -> None:
        self.at = now()
        self._session = session
        self.drafts = Drafts(session, comment_ids)
        self.events = EventLog(session, self.drafts, self.at)
        self.edits = WaitingEdits(session, self.drafts.comments.values(), self.at)
        self._rows = NewRows()
        self._mails = OwedMails(self.at)
        self._rules = RulesInUse(session)
        self._sources = Sources(session, self.drafts.comments.keys())
        self.appeals = Appeals(session, self.drafts.comments.keys())
        self._closed_appeals: list[ClosedReview] = []
        self._human_decisions: Counter[int] = Counter()  # by site
        self._objections = Objections(session, self.events, self.at)

    def apply(self, change: Change) -> Settled | None:
        comment = self.drafts.comments.get(change.comment_id)
        if comment is None or comment.erased_at or not _still_holds(change, comment):
            return None
        if self.appeals.refuses(change):
            return None
        self.drafts.change(comment)
        if change.undoes and change.edit:
            return self._undo_edit(change, comment)
        if edit := self.edits.concerned(change, comment):
            return self._decide_edit(change, comment, edit)
        is_edited = comment.status == "flagged" and comment.html is None
        if is_edited and change.undoes:
            return None  # the state before had another text, and nobody has read this one
        if change.screened:
            self._record_screening(comment, change.screened)
        elif change.verdict is not None:
            self._end_screening(comment, change.by)
        becomes = self._becomes(change, comment)
        if becomes is None or (change.screened and becomes == comment.status):
            if is_edited:
                decision = _shape(change) if change.verdict else None
                self.events.add(comment, decision, was="flagged", revision=None, is_edit=True)
            return self.settled(comment)
        return self._decide(change, comment, becomes)

    def _end_screening(self, comment: CommentDraft, by: Actor) -> None:
        """A screening never overrules a human decision, or a hold because of reports. While an edit
        waits, only the edit is screened, and the decision is not about that.
        """
        if comment.edit_id is None:
            comment.screen_due = None
        if by.is_human:
            comment.seen_at = comment.seen_at or self.at

    def _becomes(self, change: Change, comment: CommentDraft) -> str | None:
        """Return the status that the change gives the comment; None without a verdict."""
        if change.verdict is None:
            return None
        was_edited = comment.status == "flagged" and comment.edited_at is not None
        if change.screened and was_edited and not self._may_policy_decide(comment):
            return comment.status
        return change.becomes or STATUS[change.verdict]

    def _decide(self, change: Change, comment: CommentDraft, becomes: str) -> Settled:
        was = comment.status
        is_new = was != becomes
        touches_page = is_new and "approved" in (was, becomes)
        if change.screened and becomes == "flagged":
            comment.held_by = _spaced(change.checks)
        if is_new:
            comment.status, comment.version = becomes, comment.version + 1
            comment.settled_at = self.at
            if comment.html is None:
                comment.html = markdown.render(comment.body)
        if touches_page:
            self._move_on_page(comment, change.screened)
        is_edit_dropped = bool(comment.edit_id) and becomes != "approved"
        if is_edit_dropped:
            self.drafts.edit(comment)
            self.edits.drop(comment, change.by)
        rule = self._rules.applied(change, comment.site_id)
        if rule and change.rule and not change.reason:
            change = replace(change, reason=rule.reason)
        decision_id = self._record_decision(change, comment, was, rule)
        if is_new:
            revision = comment.revision if touches_page else None
            self.events.add(comment, _shape(change), was=was, revision=revision)
        if is_edit_dropped:
            self._close_edited(comment, decision_id)
        self._record_reviews(change, comment, was, decision_id)
        appeal = self._settle_appeal(change, comment, decision_id)
        if is_new or (appeal and not change.undoes):
            self._mails.add(comment, self.drafts.thread_of(comment), change, decision_id)
        if rule and needs_statement(change):
            self._state_reasons(change, comment, decision_id, rule, is_final=appeal is not None)
        return self.settled(comment, decision_id, is_new=is_new, touches_page=touches_page)

    def _may_policy_decide(self, comment: CommentDraft) -> bool:
        """Whether the policy alone held this comment, whose author edited it since: otherwise a
        moderator decides.
        """
        decided = select(DecisionRecord.id).where(DecisionRecord.comment_id == comment.id)
        others = (Review.cause != "flagged") | Review.blind
        open_ = Review.closed_at.is_(None) & (Review.comment_id == comment.id)
        asked = decided.where(BY_A_HUMAN).exists() | select(Review.id).where(open_, others).exists()
        return not self._session.scalar(select(asked))

    def _decide_edit(self, change: Change, comment: CommentDraft, edit: Edit) -> Settled:
        """Decide about the edit of a public comment: publish the new text, leave it to a moderator,
        or drop it. The comment itself stays as it is.
        """
        self.drafts.edit(comment)
        if change.screened:
            self._record_screening_of(edit, comment, change.screened)
            if change.verdict is Verdict.APPROVE:  # the comment's links are those that readers see
                self._rows.hosts.extend(change.screened.hosts)
        if change.verdict is None:
            return self.settled(comment)
        comment.version += 1
        is_published = change.verdict is Verdict.APPROVE
        if is_published:
            if screening := self.edits.publish(edit, comment, change.by):
                self._rows.screenings.append(screening)
            self._show_edit(comment)
        elif change.verdict is Verdict.FLAG:
            self.edits.hold(edit, comment)
        else:
            rule = self._rules.applied(change, comment.site_id) if change.rule else None
            reason = rule.reason if rule and not change.reason else change.reason
            self.edits.reject(edit, comment, change.by, reason)
        return self._record_edit(change, comment, edit, is_published=is_published)

    def revise(self, comment: CommentDraft, body: str, *, by: Actor, note: str) -> Settled:
        """Give the comment a moderator's text at once, and drop the author's edit that waits."""
        if edit := self.edits.of(comment):
            dropped = Change(comment.id, Verdict.REJECT, ("a moderator edited it",), by)
            self._decide_edit(dropped, comment, edit)
        self.drafts.change(comment)
        self.drafts.edit(comment)
        self.edits.replace(comment, body, by=by, note=note)
        comment.html = markdown.render(body)
        is_public = comment.status == "approved"
        if is_public:
            self._show_edit(comment)
        if comment.event_sequence:
            revision = comment.revision if is_public else None
            self.events.add(comment, None, was=comment.status, revision=revision, is_edit=True)
        return self.settled(comment, touches_page=is_public)

    def _undo_edit(self, change: Change, comment: CommentDraft) -> Settled | None:
        """Let the edit wait for a moderator again, as it did before the decision about it."""
        edit = self.edits.undone(change, comment)
        if edit is None:
            return None
        self.drafts.edit(comment)
        comment.version += 1
        is_published = self.edits.bring_back(edit, comment)
        if is_published:
            self._show_edit(comment)
        return self._record_edit(change, comment, edit, is_published=is_published)

    def _record_edit(
        self, change: Change, comment: CommentDraft, edit: Edit, *, is_published: bool
    ) -> Settled:
        """Record the decision about an edit, its event and its review."""
        decision_id = self._record_decision(change, comment, comment.status, None, edit_id=edit.id)
        self.edits.decided(edit, decision_id)
        if is_published:
            self.events.add(
                comment,
                _shape(change),
                was=comment.status,
                revision=comment.revision,
                is_edit=True,
            )
        if comment.edit_id:
            self.open_review(comment, EDITED, risk=edit.risk)
        else:
            self._close_edited(comment, decision_id)
        return self.settled(comment, decision_id, touches_page=is_published)

    def _show_edit(self, comment: CommentDraft) -> None:
        """Publish the comment's page again with its new text."""
        thread = self.drafts.thread_of(comment)
        thread.revision += 1
        thread.publish_due = self.at
        comment.revision = thread.revision

    def _record_screening_of(self, edit: Edit, comment: CommentDraft, screened: Screened) -> None:
        comment.screenings, comment.screen_due = screened.number, screened.again
        comment.screening_by, comment.screenings_alone = None, 0
        record_screening(edit, screened)
        edit.risk, edit.found = risk_of(screened.evidence), names_of(screened.evidence)
        edit.campaign = _campaign_of(screened.evidence)
        self._rows.fingerprints.extend(screened.fingerprints)

    def erase(self, comment_id: str, *, by: Actor) -> Settled | None:
        """Mark the comment as deleted, and blank its draft. None if it was erased before."""
        comment = self.drafts.comments.get(comment_id)
        if comment is None or comment.erased_at:
            return None
        self.drafts.change(comment)
        was = comment.status
        comment.status, comment.version, comment.erased_at = "deleted", comment.version + 1, self.at
        comment.name, comment.website, comment.html, comment.page = "", None, None, {}
        comment.badges = comment.edit_id = None
        comment.screen_due = comment.found = comment.campaign = None
        touches_page = was == "approved"
        if touches_page:
            self._move_on_page(comment, None)
        change = Change(comment_id, Verdict.REJECT, ("erased",), by)
        decision_id = self._record_decision(change, comment, was, None)
        self._close_reviews(comment, decision_id)
        self._objections.decided(comment, change, decision_id)
        revision = comment.revision if touches_page else None
        self.events.add(comment, None, was=was, revision=revision)
        self._settle_appeal(change, comment, decision_id)
        return self.settled(comment, decision_id, is_new=True, touches_page=touches_page)

    def appealed(self, comment: CommentDraft) -> Settled:
        """Ask moderators to review the comment, whose author has just appealed."""
        self.open_review(comment, APPEALED)
        appeal = self.appeals.open_on(comment.id)
        assert appeal
        self.events.add_aside(comment, "appeal.opened", {"appeal": appeal.shape()})
        return self.settled(comment)

    def settled(
        self,
        comment: CommentDraft,
        decision_id: str | None = None,
        *,
        is_new: bool = False,
        touches_page: bool = False,
    ) -> Settled:
        """Return the outcome for a comment; without a decision, it stays as it is."""
        return Settled(
            decision_id,
            comment.id,
            comment.thread_id,
            comment.status,
            comment.version,
            is_new,
            touches_page,
            site=self.drafts.site_keys[comment.site_id],
            ms=round((self.at - comment.at).total_seconds() * 1000),
        )

    def with_deliveries(self, settled: Settled) -> Settled:
        """Add the endpoints with a delivery that is due now, which are known only after `write`."""
        endpoints = self.events.owed.get(settled.comment_id)
        return settled._replace(owed=tuple(endpoints)) if endpoints else settled

    def _record_screening(self, comment: CommentDraft, screened: Screened) -> None:
        comment.screenings, comment.screen_due = screened.number, screened.again
        comment.screening_by, comment.screenings_alone = None, 0
        comment.language = screened.language
        comment.risk, comment.found = risk_of(screened.evidence), names_of(screened.evidence)
        # The screening rendered it already, so that no lock waits for a long text.
        comment.html = comment.html or screened.html
        comment.campaign = _campaign_of(screened.evidence) or comment.campaign
        self._rows.screenings.append(
            {
                "id": new_id(),
                "comment_id": comment.id,
                "number": screened.number,
                "evidence": screened.evidence,
                "policy_version": screened.policy_version,
                "at": self.at,
            }
        )
        self._rows.fingerprints.extend(screened.fingerprints)
        self._rows.hosts.extend(screened.hosts)

    def _move_on_page(self, comment: CommentDraft, screened: Screened | None) -> None:
        """Show the comment on its page, or remove it. It keeps the place that it got at its first
        approval, so pages keep their members.
        """
        thread, is_approved = self.drafts.thread_of(comment), comment.status == "approved"
        thread.revision += 1
        thread.count += 1 if is_approved else -1
        thread.publish_due = self.at
        if is_approved:
            introduce(self._session, thread, comment, screened and screened.evidence)
        comment.revision = thread.revision
        if comment.place is None:
            self._give_place(comment)

    def _give_place(self, comment: CommentDraft) -> None:
        if comment.top_id == comment.id:
            thread = self.drafts.thread_of(comment)
            comment.place, thread.places = thread.places, thread.places + 1
        else:
            top = self.drafts.top_of(comment)
            comment.place, top.places = top.places, top.places + 1
            self.drafts.change(top)

    def _settle_appeal(
        self, change: Change, comment: CommentDraft, decision_id: str
    ) -> AppealDraft | None:
        """Close the appeal that a human decides, or open it again if that decision is undone. An
        author who deletes the comment withdraws it.
        """
        if not (change.by.is_human or comment.erased_at):
            return None
        if change.undoes and (again := self.appeals.reopen(comment.id, change.undoes)):
            self._objections.appealed(comment, again.decision_id, is_reversed=False)
            self.events.add_aside(comment, "appeal.opened", {"appeal": again.shape()})
            return again
        closed = self.appeals.close(
            comment.id,
            comment.status,
            decision_id=decision_id,
            answer=change.answer,
            at=self.at,
        )
        if closed is not None:
            self._closed_appeals.append(
                {"comment": comment.id, "decision": decision_id, "at": self.at}
            )
            self.events.add_aside(comment, "appeal.closed", {"appeal": closed.shape()})
            if closed.status == "reversed":
                self._objections.appealed(comment, closed.decision_id, is_reversed=True)
        return closed

    def _state_reasons(
        self,
        change: Change,
        comment: CommentDraft,
        decision_id: str,
        rule: Rule,
        *,
        is_final: bool,
    ) -> None:
        by_human = change.by.is_human
        self._rows.statements.append(
            statement_of(
                change,
                comment,
                decision_id,
                rule,
                source=self._sources.of(comment.id) if by_human else "own_initiative",
                is_final=is_final,
                at=self.at,
            )
        )

    def _record_decision(
        self,
        change: Change,
        comment: CommentDraft,
        was: str,
        rule: Rule | None,
        *,
        edit_id: str | None = None,
    ) -> str:
        """Record the decision. The comment already has its new status."""
        assert change.verdict
        decision_id = new_id()
        self._rows.decisions.append(
            {
                "id": decision_id,
                "comment_id": comment.id,
                "site_id": comment.site_id,
                "by": str(change.by),
                "verdict": change.verdict,
                "was": was,
                "becomes": comment.status,
                "version": comment.version,
                "reasons": list(change.words),
                "reason": change.reason,
                "note": change.note,
                "undoes": change.undoes,
                "edit_id": edit_id,
                "at": self.at,
                "batch": change.batch,
                "teaches": change.teaches,
                "rule": rule.key if rule else None,
                "answer": change.answer or None,
            }
        )
        if (
            edit_id is None
            and change.by.is_human
            and (change.undoes or change.verdict is not Verdict.FLAG)
        ):
            self._human_decisions[comment.site_id] += 1
        return decision_id

    def _record_reviews(
        self, change: Change, comment: CommentDraft, was: str, decision_id: str
    ) -> None:
        """Open a review for a flagged comment; a human's approval or rejection closes all open
        reviews. Screenings and undoing close only those that wait for no answer to a reader.
        """
        is_ruling = change.by.is_human and not change.undoes
        if comment.status == "flagged":
            propensity = 1.0 if change.screened else None
            self.open_review(comment, "flagged", blind=change.blind, propensity=propensity)
        elif was != "pending":
            self._close_reviews(comment, decision_id, also_of_readers=is_ruling)
            if (edit := self.edits.of(comment)) and comment.edit_id and edit.held_at:
                self.open_review(comment, EDITED, risk=edit.risk)  # it still waits
        if is_ruling or change.undoes:
            self._objections.decided(comment, change, decision_id)
        if change.blind and comment.status != "flagged":
            self.open_review(comment, "sampled", blind=True, propensity=change.share)
        for cause in change.reopens:
            if cause not in {"flagged", EDITED}:  # a dropped edit stays dropped
                self.open_review(comment, cause)

    def _close_reviews(
        self, comment: CommentDraft, decision_id: str, *, also_of_readers: bool = True
    ) -> None:
        closed: ClosedReview = {"comment": comment.id, "decision": decision_id, "at": self.at}
        rows = self._rows
        (rows.closed_reviews if also_of_readers else rows.closed_own_reviews).append(closed)

    def _close_edited(self, comment: CommentDraft, decision_id: str) -> None:
        self._rows.closed_edits.append(
            {"comment": comment.id, "decision": decision_id, "at": self.at}
        )

    def open_review(  # noqa: PLR0913 — the parts of a review
        self,
        comment: CommentDraft,
        cause: str,
        *,
        blind: bool = False,
        propensity: float | None = None,
        due_at: datetime | None = None,
        risk: float | None = None,
    ) -> None:
        """Open a review, unless one with this cause is open already."""
        risk = comment.risk if risk is None else risk
        self._rows.reviews.append(
            {
                "id": new_id(),
                "site_id": comment.site_id,
                "comment_id": comment.id,
                "cause": cause,
                "blind": blind,
                "opened_at": self.at,
                "due_at": due_at or self.at + DUE_AFTER.get(cause, DUE_AFTER_ALL),
                "risk": UNKNOWN if risk is None else risk,
                "propensity": propensity,
            }
        )

    def write(self) -> None:
        """Write all changes, and the sites' counters last, so that their locks are held as briefly
        as possible.
        """
        self.drafts.write()
        self._rows.write(self._session.connection())
        self.edits.write()
        self._objections.write()
        self._mails.write(self._session.connection())
        if self._closed_appeals:
            self._session.connection().execute(CLOSE_APPEALED, self._closed_appeals)
        self.appeals.write()
        self._write_sites()
        self.events.write()

    def _write_sites(self) -> None:
        """Update the sites in the order of their ids, so that no two transactions wait for each
        other.
        """
        for site in sorted({*self.events.sites, *self._human_decisions}):
            self.events.number(site)
            if count := self._human_decisions[site]:
                told = {"site": site, "count": count, "at": self.at}
                self._session.connection().execute(_OWE_LEARNING, told)


# Built once: putting a statement together costs more than running it. A site becomes due to learn
# with its 25th decision, unless it is due already.
_OWE_LEARNING = (
    update(Site)
    .where(Site.id == bindparam("site"))
    .values(
        fresh_decisions=Site.fresh_decisions + bindparam("count"),
        learn_due=case(
            (
                Site.learn_due.is_(None)
                & (Site.fresh_decisions + bindparam("count") >= LEARN_EVERY),
                bindparam("at", type_=Moment),
            ),
            else_=Site.learn_due,
        ),
    )
)


def _still_holds(change: Change, comment: CommentDraft) -> bool:
    """Whether the comment is still in the state that the decider saw."""
    if change.version is not None and comment.version != change.version:
        return False
    if change.screened is None:
        return True
    is_due = comment.screen_due is not None and change.edit == comment.edit_id
    return is_due and comment.screenings == change.screened.number - 1


def _shape(change: Change) -> DecisionShape:
    assert change.verdict
    return {
        "by": "moderator" if change.by.is_human else str(POLICY),
        "actor": change.by.shape(),
        "verdict": change.verdict,
        "reasons": list(change.words),
    }


def risk_of(evidence: Iterable[Evidence]) -> float | None:
    """The largest of the scores that the models gave, if they gave any."""
    scores = [item.score for item in evidence if item.check in SCORES]
    return max((score for score in scores if score is not None), default=None)


def names_of(evidence: Iterable[Evidence]) -> str:
    """Return the names of the checks that found something or could not run. Each has a space on
    both sides, so that lists can search for one: " links spam ".

    A language that a model does not know is no finding: it is true of every comment in it.
    """
    names = sorted(
        item.check
        for item in evidence
        if item.outcome is not Outcome.CLEAR and not _is_unknown_language(item)
    )
    return _spaced(names)


def _spaced(names: Sequence[str]) -> str:
    return f" {' '.join(names)} " if names else ""


def _is_unknown_language(item: Evidence) -> bool:
    """Whether a model does not know the language, and nothing else speaks against the comment."""
    if item.outcome is not Outcome.ABSTAINED:
        return False
    return item.check == ABUSE or (item.score is not None and item.score < _PROBABLY)


def _campaign_of(evidence: Iterable[Evidence]) -> str | None:
    return next((item.campaign for item in evidence if item.campaign), None)
