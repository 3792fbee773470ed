"""One transaction in which comments change status: their decisions, reviews, events and pages owed,
all or nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Insert,
    Row,
    Select,
    Table,
    Update,
    bindparam,
    case,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.judgement.evidence import Evidence, Outcome, from_stored, refused_of_page
from models.judgement.policy import Verdict, page_query
from models.records import (
    Comment,
    DecisionRecord,
    Event,
    Fingerprint,
    LinkedHost,
    Review,
    Screening,
    Site,
)
from models.records.review import DUE_AFTER, DUE_AFTER_ALL, UNKNOWN
from models.records.site import PAGE_QUERY
from models.settings import settings
from models.settling.actor import POLICY
from models.settling.changes import STATUS, Change, Screened, Settled
from models.store.database import Base, Moment, insert_new, now
from models.text import markdown
from models.text.stamps import utc_stamp
from models.text.urls import page_address
from models.webhooks.owed import owed_deliveries

LEARN_EVERY = 25  # decisions by moderators of a site


class Settling:
    """One settling transaction: rows are locked and read once, written once, whatever the number of
    changes.
    """

    def __init__(self, session: Session, changes: Sequence[Change]) -> None:
        self.session, self.at = session, now()
        ids = sorted({change.comment_id for change in changes})
        # Everyone locks comments, threads, sites, then deliveries, by their ids in order: nobody
        # waits in a ring.
        branches = session.execute(_BRANCHES, {"ids": ids}).scalars().all()
        self.rooted = {
            row.id: _draft(row) for row in self._locked(_LOCK_COMMENTS, {*ids, *branches})
        }
        self.comments = {id_: self.rooted[id_] for id_ in ids if id_ in self.rooted}
        self.threads = {
            row.id: _draft(row) for row in self._locked(_LOCK_THREADS, self._all("thread_id"))
        }
        self.sites = {
            row.id: row.key for row in session.execute(_SITES, {"ids": list(self._all("site_id"))})
        }
        self.latest_event = self._latest_events()
        self.listened: set[int] = set()
        self.also_to: dict[str, set[str]] = {}
        self.owed: dict[str, list[str]] = defaultdict(list)
        self.nth: dict[int, int] = defaultdict(int)
        self.rows: dict[type, list[dict[str, Any]]] = defaultdict(list)
        self.changed: dict[str, None] = {}
        self.closing: list[tuple[str, str]] = []
        self.opening: list[dict[str, Any]] = []
        self.taught: Counter[int] = Counter()

    def _locked(self, locking: Select[Any], ids: Collection[Any]) -> Iterable[Row[Any]]:
        return self.session.connection().execute(locking, {"ids": list(ids)})

    def _all(self, column: str) -> set[Any]:
        return {comment[column] for comment in self.comments.values()}

    def _latest_events(self) -> dict[str, str]:
        ids = [comment["id"] for comment in self.comments.values() if comment["event_sequence"]]
        if not ids:
            return {}
        found = (
            select(Event.comment_id, Event.id)
            .where(Event.comment_id.in_(ids))
            .order_by(Event.sequence)
        )
        return dict(self.session.execute(found).all())

    def apply(self, change: Change) -> Settled | None:
        comment = self.comments.get(change.comment_id)
        if comment is None or comment["erased_at"] is not None or not _still_holds(change, comment):
            return None
        self.changed[change.comment_id] = None
        if change.screened:
            self._record_screening(comment, change.screened)
        elif change.verdict is not None:
            comment["screen_due"] = None  # never over a human decision
            comment["seen_at"] = comment["seen_at"] or self.at
        if change.verdict is None:
            return self.answer(comment, decision_id=None, is_new=False, touches_page=False)
        was, becomes = comment["status"], change.becomes or STATUS[change.verdict]
        if change.screened and was == becomes:
            return self.answer(comment, decision_id=None, is_new=False, touches_page=False)
        return self._decide(change, comment, was, becomes)

    def _decide(self, change: Change, comment: dict[str, Any], was: str, becomes: str) -> Settled:
        is_new = was != becomes
        touches_page = is_new and "approved" in (was, becomes)
        if is_new:
            comment.update(status=becomes, version=comment["version"] + 1, settled_at=self.at)
            if comment["html"] is None:
                comment["html"] = markdown.render(comment["body"])
        if touches_page:
            self.move_on_page(comment, becomes, change.screened)
        decision = self.record_decision(change, comment, was, becomes)
        if is_new:
            self._record_event(change, comment, was, comment["revision"] if touches_page else None)
        self._record_reviews(change, comment, was, decision)
        return self.answer(comment, decision_id=decision, is_new=is_new, touches_page=touches_page)

    def answer(self, comment: dict[str, Any], **about: Any) -> Settled:
        return Settled(
            comment_id=comment["id"],
            thread_id=comment["thread_id"],
            status=comment["status"],
            version=comment["version"],
            site=self.sites[comment["site_id"]],
            ms=round((self.at - comment["at"]).total_seconds() * 1000),
            **about,
        )

    def _record_screening(self, comment: dict[str, Any], screened: Screened) -> None:
        comment.update(
            screenings=screened.number, language=screened.language, screen_due=screened.again
        )
        comment.update(risk=risk_of(screened.evidence), found=names_of(screened.evidence))
        comment.update(screening_by=None, screenings_alone=0)
        comment["html"] = (
            comment["html"] or screened.html
        )  # rendered before: no lock waits for a long text
        self.rows[Screening].append(
            {
                "id": new_id(),
                "comment_id": comment["id"],
                "number": screened.number,
                "evidence": screened.evidence,
                "policy_version": screened.policy_version,
                "at": self.at,
            }
        )
        self.rows[Fingerprint].extend(screened.fingerprints)
        self.rows[LinkedHost].extend(screened.hosts)
        comment["campaign"] = next(
            (item.campaign for item in screened.evidence if item.campaign), comment["campaign"]
        )

    def _introduce(
        self, thread: dict[str, Any], comment: dict[str, Any], screened: Screened | None
    ) -> None:
        """Give the thread the title and address that came with the comment, if it has none and no
        check objected.
        """
        page = comment["page"]
        title = None if thread["title"] or thread["title_is_final"] else page.get("title")
        url = None if thread["url"] or thread["url_is_final"] else page.get("url")
        if not title and not url:
            return
        refused = refused_of_page(
            screened.evidence if screened else self._latest_evidence(comment["id"])
        )
        if title and "title" not in refused:
            thread["title"] = title
        if url and "address" not in refused:
            thread["url"] = page_address(url, self._page_query(comment["site_id"]))

    def _latest_evidence(self, comment_id: str) -> list[Evidence]:
        wanted = select(Screening.evidence).where(Screening.comment_id == comment_id)
        kept = self.session.execute(wanted.order_by(Screening.number.desc()).limit(1)).scalar()
        return [from_stored(item) for item in kept or ()]

    def _page_query(self, site_id: int) -> Sequence[str]:
        return page_query(
            self.session.execute(select(PAGE_QUERY).where(Site.id == site_id)).scalar()
        )

    def move_on_page(
        self, comment: dict[str, Any], becomes: str, screened: Screened | None = None
    ) -> None:
        """A comment keeps the place it got at its first approval, so pages keep their members."""
        thread = self.threads[comment["thread_id"]]
        thread["revision"] += 1
        thread["count"] += 1 if becomes == "approved" else -1
        thread["publish_due"] = self.at
        if becomes == "approved":
            self._introduce(thread, comment, screened)
        comment["revision"] = thread["revision"]
        if comment["place"] is None:
            among = thread if comment["top_id"] == comment["id"] else self.rooted[comment["top_id"]]
            comment["place"] = among["places"]
            among["places"] += 1
            if among is not thread:
                self.changed[among["id"]] = None

    def record_decision(
        self, change: Change, comment: dict[str, Any], was: str, becomes: str
    ) -> str:
        row = {
            "id": new_id(),
            "comment_id": comment["id"],
            "site_id": comment["site_id"],
            "by": str(change.by),
            "verdict": change.verdict,
            "was": was,
            "becomes": becomes,
            "version": comment["version"],
            "reasons": list(change.words),
            "reason": change.reason,
            "note": change.note,
            "undoes": change.undoes,
            "at": self.at,
            "batch": change.batch,
        }
        self.rows[DecisionRecord].append(row)
        if change.by.is_human and (change.undoes or change.verdict != Verdict.FLAG):
            self.taught[comment["site_id"]] += 1
        return str(row["id"])

    def _record_event(
        self, change: Change, comment: dict[str, Any], was: str, revision: int | None
    ) -> None:
        self.emit(
            comment,
            f"comment.{comment['status']}",
            {
                "by": "moderator" if change.by.is_human else str(POLICY),
                "verdict": change.verdict,
                "reasons": list(change.words),
            },
            was=was,
            revision=revision,
        )

    def emit(
        self,
        comment: dict[str, Any],
        kind: str,
        decision: dict[str, Any] | None,
        *,
        was: str,
        revision: int | None,
    ) -> None:
        """An event of the site's log, in the order of this transaction among all.

        `was` is the status before. One that changes a page names the `revision` at which the page
        shows it.
        """
        site, event_id = comment["site_id"], new_id()
        comment["event_sequence"] += 1
        supersedes = self.latest_event.get(comment["id"])
        self.latest_event[comment["id"]] = event_id
        self.nth[site] += 1
        self.rows[Event].append(
            {
                "id": event_id,
                "site_id": site,
                "position": 0,
                "nth": self.nth[site],
                "type": kind,
                "comment_id": comment["id"],
                "sequence": comment["event_sequence"],
                "supersedes": supersedes,
                "data": _told(
                    self.sites[site],
                    self.threads[comment["thread_id"]],
                    comment,
                    supersedes,
                    decision,
                ),
                "thread_id": comment["thread_id"],
                "revision": revision,
                "ends_approval": was == "approved",
                "at": self.at,
            }
        )

    def _record_reviews(
        self, change: Change, comment: dict[str, Any], was: str, decision: str
    ) -> None:
        """A flagged comment has an open review; a human's approval or rejection closes whatever was
        open.
        """
        if comment["status"] == "flagged":
            self.opening.append(self._review(comment, "flagged", blind=change.blind))
        elif was != "pending":
            self.closing.append((comment["id"], decision))
        if change.blind and comment["status"] != "flagged":
            self.opening.append(self._review(comment, "sampled", blind=True))
        self.opening += [
            self._review(comment, cause) for cause in change.reopens if cause != "flagged"
        ]

    def _review(
        self, comment: dict[str, Any], cause: str, *, blind: bool = False
    ) -> dict[str, Any]:
        return {
            "id": new_id(),
            "site_id": comment["site_id"],
            "comment_id": comment["id"],
            "cause": cause,
            "blind": blind,
            "opened_at": self.at,
            "due_at": self.at + DUE_AFTER.get(cause, DUE_AFTER_ALL),
            "risk": UNKNOWN if comment["risk"] is None else comment["risk"],
        }

    def write(self) -> None:
        """Everything but the sites' counters is written before these: they are held for the
        shortest time.
        """
        changed = [self.rooted[id_] for id_ in self.changed]
        touched = {comment["thread_id"] for comment in changed}
        _rewrite(self.session, _REWRITE_COMMENT, _OF_A_COMMENT, changed)
        _rewrite(
            self.session,
            _REWRITE_THREAD,
            _OF_A_THREAD,
            [self.threads[id_] for id_ in sorted(touched)],
        )
        for record in (Screening, DecisionRecord):
            self._insert(record)
        for at_most_once in (Fingerprint, LinkedHost):
            if rows := self.rows[at_most_once]:
                self.session.connection().execute(insert_new(at_most_once), rows)
        if self.closing:
            closed = [
                {"comment": comment, "at": self.at, "decision": decision}
                for comment, decision in self.closing
            ]
            self.session.connection().execute(_CLOSE_REVIEWS, closed)
        if self.opening:
            self.session.connection().execute(insert_new(Review), self.opening)
        self._write_sites()
        self._insert(Event)
        if self.listened:
            self._owe_deliveries()

    def _insert(self, record: type[Base]) -> None:
        if rows := self.rows[record]:
            self.session.connection().execute(_inserting(record.__tablename__), rows)

    def _write_sites(self) -> None:
        """Sites last and in the order of their ids, so that two transactions never wait for each
        other in a ring.
        """
        events: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in self.rows[Event]:
            events[row["site_id"]].append(row)
        for site in sorted({*events, *self.taught}):
            if rows := events.get(site):
                self._number_events(site, rows)
            if count := self.taught[site]:
                self.session.connection().execute(
                    _TEACH, {"site": site, "count": count, "at": self.at}
                )

    def _number_events(self, site: int, rows: Sequence[dict[str, Any]]) -> None:
        """One step of the site's counter a transaction: it is held until the commit, so a cursor
        never skips.
        """
        position, endpoints = (
            self.session.connection().execute(_NEXT_POSITION, {"site": site}).one()
        )
        for row in rows:
            row["position"] = position
        if endpoints or self.also_to:
            self.listened.add(site)

    def _owe_deliveries(self) -> None:
        """Under the lock of the site's counter: who subscribes comes before these events or after
        them.
        """
        rows = owed_deliveries(self.session, self.listened, self.rows[Event], self.also_to, self.at)
        if rows:
            self.session.connection().execute(_inserting("deliveries"), rows)
        for row in rows:
            if row["due"]:
                self.owed[row["comment_id"]].append(row["endpoint_id"])


_OF_A_COMMENT = (
    *("status", "version", "html", "language", "settled_at", "screen_due", "screenings"),
    *("place", "places", "revision", "event_sequence", "campaign", "risk", "found", "seen_at"),
    *("screening_by", "screenings_alone"),
)
_OF_A_THREAD = ("revision", "count", "places", "publish_due", "url", "title")


def _locking(table: Table) -> Select[Any]:
    """Not so tightly that a comment which is just being accepted, and refers to these rows, would
    have to wait.
    """
    return (
        select(table)
        .where(table.c.id.in_(_IDS))
        .order_by(table.c.id)
        .with_for_update(key_share=True)
    )


@cache
def _inserting(table: str) -> Insert:
    return insert(Base.metadata.tables[table])


def _rewriting(table: Table, columns: Sequence[str]) -> Update:
    by_id = update(table).where(table.c.id == bindparam("its_id"))
    return by_id.values({column: bindparam(f"new_{column}") for column in columns})


# Built once: putting a statement together costs more than running it.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_COMMENTS, _THREADS = Base.metadata.tables["comments"], Base.metadata.tables["threads"]
_BRANCHES = select(Comment.top_id).where(Comment.id.in_(_IDS))
_SITES = select(Site.id, Site.key).where(Site.id.in_(_IDS))
_LOCK_COMMENTS, _LOCK_THREADS = _locking(_COMMENTS), _locking(_THREADS)
_REWRITE_COMMENT = _rewriting(_COMMENTS, _OF_A_COMMENT)
_REWRITE_THREAD = _rewriting(_THREADS, _OF_A_THREAD)
_NEXT_POSITION = (
    update(Site)
    .where(Site.id == bindparam("site"))
    .values(event_sequence=Site.event_sequence + 1)
    .returning(Site.event_sequence, Site.endpoints)
)
_CLOSE_REVIEWS = (
    update(Base.metadata.tables["reviews"])
    .where(Review.comment_id == bindparam("comment"), Review.closed_at.is_(None))
    .values(closed_at=bindparam("at"), closed_by=bindparam("decision"))
)
# Learning is due with the 25th decision; one that is due or under way already is left as it is.
_TEACH = (
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


def _rewrite(
    session: Session, statement: Update, columns: Sequence[str], rows: Sequence[dict[str, Any]]
) -> None:
    """Write those columns of all the rows, in one call to the driver."""
    if rows:
        new = [
            {"its_id": row["id"], **{f"new_{column}": row[column] for column in columns}}
            for row in rows
        ]
        session.connection().execute(statement, new)


def risk_of(evidence: Iterable[Evidence]) -> float | None:
    """The spam score, where the model gave one."""
    return next((item.score for item in evidence if item.check == "spam"), None)


def names_of(evidence: Iterable[Evidence]) -> str:
    """The checks that found something or could not look, in blanks, so that one can be looked for:
    " links spam ".
    """
    names = sorted(item.check for item in evidence if item.outcome is not Outcome.CLEAR)
    return f" {' '.join(names)} " if names else ""


def _draft(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)


def _still_holds(change: Change, comment: dict[str, Any]) -> bool:
    """Whether the comment is still as the one who decides saw it."""
    if change.screened:
        return (
            comment["screen_due"] is not None
            and comment["screenings"] == change.screened.number - 1
        )
    return change.version is None or comment["version"] == change.version


def _told(
    site: str,
    thread: dict[str, Any],
    comment: dict[str, Any],
    supersedes: str | None,
    decision: dict[str, Any] | None,
) -> dict[str, Any]:
    """The public state, as other systems hear of it. Never an email."""
    return {
        "site": site,
        "thread": {"key": thread["key"], "url": thread["url"], "title": thread["title"]},
        "permalink": f"{settings().base_url}/sites/{site}/c/{comment['id']}",
        "sequence": comment["event_sequence"],
        "supersedes": supersedes,
        "comment": {
            "id": comment["id"],
            "parent": comment["parent_id"],
            "status": comment["status"],
            "version": comment["version"],
            "name": comment["name"],
            "website": comment["website"],
            "html": comment["html"] or "",
            "at": utc_stamp(comment["at"]),
        },
        "decision": decision,
    }
