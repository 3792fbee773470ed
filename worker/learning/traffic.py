"""How many comments two models would hold: before a new model goes live, and for a while after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.classifier.model import Floats, LinearModel
from models.classifier.site_card import LanguageShare, Traffic
from models.judgement import promises
from models.judgement.policy import Policy
from models.judgement.promises import Scores
from models.records.site_score import Held

MORE = 0.02  # a new model may hold this much more of what went live unseen
FEWEST_OF_A_LANGUAGE = 10  # comments; other languages are pooled
POOLED = "other"
MOST_EXAMPLES = 5

Flags = NDArray[np.bool_]


class Rule(NamedTuple):
    """From which score a site holds a comment.

    `little_known` are the languages of which its model knows only a little; they have a limit of
    their own. In a language that is not one of `judged`, its model gives no score.
    """

    above: float
    above_little_known: float
    little_known: frozenset[str]
    judged: frozenset[str]

    def holds(self, probabilities: Floats, languages: Sequence[str]) -> Flags:
        """Return which comments a model with these probabilities would hold."""
        limits = [
            self.above_little_known if language in self.little_known else self.above
            for language in languages
        ]
        has_score = np.array([language in self.judged for language in languages], bool)
        return has_score & (probabilities >= np.array(limits, float))


def rule_of(
    policy: Policy,
    score: str,
    base: LinearModel,
    *,
    scores: Mapping[str, Scores],
    languages: Iterable[str] = (),
) -> Rule:
    """Return when the site holds a comment by this score, with a model of its own that learned
    these languages, or with the base model alone. `scores` are those of all the site's own models.
    """
    kept = promises.keep(policy, promises.fit(policy, scores))
    part = getattr(kept, score)
    little = min(part.flag_above, getattr(part, "flag_above_little_known", part.flag_above))
    own = frozenset(languages)
    judged = frozenset({"", "und"} | base.languages | base.acquainted | own)
    return Rule(part.flag_above, little, frozenset(base.acquainted) - own, judged)


def check_traffic(
    ids: Sequence[str], languages: Sequence[str], before: Flags, now: Flags
) -> Traffic:
    """Compare what the live model (`before`) and a new one (`now`) hold of the comments that went
    live unseen, in each language.
    """
    counts = Counter(languages)
    groups = np.array(
        [name if counts[name] >= FEWEST_OF_A_LANGUAGE else POOLED for name in languages], str
    )
    shares = [
        _share(name, before[groups == name], now[groups == name])
        for name in sorted(set(groups.tolist()))
    ]
    new = [id_ for id_, was, is_now in zip(ids, before, now, strict=True) if is_now and not was]
    return {
        "of": len(ids),
        "before": int(before.sum()),
        "now": int(now.sum()),
        "languages": shares,
        "examples": new[-MOST_EXAMPLES:],
        "passed": not any(map(holds_too_much, shares)),
    }


def _share(language: str, before: Flags, now: Flags) -> LanguageShare:
    return {
        "language": language,
        "of": len(now),
        "before": int(before.sum()),
        "now": int(now.sum()),
    }


def holds_too_much(share: LanguageShare) -> bool:
    """Whether the new model holds more of these comments than it may. Too few say nothing."""
    if share["of"] < FEWEST_OF_A_LANGUAGE:
        return False
    return share["now"] > share["before"] + MORE * share["of"]


def held(counts: Traffic) -> Held:
    """Return the counts that are announced when the model goes live."""
    return {"of": counts["of"], "before": counts["before"], "now": counts["now"]}


def added(counts: Mapping[str, int] | Held) -> float:
    """Return which share of the comments only the new model would hold, or less than 0."""
    return (counts["now"] - counts["before"]) / counts["of"] if counts["of"] else 0.0
