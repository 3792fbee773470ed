"""The log: who did what, and when. It joins decisions by people with all other actions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from models.identifiers import first_id
from models.judgement.policy import Policy
from models.records import Act, Comment, DecisionRecord, PolicyVersion, Thread
from models.settling.history import BY_A_HUMAN
from service.sites.policy_changes import SettingChange, changes_of, in_one_sentence

KINDS = ("decisions", "people", "settings", "threads", "blocks", "keys", "notices")
MOST_VERSIONS = 1000
_DID = {"approve": "approved", "reject": "rejected"}


def note_act(
    session: Session, by: str, kind: str, what: str, *, site_id: int | None = None
) -> None:
    """Log an action that is not a decision, in the transaction that does it.

    `by` is as in the decision log. `kind` is one of `KINDS`. `what` is a sentence without its
    subject: "closed the thread “/harbour”". Without a site, only the person who did it can read the
    line.
    """
    session.add(Act(site_id=site_id, by=by, kind=kind, what=what))


class Together(NamedTuple):
    """Decisions of one batch, shown as one line. `verdict` and `reason` are None if the decisions
    differ in them.
    """

    batch: str
    size: int
    verdict: str | None
    reason: str | None


class Line(NamedTuple):
    """One line of the log. A decision has the author's name and the title of its page; every other
    line has `what`. A new version of the settings has its `changes`. For a whole batch, `decision`
    is its latest decision.
    """

    id: str
    at: datetime
    by: str
    kind: str
    site_id: int | None
    what: str = ""
    decision: DecisionRecord | None = None
    name: str = ""
    page: str = ""
    together: Together | None = None
    version: int | None = None
    changes: Sequence[SettingChange] = ()


class LogFilter(NamedTuple):
    """Which lines to read. `who` is as the log names people. `since` is included, `until` is not.
    `batch` reads only the decisions of one batch; `undone` reads only those that undo something, or
    only the others. With `together`, a batch is one line.

    Actions on an account belong to no site. `own` adds those of this account.
    """

    site_ids: list[int]
    kind: str = ""
    who: str = ""
    since: datetime | None = None
    until: datetime | None = None
    own: str = ""
    batch: str = ""
    undone: bool | None = None
    together: bool = False


def lines(session: Session, wanted: LogFilter, before: str | None, limit: int) -> list[Line]:
    """Return the newest lines before that id, from both logs and the versions of the settings."""
    found: list[Line] = []
    if wanted.kind in {"", "decisions"}:
        found += _decisions(session, wanted, before, limit)
    if wanted.kind != "decisions" and not wanted.batch:
        found += _acts(session, wanted, before, limit)
    if wanted.kind in {"", "settings"} and not wanted.batch:
        found += _policies(session, wanted, before, limit)
    newest = sorted(found, key=lambda line: line.id, reverse=True)[:limit]
    if wanted.together:
        newest = _with_batches(session, wanted, newest)
    return [_with_changes(session, line) if line.version else line for line in newest]


def _decisions(session: Session, wanted: LogFilter, before: str | None, limit: int) -> list[Line]:
    rows = select(DecisionRecord, Comment.name, Comment.site_id, Thread.title, Thread.key)
    rows = rows.join(Comment, Comment.id == DecisionRecord.comment_id)
    rows = rows.join(Thread, Thread.id == Comment.thread_id)
    rows = rows.where(BY_A_HUMAN, DecisionRecord.site_id.in_(wanted.site_ids))
    rows = rows.where(*_conditions(wanted, before, DecisionRecord.id, DecisionRecord.by))
    if wanted.batch:
        rows = rows.where(DecisionRecord.batch == wanted.batch)
    elif wanted.together:
        rows = rows.where(~_is_of_a_later_one(wanted.until))
    if wanted.undone is not None:
        rows = rows.where(DecisionRecord.undoes.is_not(None) == wanted.undone)
    rows = rows.order_by(DecisionRecord.id.desc()).limit(limit)
    return [
        Line(
            decision.id,
            decision.at,
            decision.by,
            "decisions",
            site_id,
            decision=decision,
            name=name,
            page=title or key,
        )
        for decision, name, site_id, title, key in session.execute(rows)
    ]


def _is_of_a_later_one(until: datetime | None) -> ColumnElement[bool]:
    """Whether a later decision of the same batch represents this one."""
    later = aliased(DecisionRecord)
    found = exists().where(
        later.batch == DecisionRecord.batch,
        later.by == DecisionRecord.by,
        later.site_id == DecisionRecord.site_id,
        later.undoes.is_(None) == DecisionRecord.undoes.is_(None),
        later.id > DecisionRecord.id,
    )
    return found.where(later.id < first_id(until)) if until else found


class _Of(NamedTuple):
    """The values that all decisions of one line share."""

    batch: str
    by: str
    site_id: int | None
    is_undo: bool


def _with_batches(session: Session, wanted: LogFilter, found: Sequence[Line]) -> list[Line]:
    """Add the size of its batch to each decision that represents others."""
    named = {line.decision.batch for line in found if line.decision and line.decision.batch}
    conditions = _conditions(wanted, None, DecisionRecord.id, DecisionRecord.by)
    groups = _together(session, DecisionRecord.batch.in_(named), *conditions) if named else []
    batches = {group.of: group.together for group in groups}
    return [
        line._replace(together=batches.get(_of(line.decision))) if line.decision else line
        for line in found
    ]


def _of(decision: DecisionRecord) -> _Of:
    is_undo = decision.undoes is not None
    return _Of(decision.batch or "", decision.by, decision.site_id, is_undo)


class Group(NamedTuple):
    """Decisions of one batch by one moderator on one site."""

    of: _Of
    at: datetime
    together: Together


def large_batches(
    session: Session, site_ids: Collection[int], *, since: datetime, at_least: int
) -> list[Group]:
    """Return batches of at least that many decisions, made since then."""
    on_sites = DecisionRecord.site_id.in_(site_ids)
    conditions = (BY_A_HUMAN, on_sites, DecisionRecord.id >= first_id(since))
    return _together(session, *conditions, at_least=at_least)


def batch_of(
    session: Session, batch: str, site_ids: Collection[int], *, by: str
) -> Together | None:
    """The decisions of a batch that this moderator made, without those that undo others."""
    of_it = (DecisionRecord.batch == batch, DecisionRecord.by == by)
    groups = _together(session, *of_it, DecisionRecord.site_id.in_(site_ids), at_least=1)
    return next((group.together for group in groups if not group.of.is_undo), None)


def _together(session: Session, *conditions: ColumnElement[bool], at_least: int = 2) -> list[Group]:
    is_undo = DecisionRecord.undoes.is_not(None)
    one = (DecisionRecord.batch, DecisionRecord.by, DecisionRecord.site_id, is_undo)
    verdict, reason = DecisionRecord.verdict, func.coalesce(DecisionRecord.reason, "")
    ends = (func.min(verdict), func.max(verdict), func.min(reason), func.max(reason))
    rows = select(*one, func.max(DecisionRecord.at), func.count(), *ends)
    rows = rows.where(DecisionRecord.batch.is_not(None), *conditions)
    rows = rows.group_by(*one).having(func.count() >= at_least)
    return [
        Group(
            _Of(batch or "", by, site, bool(undone)),
            at,
            Together(batch or "", size, _if_same(*ends[:2]), _if_same(*ends[2:]) or None),
        )
        for batch, by, site, undone, at, size, *ends in session.execute(rows)
    ]


def _if_same(lowest: str, highest: str) -> str | None:
    return lowest if lowest == highest else None


def said_together(together: Together, *, is_undo: bool) -> str:
    """Say what was decided, without the subject: "rejected 241 comments as spam"."""
    comments = f"{together.size:,} comment{'s' if together.size > 1 else ''}"
    if is_undo:
        return f"undid the decisions on {comments}"
    reason = said_reason(together.reason)
    if together.verdict == "flag":
        return f"sent {comments} to review{reason}"
    return f"{_DID.get(together.verdict or '', 'decided')} {comments}{reason}"


def said_reason(reason: str | None) -> str:
    """Return the end of a sentence: " as spam", " for another reason", or nothing."""
    if reason == "other":
        return " for another reason"
    return f" as {reason.replace('_', ' ')}" if reason else ""


def first_of_batch(session: Session, wanted: LogFilter, line: Line, limit: int) -> list[Line]:
    """Return the latest decisions that this line represents."""
    if line.together is None or line.decision is None or line.site_id is None:
        return []
    one = wanted._replace(
        site_ids=[line.site_id],
        batch=line.together.batch,
        who=line.by,
        undone=line.decision.undoes is not None,
        together=False,
    )
    return _decisions(session, one, None, limit)


def _acts(session: Session, wanted: LogFilter, before: str | None, limit: int) -> list[Line]:
    own = Act.site_id.is_(None) & (Act.by == wanted.own)
    acts = select(Act).where(or_(Act.site_id.in_(wanted.site_ids), own))
    if wanted.kind:
        acts = acts.where(Act.kind == wanted.kind)
    acts = acts.where(*_conditions(wanted, before, Act.id, Act.by))
    return [
        Line(act.id, act.at, act.by, act.kind, act.site_id, act.what)
        for act in session.scalars(acts.order_by(Act.id.desc()).limit(limit))
    ]


def _policies(session: Session, wanted: LogFilter, before: str | None, limit: int) -> list[Line]:
    """Return the versions of the settings. Their ids are numbers, so a line's id is made from its
    time.
    """
    columns = (PolicyVersion.at, PolicyVersion.by, PolicyVersion.site_id, PolicyVersion.version)
    versions = select(*columns).where(PolicyVersion.site_id.in_(wanted.site_ids))
    if wanted.who:
        versions = versions.where(PolicyVersion.by == wanted.who)
    if wanted.since:
        versions = versions.where(PolicyVersion.at >= wanted.since)
    if wanted.until:
        versions = versions.where(PolicyVersion.at < wanted.until)
    versions = versions.order_by(PolicyVersion.id.desc()).limit(MOST_VERSIONS)
    saved = [
        Line(first_id(at), at, by, "settings", site_id, version=version)
        for at, by, site_id, version in session.execute(versions)
    ]
    return [line for line in saved if before is None or line.id < before][:limit]


def _with_changes(session: Session, line: Line) -> Line:
    assert line.site_id is not None
    assert line.version is not None
    changes = changes_in(session, line.site_id, line.version)
    what = f"changed {in_one_sentence(changes)} (settings version {line.version})"
    return line._replace(what=what, changes=changes)


def changes_in(session: Session, site_id: int, version: int) -> list[SettingChange]:
    """Return what this version of a site's settings changed."""
    saved = policy_of(session, site_id, version)
    return changes_of(policy_of(session, site_id, version - 1), saved)


def policy_of(session: Session, site_id: int, version: int) -> Policy:
    """Return a version of a site's settings. Before the first saved one, the defaults applied."""
    saved = select(PolicyVersion.policy).where(
        PolicyVersion.site_id == site_id, PolicyVersion.version == version
    )
    return Policy.model_validate(session.scalar(saved) or {})


def _conditions(
    wanted: LogFilter,
    before: str | None,
    id_: SQLColumnExpression[str],
    by: SQLColumnExpression[str],
) -> list[ColumnElement[bool]]:
    """Return the filter for a log whose ids are in chronological order."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.who:
        conditions.append(by == wanted.who)
    if wanted.since:
        conditions.append(id_ >= first_id(wanted.since))
    if wanted.until:
        conditions.append(id_ < first_id(wanted.until))
    if before:
        conditions.append(id_ < before)
    return conditions
