"""Score comments: what the checks of all scores share. Each score has a base model, and a site may
have its own model for it, which also uses the findings of the other checks.

The base models read only the body, because a name says too little.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.judgement.scores import ABUSE, SPAM
from worker.checks import context
from worker.checks.language import name_of

if TYPE_CHECKING:
    from models.classifier.model import Floats, LinearModel
    from models.classifier.rows import Rows
    from models.classifier.site_model import SiteModel

Known = Mapping[str, Mapping[str, Evidence]]
LIKELY, PROBABLE, POSSIBLE = 0.9, 0.5, 0.2


class Batch:
    """A batch of comments as the models read it. The features of the texts are computed at most
    once for all scores.

    `known` holds the findings of the other checks, by comment and check.
    """

    def __init__(self, candidates: Sequence[Candidate], known: Known | None = None) -> None:
        self.candidates, self._known = candidates, known or {}

    @cached_property
    def counts(self) -> list[dict[str, int]]:
        """The findings of the other checks that a site's model sees."""
        return [
            context.counts(candidate, self._known.get(candidate.id, {}))
            for candidate in self.candidates
        ]

    @cached_property
    def rows(self) -> Rows:
        from models.classifier.place import on_site  # noqa: PLC0415
        from models.classifier.rows import Rows  # noqa: PLC0415

        texts = [candidate.body for candidate in self.candidates]
        return Rows(texts, [on_site(candidate.origins) for candidate in self.candidates])


class Batches:
    """Gives the checks of all scores the same `Batch` for the same comments."""

    def __init__(self, known: Known | None = None) -> None:
        self._known, self._last = known, Batch(())

    def of(self, candidates: Sequence[Candidate]) -> Batch:
        if self._last.candidates is not candidates:
            self._last = Batch(candidates, self._known)
        return self._last


class Judged(NamedTuple):
    """A probability in 0–1 by the model that `version` names, or None if it does not know the
    language. `is_own` means that the site's own model judged. `kinds` are what is bad about it.
    `by_counts` means that no model knows the language, so only signs that need none were judged.
    """

    score: float | None
    version: str
    is_own: bool = False
    kinds: str = ""
    by_counts: bool = False


def judge(name: str, batch: Batch) -> list[Judged]:
    """Return what the models of that score think of each comment: the site's own one if it fits,
    otherwise the base model. Each model scores all its comments at once.
    """
    # A model that does not load must not break the other checks.
    from models.classifier.model import base_model  # noqa: PLC0415

    base = base_model(name)
    by_model = defaultdict[int, list[int]](list)
    owns = [
        _fitting(candidate.models.get(name), base, candidate.language)
        for candidate in batch.candidates
    ]
    judged = [Judged(None, own.version if own else base.version) for own in owns]
    for at, (candidate, own) in enumerate(zip(batch.candidates, owns, strict=True)):
        if can_read(candidate.language, base, own):
            by_model[id(own)].append(at)
    _judge_by_counts(judged, batch, base, {at for some in by_model.values() for at in some})
    if not by_model:
        return judged
    languages = [candidate.language for candidate in batch.candidates]
    base_log_odds = base.of_rows(batch.rows.in_place, languages)
    for some in by_model.values():
        scores = _scores(batch, some, owns[some[0]], base, base_log_odds)
        for at, score in zip(some, scores.tolist(), strict=True):
            judged[at] = Judged(score, judged[at].version, owns[at] is not None)
    return judged


def _judge_by_counts(
    judged: list[Judged], batch: Batch, base: LinearModel, readable: Collection[int]
) -> None:
    """Judge the other comments by what needs no language, if the base model can."""
    from models.classifier.model import probability  # noqa: PLC0415

    others = [at for at in range(len(judged)) if at not in readable]
    if not others or base.counts_alone is None:
        return
    scores = probability(base.counts_alone.of_rows(batch.rows.in_place.chosen(others)))
    for at, score in zip(others, scores.tolist(), strict=True):
        judged[at] = Judged(score, base.version, by_counts=True)


def can_read(language: str, base: LinearModel, own: SiteModel | None) -> bool:
    """Whether one of the two learned the language. Both judge texts of unknown language, too."""
    from models.classifier.opinion import can_judge  # noqa: PLC0415

    return can_judge(base, language) or (own is not None and language in own.languages)


def _fitting(own: SiteModel | None, base: LinearModel, language: str) -> SiteModel | None:
    """Return the site's own model if it fits this release and learned the language."""
    if own is None or own.base != base.version or not own.judges(language):
        return None
    return own


def _scores(
    batch: Batch,
    which: Sequence[int],
    own: SiteModel | None,
    base: LinearModel,
    base_log_odds: Floats,
) -> Floats:
    """Return the probabilities of those comments, by the site's own model if there is one."""
    from models.classifier.model import probability  # noqa: PLC0415
    from models.classifier.opinion import can_judge  # noqa: PLC0415
    from models.classifier.site_model import Seen  # noqa: PLC0415

    if own is None:
        return probability(base_log_odds[list(which)])
    seen = []
    for at in which:
        candidate = batch.candidates[at]
        opinion = float(base_log_odds[at]) if can_judge(base, candidate.language) else None
        seen.append(Seen(candidate.body, opinion, batch.counts[at]))
    return own.probabilities(seen, batch.rows.as_written.chosen(which))


_NAMED = {SPAM: "spam", ABUSE: "abusive"}


def told(
    score: str,
    candidate: Candidate,
    judged: Judged,
    *,
    found: dict[str, str],
    counts: dict[str, int] | None = None,
) -> Evidence:
    """Return the evidence of a score, with its sentence: "spam score 0.52: probably spam"."""
    if judged.score is None or judged.by_counts:
        unknown = f"the {score} model does not know {name_of(candidate.language)} yet"
        detail = f"{unknown}, so it can't score this comment"
        if judged.score is not None:
            detail = (
                f"{unknown}; signals that do not depend on the language, such as links and "
                f"disguised letters, score {judged.score:.2f}: "
                f"{_how_likely(judged.score)} {_NAMED[score]}"
            )
        return Evidence(
            score,
            Outcome.ABSTAINED,
            detail,
            judged.score,
            found,
            counts or {},
            version=judged.version,
        )
    outcome = Outcome.FOUND if judged.score >= PROBABLE else Outcome.CLEAR
    detail = f"{score} score {judged.score:.2f}: {_how_likely(judged.score)} {_NAMED[score]}"
    detail += f" ({judged.kinds})" if judged.kinds else ""
    detail += ", based on decisions by this site's moderators" if judged.is_own else ""
    return Evidence(
        score, outcome, detail, judged.score, found, counts or {}, version=judged.version
    )


def _how_likely(score: float) -> str:
    if score >= LIKELY:
        return "very likely"
    if score >= PROBABLE:
        return "probably"
    return "possibly" if score >= POSSIBLE else "probably not"
