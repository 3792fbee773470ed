"""Screen pending comments: load the batch, run every check, decide, settle."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache, lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import orjson
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.failpoints import failpoint, poison
from models.identifiers import first_id, new_id
from models.judgement.candidate import Candidate, Form
from models.judgement.evidence import SCREENING, Evidence, Outcome
from models.judgement.policy import Decision, Policy, Verdict, decide, deciding_checks
from models.records import Comment, Edit, Site
from models.settling.changes import Change, Screened, Settled
from models.settling.rows import FingerprintRow, LinkedHostRow
from models.settling.sampling import is_sampled
from models.settling.settling import settle, tell
from models.store.database import begin, now, reading
from models.store.secrets import UnknownKey, decrypt_email
from models.text import markdown
from models.text.language import UNSURE, detect
from models.text.urls import page_address
from worker.bell import PUBLISH, ring
from worker.checks.hosts import rows as linked
from worker.checks.repeats import fingerprints
from worker.learning.models_in_memory import learned_by_score, with_promises
from worker.screening import careful, examine
from worker.screening.batches import give_back, take
from worker.screening.cpu_limit import cpu_limit
from worker.screening.isolation import Isolation, Screening
from worker.screening.waiting import Waiting, waiting
from worker.webhooks.sending import deliver_soon

if TYPE_CHECKING:
    from models.classifier.site_model import SiteModel

AGAIN_AFTER = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480)
)  # when a check that could not run is tried again
ALONE_SECONDS = 0.3  # of CPU, for one comment in isolation
MOST_SECONDS = 10.0  # of CPU, for any batch
MOST_FAILURES = 2
OTHERS_HAVE_ITS_KEY = timedelta(
    minutes=30
)  # after this, a human gets a comment whose key this worker still lacks
log = structlog.get_logger()
_Row = TypeVar("_Row", FingerprintRow, LinkedHostRow)
_guard, _in_hand = threading.Lock(), set[str]()
_prepared: dict[int, int] = {}  # by site: the version of the policy that this process has compiled


def warm() -> None:
    """Load what the checks need, so that the first comment does not wait for it."""
    at = now()
    examine(
        [
            Candidate(
                new_id(), 0, 0, "Ann", "ann@example.org", "A first comment, to load everything.", at
            )
        ],
        at,
    )


@cache
def load_late_parts() -> None:
    """Load what an idle worker does not need: the statistics of languages and the Markdown parser.

    This must not count against a comment's CPU time, so it happens before the limit begins. A
    process that only supervises screening in others has not even loaded the checks.
    """
    warm()
    detect(["A first comment, to load everything.", "Первый комментарий"])
    markdown.render("A **first** comment, with https://paper.example/ in it.")


def screen_and_ring(comment_ids: Sequence[str]) -> None:
    """Screen pending comments: run every check, decide once per comment, then ring for their
    pages.
    """
    batch = take(comment_ids)
    _ring_for(screen_ready(batch.ready))
    _ring_for(screen_alone(batch.suspects))


def _ring_for(settled: Sequence[Settled]) -> None:
    if threads := owing_pages(settled):
        ring(PUBLISH, threads)
    deliver_soon(owing_webhooks(settled))


def owing_pages(settled: Sequence[Settled]) -> list[int]:
    """Return the threads whose published pages must change."""
    return sorted({comment.thread_id for comment in settled if comment.touches_page})


def owing_webhooks(settled: Sequence[Settled]) -> list[str]:
    """Return the endpoints with a delivery that is due now."""
    return [endpoint for comment in settled for endpoint in comment.owed]


def screen_now(comment_ids: Sequence[str]) -> list[Settled]:
    """Screen those comments that are due for a screening. A comment that cannot be screened at all
    goes to a human.
    """
    batch = take(comment_ids)
    return [*screen_ready(batch.ready), *screen_alone(batch.suspects)]


def screen_ready(batch: Sequence[Waiting]) -> list[Settled]:
    """Screen the comments that this process has taken, together."""
    if not batch:
        return []
    if isolation := careful.careful():
        comment_ids = [each.id for each in batch]
        if len(comment_ids) == 1:
            return screen_alone(comment_ids)
        attempt = isolation.attempt(comment_ids, alone=False)
        if not isolation.is_gone:
            return (
                [*attempt.settled, *screen_alone(comment_ids)]
                if attempt.failure
                else attempt.settled
            )
    return _screen_loaded(batch, seconds_for(len(batch)))


def screen_alone(comment_ids: Sequence[str]) -> list[Settled]:
    """Screen each comment alone and in isolation. One that fails twice goes to a human, and is not
    tried again.

    The second try comes after all other comments had their first.
    """
    with _apart(comment_ids) as ours:
        if not ours:
            return []
        with careful.isolation() as isolation:
            return _each_alone(ours, isolation)


def _each_alone(comment_ids: Sequence[str], isolation: Isolation) -> list[Settled]:
    waiting, failures = list(comment_ids), Counter[str]()
    settled: list[Settled] = []
    while waiting:
        attempt = isolation.attempt(waiting, alone=True)
        settled += attempt.settled
        waiting = [each for each in waiting if each not in attempt.finished]
        if attempt.is_lost or not waiting:
            break
        suspect, *waiting = waiting
        failures[suspect] += 1
        log.warning(
            "screening.failed_alone",
            comment=suspect,
            attempt=failures[suspect],
            reason=attempt.failure,
        )
        if failures[suspect] < MOST_FAILURES:
            waiting.append(suspect)
        else:
            settled += _hand_over(suspect, f"{attempt.failure} ({MOST_FAILURES} attempts)")
    return settled


@contextmanager
def _apart(comment_ids: Sequence[str]) -> Iterator[list[str]]:
    """Leave out comments that another thread of this process is screening alone right now."""
    with _guard:
        ours = [each for each in comment_ids if each not in _in_hand]
        _in_hand.update(ours)
    try:
        yield ours
    finally:
        with _guard:
            _in_hand.difference_update(ours)


def finish_what_the_last_began() -> None:
    """Screen alone those comments during which the last worker ended. Call this when a worker
    starts, before it has threads.
    """
    if suspects := careful.begin_carefully(IN_ISOLATION, before=load_late_parts):
        work = threading.Thread(
            target=lambda: _ring_for(screen_alone(suspects)), name="suspects", daemon=True
        )
        work.start()


def _screen_here(comment_ids: Sequence[str], alone: bool) -> list[Settled]:
    with reading() as session:
        batch = waiting(session, comment_ids)
    seconds = ALONE_SECONDS if alone else seconds_for(len(batch))
    return _screen_loaded(batch, seconds) if batch else []


def _screen_loaded(batch: Sequence[Waiting], seconds: float) -> list[Settled]:
    try:
        return _screen(batch, seconds)
    except OperationalError:  # the database's problem and not a comment's: they stay due
        raise
    except Exception as error:  # one poisonous comment must not delay the others
        if len(batch) > 1:
            log.warning("screening.one_by_one", count=len(batch), error=type(error).__name__)
            return [settled for each in batch for settled in _screen_loaded([each], seconds_for(1))]
        return _failed(batch[0].id, error)


def _failed(comment_id: str, error: Exception) -> list[Settled]:
    """Handle a comment that could not be screened alone."""
    if isinstance(error, UnknownKey) and comment_id > first_id(now() - OTHERS_HAVE_ITS_KEY):
        log.warning("screening.key_missing", comment=comment_id, reason=str(error))
        give_back(comment_id)  # another worker may have the new key already
        return []
    log.exception("screening.failed", comment=comment_id, exc_info=error)
    return _to_a_human(
        comment_id, (f"Greenroom could not check this comment ({type(error).__name__})")
    )


def seconds_for(count: int) -> float:
    """Return the CPU seconds after which a batch of this size ends its worker. A legal comment
    takes at most 0.05 s.
    """
    return min(0.3 + 0.1 * count, MOST_SECONDS)


def _screen(waiting_comments: Sequence[Waiting], seconds: float) -> list[Settled]:
    began = perf_counter()
    load_late_parts()
    with cpu_limit(seconds), reading() as session:
        batch = _owed(session, waiting_comments)
    _prepare_policies(batch)
    with cpu_limit(seconds):
        changes = _changes(batch)
    with begin() as session:
        settled = settle(session, changes)
    failpoint("settled")
    done = [each for each in settled if each]
    _tell(done, ms=round((perf_counter() - began) * 1000))
    return done


def _prepare_policies(batch: Sequence[Owed]) -> None:
    """Compile the word lists of policies that are new to this process, outside of any comment's
    limit: the longest lists take a quarter of a second.
    """
    for owed in batch:
        site, version = owed.candidate.site_id, owed.policy_version
        if _prepared.get(site) != version:
            _compile(owed.candidate.policy)
            _prepared[site] = version


def _compile(policy: Policy) -> None:
    at = now()
    examine([Candidate(new_id(), 0, 0, "Ann", "", "A first comment.", at, policy=policy)], at)


def _changes(batch: Sequence[Owed]) -> list[Change]:
    """Run every check and decide."""
    candidates = [owed.candidate for owed in batch]
    poison(candidate.body for candidate in candidates)
    evidence = examine(candidates, now())
    prints, hosts = _by_comment(fingerprints(candidates)), _by_comment(linked(candidates))
    return [
        _change(owed, found, prints[owed.candidate.id], hosts[owed.candidate.id])
        for owed, found in zip(batch, evidence, strict=True)
    ]


def _by_comment(rows: Iterable[_Row]) -> Mapping[str, list[_Row]]:
    grouped = defaultdict[str, list[_Row]](list)
    for row in rows:
        grouped[row["comment_id"]].append(row)
    return grouped


def _tell(done: Sequence[Settled], *, ms: int) -> None:
    """Log one line per comment for the screening, which took `ms` for the batch, and one for the
    decision.
    """
    for each in done:
        log.info(
            "screened",
            comment=each.comment_id,
            site=each.site,
            status=each.status,
            count=len(done),
            ms=ms,
        )
    tell(done)


class Owed(NamedTuple):
    """A comment that is due for a screening: the number of that screening, the policy's version,
    and about how many comments the site has settled.
    """

    candidate: Candidate
    number: int
    policy_version: int
    decided: int
    version: int
    edit_id: str | None


def _owed(session: Session, batch: Sequence[Waiting]) -> list[Owed]:
    """Return the comments in the form that the checks use. Most batches need no query for this,
    because the process caches the models of the sites.
    """
    sites = {each.site_id: each for each in batch}.values()
    policies, models = {}, {}
    for site in sites:
        policy = Policy.model_validate(orjson.loads(site.policy))
        policies[site.site_id] = with_promises(session, policy, site.models)
        models[site.site_id] = learned_by_score(session, site.models)
    languages = detect([each.body for each in batch], [_expected_languages(each) for each in batch])
    return [
        Owed(
            _candidate(each, language, policies[each.site_id], models[each.site_id]),
            each.screenings + 1,
            each.policy_version,
            each.event_sequence,
            each.version,
            each.edit_id,
        )
        for each, language in zip(batch, languages, strict=True)
    ]


def _expected_languages(row: Waiting) -> set[str]:
    """Return the languages of the page's title and of the site, except for English, which is the
    default of a site that named none.
    """
    title = row.thread_title or orjson.loads(row.page).get("title") or ""
    return {_language_of_title(title), row.locale.partition("-")[0]} - {UNSURE, "en"}


@lru_cache(2**10)
def _language_of_title(title: str) -> str:
    return detect([title])[0]


def _candidate(
    row: Waiting, language: str, policy: Policy, own: Mapping[str, SiteModel]
) -> Candidate:
    page = orjson.loads(row.page)
    title = None if row.thread_title or row.title_is_final else page.get("title")
    url = None if row.thread_url or row.url_is_final else page.get("url")
    return Candidate(
        id=row.id,
        site_id=row.site_id,
        thread_id=row.thread_id,
        name=row.name,
        email=decrypt_email(row.email) if row.email else "",
        body=row.body,
        at=row.at,
        website=row.website,
        email_index=row.email_index,
        address=row.address,
        reader_id=row.reader_id,
        site_has_readers=row.site_has_readers,
        language=language,
        origins=tuple(orjson.loads(row.origins)),
        page=page.get("url"),
        new_title=title or None,
        new_address=page_address(url, policy.threads.query) if url else None,
        thread_moderation=row.thread_moderation,
        slow_seconds=row.slow_seconds,
        form=Form(**orjson.loads(row.form)),
        policy=policy,
        models=own,
    )


def _change(
    screening: Owed,
    evidence: list[Evidence],
    prints: Sequence[FingerprintRow],
    hosts: Sequence[LinkedHostRow],
) -> Change:
    candidate, number = screening.candidate, screening.number
    decision = decide(evidence, candidate.policy)
    owed = decision.again and number <= len(AGAIN_AFTER)
    if decision.verdict is None and not owed:
        reasons = (
            *decision.reasons,
            ("a check could not run for hours, so a moderator must decide"),
        )
        decision = Decision(Verdict.FLAG, reasons)
    again = now() + AGAIN_AFTER[number - 1] if owed else None
    html = markdown.render(candidate.body)
    screened = Screened(
        number, evidence, screening.policy_version, candidate.language, prints, hosts, again, html
    )
    share = candidate.policy.sample.share
    is_decided = decision.verdict is not None and screening.edit_id is None
    blind = is_decided and is_sampled(candidate.id, share, screening.decided)
    note = _by_a_rule(evidence) if decision.verdict is not None else ""
    is_stopped = decision.verdict in {Verdict.FLAG, Verdict.REJECT}
    checks = deciding_checks(evidence, candidate.policy) if is_stopped else ()
    return Change(
        candidate.id,
        decision.verdict,
        decision.reasons,
        screened=screened,
        note=note,
        blind=blind,
        share=share,
        checks=checks,
        version=screening.version,
        edit=screening.edit_id,
    )


def _by_a_rule(evidence: Sequence[Evidence]) -> str:
    """Name the person or key behind a rule. Reasons go out to other systems; notes stay with the
    moderators.
    """
    made = sorted({item.rule for item in evidence if item.rule})
    return f"by a rule from {', '.join(made)}" if made else ""


def _to_a_human(comment_id: str, detail: str) -> list[Settled]:
    """Give the comment to a human, because no comment may stay pending forever, not even one that
    breaks the screening. It is shown as it was typed, because rendering may be what breaks.
    """
    evidence = [Evidence(check=SCREENING, outcome=Outcome.UNAVAILABLE, detail=detail)]
    with begin() as session:
        row = session.execute(
            select(
                Comment.screenings,
                Comment.version,
                Comment.edit_id,
                func.coalesce(Edit.body, Comment.body),
            )
            .outerjoin(Edit, Edit.id == Comment.edit_id)
            .where(Comment.id == comment_id)
        ).one_or_none()
        if row is None:
            return []
        screenings, version, edit_id, body = row
        screened = Screened(screenings + 1, evidence, 0, "und", html=markdown.as_typed(body))
        flag = Change(
            comment_id, Verdict.FLAG, (detail,), screened=screened, version=version, edit=edit_id
        )
        settled = settle(session, [flag])[0]
    failpoint("handed_to_a_human")
    done = [settled] if settled else []
    tell(done)
    return done


def _hand_over(comment_id: str, failure: str) -> list[Settled]:
    """Give a comment that ends its screener to a human. It is not due for automatic screening any
    more.
    """
    return _to_a_human(
        comment_id, f"Greenroom could not check this comment: the process that checked it {failure}"
    )


def _prepare(comment_id: str) -> None:
    """Load what the checks need for this comment's site, so that the limit covers only the
    comment.
    """
    with reading() as session:
        site = session.execute(
            select(Site).join(Comment, Comment.site_id == Site.id).where(Comment.id == comment_id)
        )
        policy = Policy.model_validate(site.scalar_one().policy)
    _compile(policy)


IN_ISOLATION = Screening(prepare=_prepare, screen=_screen_here, hand_over=_hand_over)
