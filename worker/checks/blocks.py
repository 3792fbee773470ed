"""Check what moderators block or trust on this site until a date: an author, a host, a word; and
their decisions for all comments that are like a given one.

Anyone can type a trusted author's address, so trust approves nothing by itself: the evidence
mentions it, and it only lifts a hold that the address's own record would cause. Links to a trusted
host are not counted among the links.

A comment is "like" the given one only if it says nearly the same as that very comment, which a
human has read. Similarity to a similar comment does not count; otherwise a rule would drift by
itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.records import Comment
from models.store.database import Base, Moment
from models.text import markdown
from models.text.urls import host_of, is_under, typed_in
from worker.checks.links import every_host
from worker.checks.repeats import ALIKE, likeness
from worker.checks.words import uses

_KINDS = {"author": "the author", "host": "links to", "word": "uses the word"}
_LIKE = {"reject": "like_rejected", "flag": "like_held", "approve": "like_approved"}
_DECIDED = {"reject": "reject", "flag": "hold", "approve": "approve"}


# Built once: putting the statement together takes longer than running it.
_BLOCK = Base.metadata.tables["blocks"].c
_BLOCKS = select(
    *(_BLOCK.site_id, _BLOCK.kind, _BLOCK.stance, _BLOCK.value),
    *(_BLOCK.label, _BLOCK.until, _BLOCK.by),
).where(
    _BLOCK.site_id.in_(bindparam("sites", expanding=True)),
    _BLOCK.ended_at.is_(None),
    or_(_BLOCK.until.is_(None), _BLOCK.until > bindparam("now", type_=Moment)),
)


class _Standing(NamedTuple):
    """A block or rule in force. `body` is the text that "decide like this" compares with."""

    kind: str
    stance: str
    value: str
    label: str
    until: datetime | None
    by: str
    body: str = ""


def check(batch: Sequence[Candidate], session: Session, now: datetime) -> list[Evidence]:
    """Check the batch. `counts` are "trusted_links", the number of links to trusted hosts;
    "trusted_author", 1 if the address is trusted; and "like_approved" and "same_as_approved", if a
    moderator lets comments pass that say nearly or exactly this.
    """
    standing = _standing(session, {candidate.site_id for candidate in batch}, now)
    return [
        _evidence(each, standing.get(each.site_id, ()), _of_the_thread(session, each))
        for each in batch
    ]


def _standing(session: Session, sites: set[int], now: datetime) -> dict[int, list[_Standing]]:
    """Return the rules in force by site. The page check asks in the same session again and gets the
    same answer.
    """
    key = (_standing, frozenset(sites), now)
    if key not in session.info:
        session.info[key] = _read(session, sites, now)
    answer: dict[int, list[_Standing]] = session.info[key]
    return answer


def _read(session: Session, sites: set[int], now: datetime) -> dict[int, list[_Standing]]:
    found: dict[int, list[_Standing]] = defaultdict(list)
    rows = session.connection().execute(_BLOCKS, {"sites": list(sites), "now": now}).all()
    bodies = _bodies(session, [row.value for row in rows if row.kind == "like"])
    for row in rows:
        body = bodies.get(row.value, "") if row.kind == "like" else ""
        found[row.site_id].append(
            _Standing(row.kind, row.stance, row.value, row.label, row.until, row.by, body)
        )
    return found


def _bodies(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Return the texts to compare with. An erased comment is similar to none."""
    if not ids:
        return {}
    return dict(session.execute(select(Comment.id, Comment.body).where(Comment.id.in_(ids))).all())


def _of_the_thread(session: Session, candidate: Candidate) -> dict[str, str]:
    """Return what a moderator decided about the whole thread: read comments first, or slow them
    down.
    """
    found = {}
    if candidate.thread_moderation == "before":
        found["thread"] = "a moderator reviews every comment in this thread before it goes live"
    seconds = candidate.slow_seconds
    if seconds and _wrote_just_now(session, candidate, seconds):
        found["slow"] = (
            f"the author commented in this thread less than {seconds} seconds earlier, and "
            "slow mode is on"
        )
    return found


def _wrote_just_now(session: Session, candidate: Candidate, seconds: int) -> bool:
    since = candidate.at - timedelta(seconds=seconds)
    theirs = select(Comment.id).where(
        Comment.site_id == candidate.site_id, Comment.thread_id == candidate.thread_id
    )
    theirs = theirs.where(Comment.at > since, Comment.at < candidate.at, Comment.id != candidate.id)
    same = (Comment.email_index == candidate.email_index, Comment.address == candidate.address)
    known = [
        each
        for each, value in zip(same, (candidate.email_index, candidate.address), strict=True)
        if value
    ]
    return any(session.execute(theirs.where(each).limit(1)).first() for each in known)


def _evidence(
    candidate: Candidate, standing: Sequence[_Standing], of_the_thread: dict[str, str]
) -> Evidence:
    has_hosts = any(each.kind == "host" for each in standing)
    linked, hosts = (_linked(candidate), _named(candidate)) if has_hosts else ([], [])
    words = _used(candidate, [each.value for each in standing if each.kind == "word"])
    alike = {each: degree for each in standing if (degree := _likeness(each, candidate)) >= ALIKE}
    hit = [each for each in standing if _hits(each, candidate, hosts, words)]
    found: dict[str, str] = {}
    for kind, stance in (("blocked", "block"), ("trusted", "trust")):
        if sentences := [_sentence(each) for each in hit if each.stance == stance]:
            found[kind] = "; ".join(sentences)
    for each in alike:
        found.setdefault(_LIKE[each.stance], _what_to_do(each))
    found |= of_the_thread
    trusted = {
        _spelled(each.value) for each in hit if (each.kind, each.stance) == ("host", "trust")
    }
    counts: dict[str, int] = {
        "trusted_links": sum(any(is_under(host, value) for value in trusted) for host in linked)
    }
    counts["trusted_author"] = sum((each.kind, each.stance) == ("author", "trust") for each in hit)
    if approved := [degree for each, degree in alike.items() if each.stance == "approve"]:
        counts |= {"like_approved": 1, "same_as_approved": int(max(approved) == 1)}
    return Evidence(
        check="blocks",
        outcome=Outcome.FOUND if found else Outcome.CLEAR,
        detail="; ".join(found.values()) or "nothing in it is blocked or trusted",
        found=found,
        counts=counts,
        rule=min((each.by for each in (*alike, *hit) if each.stance != "trust"), default=None),
    )


def _likeness(each: _Standing, candidate: Candidate) -> float:
    """Compare the texts. The given comment itself is decided by the moderator who reads it."""
    return likeness(candidate.body, each.body) if each.body and each.value != candidate.id else 0.0


def _hits(each: _Standing, candidate: Candidate, hosts: Sequence[str], words: Set[str]) -> bool:
    if each.kind == "author":
        return bool(candidate.email_index) and candidate.email_index == each.value
    if each.kind == "host":
        return any(is_under(host, _spelled(each.value)) for host in hosts)
    if each.kind == "like":
        return False
    return each.kind == "word" and each.value in words


def _linked(candidate: Candidate) -> list[str]:
    """Return the hosts of all links, including the author's own website."""
    links = markdown.links(markdown.render(candidate.body))
    return [host for link in (*links, candidate.website or "") if (host := host_of(link))]


def _named(candidate: Candidate) -> list[str]:
    """Return the hosts of the URLs in the text, including those that no reader can click."""
    typed = [url.host for url in typed_in(candidate.body)]
    return list(dict.fromkeys([*_linked(candidate), *typed, *every_host(candidate.body)]))


@lru_cache(10_000)  # each blocked host is compared with each comment's
def _spelled(value: str) -> str:
    """Return a blocked host in the spelling of URLs; older blocks were stored as they were
    typed.
    """
    return host_of(value)


def _used(candidate: Candidate, words: list[str]) -> Set[str]:
    """Return the blocked words that the text uses, found like the words of the site's own list,
    except that `*` is an ordinary character.
    """
    if not words:
        return frozenset()
    fields = (candidate.body, candidate.name, candidate.website or "")
    plain = {word.rstrip("*"): word for word in words}
    return {plain[word] for word in uses(tuple(plain), fields, candidate.policy.words)}


def _sentence(each: _Standing) -> str:
    did = "blocked" if each.stance == "block" else "trusted"
    lasting = f"until {each.until:%d %B %Y}" if each.until else "permanently"
    if each.kind == "author":
        return f"a moderator {did} this author {lasting}"
    return f"{_KINDS[each.kind]} “{each.label}”, which a moderator {did} {lasting}"


def _what_to_do(each: _Standing) -> str:
    until = f"{each.until:%d %B %Y, %H:%M} UTC" if each.until else "further notice"
    return (
        "nearly the same text as an earlier comment; a moderator chose to "
        f"{_DECIDED[each.stance]} such comments until {until}"
    )
