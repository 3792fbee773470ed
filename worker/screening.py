"""Judge comments that wait: load the batch, let every check look, decide, settle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

import structlog
from sqlalchemy import Row, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import markdown
from models.changes import Change, Screened, Settled
from models.database import begin, now, reading
from models.evidence import Evidence, Outcome
from models.failpoints import failpoint
from models.identifiers import new_id
from models.language import detect
from models.moderation import settle, tell
from models.policy import Decision, Policy, Verdict, decide
from models.records import Comment, Site, Thread
from models.sampling import is_sampled
from models.secrets import decrypt_email
from models.urls import page_address
from worker.bell import PUBLISH, ring
from worker.checks import examine
from worker.checks.candidate import Candidate, Form
from worker.checks.hosts import rows as linked
from worker.checks.repeats import fingerprints
from worker.site_models import Learned, learned, with_promises
from worker.webhooks import deliver_soon

AGAIN_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480))  # what could not run is tried again
log = structlog.get_logger()


def warm() -> None:
    """Load what the checks need, so that the first comment does not wait for it."""
    at = now()
    examine([Candidate(new_id(), 0, 0, "Ann", "ann@example.org", "A first comment, to load everything.", at)], at)


def screen_and_ring(comment_ids: Sequence[str]) -> None:
    """Judge comments that wait: every check runs, then one decision each; then their pages are owed."""
    settled = screen_now(comment_ids)
    if threads := owing_pages(settled):
        ring(PUBLISH, threads)
    deliver_soon(owing_webhooks(settled))


def owing_pages(settled: Sequence[Settled]) -> list[int]:
    """The threads whose published pages differ now."""
    return sorted({comment.thread_id for comment in settled if comment.touches_page})


def owing_webhooks(settled: Sequence[Settled]) -> list[str]:
    """The endpoints that are to hear of it at once."""
    return [endpoint for comment in settled for endpoint in comment.owed]


def screen_now(comment_ids: Sequence[str]) -> list[Settled]:
    """Screen those of them that are owed a screening. A comment that cannot be screened at all goes to a human."""
    try:
        return _screen(comment_ids)
    except OperationalError:  # the database's trouble and no comment's: they stay owed
        raise
    except Exception as error:  # one poisonous comment must not hold up its neighbours
        if len(comment_ids) > 1:
            log.warning("screening.one_by_one", count=len(comment_ids), error=type(error).__name__)
            return [settled for comment_id in comment_ids for settled in screen_now([comment_id])]
        log.exception("screening.failed", comment=comment_ids[0], exc_info=error)
        return _to_a_human(comment_ids[0], error)


def _screen(comment_ids: Sequence[str]) -> list[Settled]:
    began = perf_counter()
    with reading() as session:
        batch = load(session, comment_ids)
    if not batch:
        return []
    candidates = [owed.candidate for owed in batch]
    evidence = examine(candidates, now())
    prints, hosts = _by_comment(fingerprints(candidates)), _by_comment(linked(candidates))
    changes = [
        _change(owed, found, prints[owed.candidate.id], hosts[owed.candidate.id])
        for owed, found in zip(batch, evidence, strict=True)
    ]
    with begin() as session:
        settled = settle(session, changes)
    failpoint("settled")
    done = [each for each in settled if each]
    _tell(done, ms=round((perf_counter() - began) * 1000))
    return done


def _by_comment(rows: Sequence[dict[str, Any]]) -> Mapping[str, list[dict[str, Any]]]:
    grouped = defaultdict[str, list[dict[str, Any]]](list)
    for row in rows:
        grouped[row["comment_id"]].append(row)
    return grouped


def _tell(done: Sequence[Settled], *, ms: int) -> None:
    """A line a comment for the screening, which took `ms` for all of them, and one for what came of it."""
    for each in done:
        log.info("screened", comment=each.comment_id, site=each.site, status=each.status, count=len(done), ms=ms)
    tell(done)


_Row: TypeAlias = Row[Comment, Site, str | None, bool, str | None, bool]


class Owed(NamedTuple):
    """A comment that is owed a screening: that screening's number, the policy's version, and about how many comments
    the site has settled.
    """

    candidate: Candidate
    number: int
    policy_version: int
    decided: int


def load(session: Session, comment_ids: Sequence[str]) -> list[Owed]:
    """Those of the comments that are owed a screening."""
    wanted = select(Comment, Site, Thread.title, Thread.title_is_final, Thread.url, Thread.url_is_final)
    wanted = wanted.join(Site, Site.id == Comment.site_id).join(Thread, Thread.id == Comment.thread_id)
    owed = wanted.where(Comment.id.in_(comment_ids), Comment.screen_due.is_not(None)).order_by(Comment.id)
    rows = session.execute(owed).all()
    sites = {row.Site.id: row.Site for row in rows}
    policies = {
        site.id: with_promises(session, Policy.model_validate(site.policy), site.model) for site in sites.values()
    }
    models = {site.id: learned(session, site.model) for site in sites.values()}
    languages = detect([row.Comment.body for row in rows])
    return [
        Owed(
            _candidate(row, language, policies[row.Site.id], models[row.Site.id]),
            row.Comment.screenings + 1,
            row.Site.policy_version,
            row.Site.event_sequence,
        )
        for row, language in zip(rows, languages, strict=True)
    ]


def _candidate(row: _Row, language: str, policy: Policy, own: Learned | None) -> Candidate:
    comment, site = row.Comment, row.Site
    title = None if row.title or row.title_is_final else comment.page.get("title")
    url = None if row.url or row.url_is_final else comment.page.get("url")
    return Candidate(
        id=comment.id,
        site_id=comment.site_id,
        thread_id=comment.thread_id,
        name=comment.name,
        email=decrypt_email(comment.email) if comment.email else "",
        body=comment.body,
        at=comment.at,
        website=comment.website,
        email_index=comment.email_index,
        address=comment.address,
        language=language,
        origins=tuple(site.origins),
        page=comment.page.get("url"),
        new_title=title or None,
        new_address=page_address(url, policy.threads.query) if url else None,
        form=Form(**comment.form),
        policy=policy,
        model=own.model if own else None,
    )


def _change(
    screening: Owed, evidence: list[Evidence], prints: Sequence[dict[str, Any]], hosts: Sequence[dict[str, Any]]
) -> Change:
    candidate, number, version, decided = screening
    decision = decide(evidence, candidate.policy)
    owed = decision.again and number <= len(AGAIN_AFTER)
    if decision.verdict is None and not owed:
        reasons = (*decision.reasons, "could not be checked for hours, so a human looks")
        decision = Decision(Verdict.FLAG, reasons)
    again = now() + AGAIN_AFTER[number - 1] if owed else None
    html = markdown.render(candidate.body)
    screened = Screened(number, evidence, version, candidate.language, prints, hosts, again, html)
    blind = decision.verdict is not None and is_sampled(candidate.id, candidate.policy.sample.share, decided)
    note = _by_a_rule(evidence) if decision.verdict is not None else ""
    return Change(candidate.id, decision.verdict, decision.reasons, screened=screened, note=note, blind=blind)


def _by_a_rule(evidence: Sequence[Evidence]) -> str:
    """Whose word it was. Reasons go out to other systems; notes stay with the moderators."""
    made = sorted({item.rule for item in evidence if item.rule})
    return f"by a rule of {', '.join(made)}" if made else ""


def _to_a_human(comment_id: str, error: Exception) -> list[Settled]:
    """Nothing stays pending for ever, not even a comment that breaks the screening."""
    detail = f"this comment could not be screened ({type(error).__name__})"
    evidence = [Evidence(check="screening", outcome=Outcome.UNAVAILABLE, detail=detail)]
    with begin() as session:
        row = session.execute(select(Comment.screenings).where(Comment.id == comment_id)).scalar()
        if row is None:
            return []
        screened = Screened(row + 1, evidence, 0, "und")
        settled = settle(session, [Change(comment_id, Verdict.FLAG, (detail,), screened=screened)])[0]
    failpoint("handed_to_a_human")
    done = [settled] if settled else []
    tell(done)
    return done
