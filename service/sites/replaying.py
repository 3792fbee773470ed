"""Replay a policy: decide the stored evidence of settled comments once more. This changes nothing.

Evidence does not depend on the policy except for three checks: the owner's words, how fast is too
fast, and the languages to read first. Those read what is stored of the comment again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Annotated, NamedTuple

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.judgement import promises
from models.judgement.evidence import Evidence, from_stored
from models.judgement.policy import Decision, Policy, Verdict, decide
from models.judgement.promises import Scores
from models.records import Comment, Screening, Site, SiteModelRecord
from models.settling.ages import too_old
from models.settling.history import standing_decisions
from models.settling.sampling import is_sampled
from models.settling.site_scores import live_models
from models.store.database import now as now_
from models.text.stamps import utc_stamp
from service.http.api_types import Id, OneOf, Time
from service.moderation.comment_records import is_hidden
from service.moderation.queue import newest

MOST_SAMPLES = 20
MOST_THREADS = 1000
_EXCERPT = 200


Outcome = Annotated[str, OneOf(("approve", "flag", "reject", "wait"))]


class Verdicts(TypedDict):
    """How many comments got each verdict. `wait`: a check could not run."""

    approve: int
    flag: int
    reject: int
    wait: int


# "from" is a Python keyword, and two names contain a space.
Change = TypedDict("Change", {"from": Outcome, "to": Outcome, "count": int})
Sample = TypedDict(
    "Sample",
    {
        "id": Id,
        "at": Time,
        "name": Annotated[str, Field(examples=["Ann"])],
        "excerpt": Annotated[str, Field(examples=["The ferry was late again."])],
        "from": Outcome,
        "to": Outcome,
        "reasons": list[str],
        "human": Annotated[str | None, Field(examples=["approve"])],
    },
)
Contradicted = TypedDict(
    "Contradicted",
    {
        "count": int,
        "approved by a human, and rejected": int,
        "rejected by a human, and approved": int,
        "comments": list[Sample],
    },
)


class Told(TypedDict):
    comments: int
    since: Time | None
    now: Verdicts
    draft: Verdicts
    changed: int
    changes: list[Change]
    contradicts: Contradicted
    samples: list[Sample]


class Replay(Told):
    """What a draft would do with the newest decided comments, compared with the current policy."""

    threads_closed: int
    sampled: int


class Replayed(NamedTuple):
    """A comment, with the current policy's decision on its evidence, the draft's decision, and the
    human's.
    """

    comment: Comment
    now: Decision
    draft: Decision
    human: str | None

    @property
    def is_changed(self) -> bool:
        return self.now.verdict is not self.draft.verdict

    @property
    def contradicts(self) -> bool:
        """Return whether the draft contradicts a human. Holding the comment for a human contradicts
        nobody.
        """
        return self.human is not None and self.draft.verdict in {
            Verdict.APPROVE,
            Verdict.REJECT,
        } - {self.human}


def replay(session: Session, site: Site, draft: Policy, last: int) -> Replay:
    """Replay the policy over the newest `last` settled comments. The answer's shape is the
    API's.
    """
    comments = _settled(session, site.id, last)
    scores = scores_of(session, site)
    in_force = Policy.model_validate(site.policy)
    now, then = (
        promises.keep(policy, promises.fit(policy, scores)) for policy in (in_force, draft)
    )
    evidence, humans = _evidence(session, comments), _humans(session, comments)
    done = [
        Replayed(
            comment,
            decide(_again(comment, evidence[comment.id], now), now),
            decide(_again(comment, evidence[comment.id], then), then),
            humans.get(comment.id),
        )
        for comment in comments
        if comment.id in evidence
    ]
    share = draft.sample.share
    return {
        **_told(done),
        "threads_closed": _threads_closed(session, site, draft),
        "sampled": sum(is_sampled(each.comment.id, share, site.event_sequence) for each in done),
    }


def _threads_closed(session: Session, site: Site, draft: Policy) -> int:
    """Count the open threads that the draft would close because of their age, up to a thousand."""
    if draft.threads.close_after_days is None:
        return 0
    old = (
        too_old(site.id, now_() - timedelta(days=draft.threads.close_after_days))
        .limit(MOST_THREADS)
        .subquery()
    )
    return session.execute(select(func.count()).select_from(old)).scalar_one()


def scores_of(session: Session, site: Site) -> dict[str, Scores]:
    """Return the scores that promises are fitted to, for each of the site's own models that is
    live.
    """
    live = live_models(session, [site.id]).get(site.id, {})
    wanted = select(SiteModelRecord.id, SiteModelRecord.scores)
    rows = session.execute(wanted.where(SiteModelRecord.id.in_(live.values())))
    stored = dict(rows.all())
    return {score: Scores.of(stored[id_]) for score, id_ in live.items() if id_ in stored}


def _told(done: Sequence[Replayed]) -> Told:
    changed = [each for each in done if each.is_changed]
    contradicting = [each for each in done if each.contradicts]
    moves = Counter((_name(each.now), _name(each.draft)) for each in changed)
    return {
        "comments": len(done),
        "since": utc_stamp(min((each.comment.at for each in done), default=None)),
        "now": _verdicts(each.now for each in done),
        "draft": _verdicts(each.draft for each in done),
        "changed": len(changed),
        "changes": [
            {"from": was, "to": becomes, "count": count}
            for (was, becomes), count in moves.most_common()
        ],
        "contradicts": {
            "count": len(contradicting),
            "approved by a human, and rejected": sum(
                each.human == "approve" for each in contradicting
            ),
            "rejected by a human, and approved": sum(
                each.human == "reject" for each in contradicting
            ),
            "comments": [_shape(each) for each in contradicting[:MOST_SAMPLES]],
        },
        "samples": [_shape(each) for each in changed[:MOST_SAMPLES]],
    }


def _verdicts(decisions: Iterable[Decision]) -> Verdicts:
    counts = Counter(_name(decision) for decision in decisions)
    return {
        "approve": counts["approve"],
        "flag": counts["flag"],
        "reject": counts["reject"],
        "wait": counts["wait"],
    }


def _name(decision: Decision) -> str:
    return decision.verdict.value if decision.verdict else "wait"


def _shape(each: Replayed) -> Sample:
    return {
        "id": each.comment.id,
        "at": utc_stamp(each.comment.at),
        "name": each.comment.name,
        "excerpt": each.comment.body[:_EXCERPT],
        "from": _name(each.now),
        "to": _name(each.draft),
        "reasons": list(each.draft.reasons),
        "human": each.human,
    }


def _settled(session: Session, site_id: int, last: int) -> list[Comment]:
    """Return the newest settled comments, without the blind samples. Each status has its own
    index.
    """
    comments: list[Comment] = []
    for status in ("approved", "flagged", "rejected"):
        comments += session.scalars(newest(status, [site_id], limit=last))
    latest = sorted(comments, key=lambda comment: comment.id, reverse=True)[:last]
    hidden = is_hidden(session, _ids(latest))
    return [comment for comment in latest if comment.id not in hidden]


def _evidence(session: Session, comments: Sequence[Comment]) -> dict[str, list[Evidence]]:
    wanted = select(Screening.comment_id, Screening.evidence).where(
        Screening.comment_id.in_(_ids(comments))
    )
    rows = session.execute(wanted.order_by(Screening.number))
    latest = {row.comment_id: row.evidence for row in rows}
    return {comment: [from_stored(item) for item in items] for comment, items in latest.items()}


def _humans(session: Session, comments: Sequence[Comment]) -> dict[str, str]:
    """Return the standing human verdict on each comment, unless it is "flag"."""
    standing = standing_decisions(session, _ids(comments))
    return {id_: entry.verdict for id_, entry in standing.items() if entry.verdict != "flag"}


def _ids(comments: Sequence[Comment]) -> list[str]:
    return [comment.id for comment in comments]


def _again(comment: Comment, evidence: Sequence[Evidence], policy: Policy) -> list[Evidence]:
    """Return the evidence as it would be under that policy."""
    from models.judgement import form, language, words  # noqa: PLC0415 — RE2, for this one call
    from models.judgement.candidate import Candidate, Form  # noqa: PLC0415

    candidate = Candidate(
        id=comment.id,
        site_id=comment.site_id,
        thread_id=comment.thread_id,
        name=comment.name,
        email="",
        body=comment.body,
        at=comment.at,
        website=comment.website,
        language=comment.language or "und",
        form=Form(**comment.form),
        policy=policy,
    )
    again = {"words": words.check, "form": form.check, "language": language.check}
    looked = {name: check([candidate])[0] for name, check in again.items()}
    return [looked.get(item.check, item) for item in evidence]
