"""The rules that always hold (see DESIGN.md), checked in three records: the clients' answers, the
storage, the database.

Each rule is a function that yields its violations, in words with ids. Nothing here asks the
service.
"""

from __future__ import annotations

import base64
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Row, select

from bench.chaos.told import digest, lines
from models.store import storage
from models.store.database import Base, reading
from models.store.secrets import keyed_hash
from service.comments.pages import published_page

# The part before the @ of every commenter's address, which must not be found anywhere.
MARK = "nobody-knows"
_BODY = re.compile(rb'"body": ?"([A-Za-z0-9+/=]+)"')  # how Celery's messages contain their ids


@dataclass
class Records:
    """`told` is the clients' log; `files` are other places that may hold an address: logs, the
    broker's file, published pages.
    """

    told: Path
    site: str = "demo"
    files: Iterable[Path] = ()
    tables: dict[str, list[Row[Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with reading() as session:
            for table in Base.metadata.sorted_tables:
                self.tables[table.name] = list(session.execute(select(table)))

    def grouped(self, table: str, by: str = "comment_id") -> dict[Any, list[Row[Any]]]:
        groups: dict[Any, list[Row[Any]]] = defaultdict(list)
        for row in self.tables[table]:
            groups[getattr(row, by)].append(row)
        return groups

    @property
    def comments(self) -> dict[str, Row[Any]]:
        return {row.id: row for row in self.tables["comments"]}


def violations(records: Records) -> dict[str, list[str]]:
    """Return the violations by rule; an empty list if the rule holds."""
    return {truth: list(check(records)) for truth, check in TRUTHS.items()}


def _kept(records: Records) -> Iterator[str]:
    comments = records.comments
    for told in lines(records.told, "accepted"):
        row = comments.get(told["id"])
        if row is None:
            yield f"{told['id']} was accepted and has no row"
        elif digest(row.body) != told["body"]:
            yield f"{told['id']} does not say what was sent"


def _once(records: Records) -> Iterator[str]:
    for name in ("idempotency_key", "said_once"):
        for value, rows in records.grouped("comments", by=name).items():
            if value is not None and len({row.site_id for row in rows}) < len(rows):
                yield f"{', '.join(row.id for row in rows)} share one {name}"
    by_key: dict[str, set[str]] = defaultdict(set)
    by_words: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for told in lines(records.told, "accepted"):
        by_key[told["key"]].add(told["id"])
        by_words[told["author"], told["thread"], told["body"]].add(told["id"])
    for ids in [*by_key.values(), *by_words.values()]:
        if len(ids) > 1:
            yield f"{', '.join(sorted(ids))} were given out for one comment"
    rows = {row.idempotency_key: row.id for row in records.tables["comments"]}
    for key, ids in by_key.items():
        kept = rows.get(keyed_hash("idempotency", key))
        if kept is not None and kept not in ids:
            yield f"{kept} stands under a key for which {', '.join(ids)} was given out"


def _settled(records: Records) -> Iterator[str]:
    asked = {
        (row.comment_id, row.cause) for row in records.tables["reviews"] if row.closed_at is None
    }
    waiting = {comment_id for comment_id, _ in asked}
    for id_, row in records.comments.items():
        if row.status == "pending":
            yield f"{id_} is pending since {row.at:%H:%M:%S}"
        elif row.status == "flagged" and id_ not in waiting:
            yield f"{id_} is flagged, and no human is asked"
        elif row.status in {"approved", "rejected"} and (id_, "flagged") in asked:
            # they may wait for a second opinion
            yield f"{id_} is {row.status}, and a human is still asked for a verdict"


def _screened_once(records: Records) -> Iterator[str]:
    screenings, decisions = records.grouped("screenings"), records.grouped("decisions")
    for id_, row in records.comments.items():
        numbers = sorted(screening.number for screening in screenings[id_])
        if numbers != list(range(1, row.screenings + 1)):
            yield f"{id_} counts {row.screenings} screenings and has {numbers}"
        # A screening's decision is committed with it, at one time of one transaction.
        times = Counter(screening.at for screening in screenings[id_])
        for decision in decisions[id_]:
            if decision.by == "policy":
                times[decision.at] -= 1
        if min(times.values(), default=0) < 0:
            yield f"{id_} has more automatic decisions than screenings"


def _decided(records: Records) -> Iterator[str]:
    decisions = records.grouped("decisions")
    for id_, row in records.comments.items():
        status, version = "pending", 1
        for decision in sorted(decisions[id_], key=lambda one: (one.version, one.id)):
            changes = decision.becomes != decision.was
            if (decision.was, decision.version) != (status, version + changes):
                yield (
                    f"{id_}: decision {decision.id} from {decision.was} to "
                    f"{decision.becomes} does not follow"
                )
            status, version = decision.becomes, decision.version
        if (row.status, row.version) != (status, version):
            yield (
                f"{id_} is {row.status} in version {row.version}; its decisions say "
                f"{status}, {version}"
            )
    known = {decision.id: decision for decision in records.tables["decisions"]}
    for told in lines(records.told, "decided"):
        decision = known.get(told["decision"])
        if decision is None or (decision.comment_id, decision.verdict) != (
            told["comment"],
            told["verdict"],
        ):
            yield (
                f"decision {told['decision']} on {told['comment']} was confirmed and is "
                "not in the log"
            )


def _events(records: Records) -> Iterator[str]:
    events, decisions = records.grouped("events"), records.grouped("decisions")
    for id_, row in records.comments.items():
        heard = sorted(events[id_], key=lambda event: event.sequence)
        changes = [
            one
            for one in sorted(decisions[id_], key=lambda one: one.version)
            if one.becomes != one.was
        ]
        if [event.sequence for event in heard] != list(range(1, row.event_sequence + 1)):
            yield f"{id_} has events {[event.sequence for event in heard]} of {row.event_sequence}"
        told = [(event.type, event.data["comment"]["version"]) for event in heard]
        if told != [(f"comment.{change.becomes}", change.version) for change in changes]:
            yield f"{id_} was told of as {told}, which is not what was decided"
        if [event.supersedes for event in heard] != [None, *(event.id for event in heard)][
            : len(heard)
        ]:
            yield f"{id_} has an event that supersedes another than the one before"
    for site in records.tables["sites"]:
        places: dict[int, list[int]] = defaultdict(list)
        for event in records.tables["events"]:
            if event.site_id == site.id:
                places[event.position].append(event.nth)
        if sorted(places) != list(range(1, site.event_sequence + 1)):
            yield (
                f"site {site.key} counts {site.event_sequence} transactions and has "
                f"events of {len(places)}"
            )
        for position, nths in places.items():
            if sorted(nths) != list(range(1, len(nths) + 1)):
                yield f"site {site.key} has events {sorted(nths)} at position {position}"


def _published(records: Records) -> Iterator[str]:
    by_thread = records.grouped("comments", by="thread_id")
    for thread in records.tables["threads"]:
        approved = {row.id: row for row in by_thread[thread.id] if row.status == "approved"}
        head, shown = _shown(records.site, thread.key)
        twice = [
            id_ for id_, times in Counter(comment["id"] for comment in shown).items() if times > 1
        ]
        missing = approved.keys() - {comment["id"] for comment in shown}
        extra = {comment["id"] for comment in shown} - approved.keys()
        for ids, what in (
            (missing, "approved and not shown"),
            (extra, "shown and not approved"),
            (twice, "shown twice"),
        ):
            if ids:
                yield f"{thread.key}: {', '.join(sorted(ids))} {what}"
        for comment in shown:
            row = approved.get(comment["id"])
            if row and (row.html, row.name, row.parent_id) != (
                comment["html"],
                comment["name"],
                comment["parent"],
            ):
                yield (
                    f"{thread.key}: {comment['id']} is shown with other words, name or "
                    "parent than its row's"
                )
        if {head["count"], thread.count} != {len(approved)}:
            yield (
                f"{thread.key}: {len(approved)} approved, {thread.count} counted, "
                f"{head['count']} on the page"
            )
        if head["revision"] != thread.revision or thread.publish_due is not None:
            yield (
                f"{thread.key}: revision {thread.revision}, {head['revision']} on the "
                f"page, due {thread.publish_due}"
            )
        if fed := _fed(records.site, thread.key) - approved.keys():
            yield f"{thread.key}: {', '.join(sorted(fed))} in the feed and not approved"


def _shown(site: str, key: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a thread's first page, and every comment on its stored pages."""
    head = published_page(site, key)
    shown = list(_flat(site, key, head["comments"]))
    for page in range(head["page"] - 1, 0, -1):
        shown += _flat(site, key, published_page(site, key, page)["comments"])
    return head, shown


def _flat(site: str, key: str, comments: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for comment in comments:
        if comment["id"]:
            yield comment
        yield from _flat(site, key, comment["replies"])
        if comment["more"]:
            yield from _continued(site, key, comment["more"])


def _continued(site: str, key: str, following: str | None) -> Iterator[dict[str, Any]]:
    """Return the replies that do not fit under their top-level comment."""
    while following:
        top, page = re.findall(r"replies=([^&]+)&page=(\d+)", following)[0]
        stored = storage.get(storage.replies_name(site, key, top, int(page)))
        more = orjson.loads(stored.content) if stored else {"comments": [], "next": None}
        yield from _flat(site, key, more["comments"])
        following = more["next"]


def _fed(site: str, key: str) -> set[str]:
    feed = storage.get(storage.feed_name(site, key))
    return set(re.findall(r"urn:uuid:([0-9a-f-]{36})", feed.content.decode())) if feed else set()


def _nobody_known(records: Records) -> Iterator[str]:
    for name, rows in records.tables.items():
        for row in rows:
            if MARK in repr(row._asdict()):
                yield f"an address stands in the table {name}: {row[0]}"
    for path in records.files:
        content = path.read_bytes()
        bodies = (base64.b64decode(body + b"==") for body in _BODY.findall(content))
        if any(MARK.encode() in part for part in (content, *bodies)):
            yield f"an address stands in {path.name}"
    for told in lines(records.told, "leaked"):
        yield f"an address was answered to {told['path']}"


def _no_surprise(records: Records) -> Iterator[str]:
    for told in lines(records.told, "answered"):
        if told["status"] == 500:
            yield f"{told['path']} was answered 500 at {told['at']}"


TRUTHS: dict[str, Callable[[Records], Iterator[str]]] = {
    "every 202 has its row, with the very words that were sent": _kept,
    "the same Idempotency-Key, or the same words again, is one row": _once,
    "every comment is settled or waits for a human": _settled,
    "at most one automatic decision a screening": _screened_once,
    "the decision log is complete and legal": _decided,
    "events are gapless, each for one committed change": _events,
    "a comment is published if and only if it is approved; counts agree": _published,
    "no commenter's address is anywhere else": _nobody_known,
    "nothing was answered with a 500": _no_surprise,
}
