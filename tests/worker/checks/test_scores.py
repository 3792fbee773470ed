"""Each score is judged by the site's own model for it if there is one that fits, otherwise by the
base model.
"""

from __future__ import annotations

import numpy as np
import pytest

from models.classifier import context
from models.classifier.features import sparse_features
from models.classifier.site_model import COLUMNS, TEXT_COLUMNS, Seen, SiteModel
from models.judgement.evidence import Outcome
from models.judgement.scores import ABUSE, SCORES, SPAM
from tests.worker.checks.conftest import Comes, CountingModel
from worker.checks import abuse, spam
from worker.checks.scores import Batch, Batches, judge

Models = dict[str, CountingModel]
CHECKS = {SPAM: spam.check, ABUSE: abuse.check}


def own_model(base: str, version: str = "site-1") -> SiteModel:
    """Return a model that doubles the base model's opinion, and counts a missing form token."""
    weights = np.zeros(COLUMNS, np.float32)
    weights[TEXT_COLUMNS] = 2
    weights[TEXT_COLUMNS + 2 + context.COUNTS.index("no form token")] = 1
    return SiteModel(weights, -0.5, ["en", "id", "und"], base, version)


@pytest.mark.parametrize("score", SCORES)
def test_a_site_may_have_a_model_of_its_own_for_each_score(
    models: Models, comes: Comes, score: str
) -> None:
    own = own_model(models[score].version)
    candidates = [comes("You idiot, a casino!", models={score: own}), comes("A casino, you idiot")]
    batch = Batch(candidates)
    for each in SCORES:
        mine, others = judge(each, batch)
        assert (mine.is_own, others.is_own) == (each == score, False)
        assert mine.version == ("site-1" if each == score else models[each].version)
    opinion = float(models[score].log_odds([candidates[0].body])[0])
    seen = Seen(candidates[0].body, opinion, batch.counts[0])
    expected = own.probabilities([seen], sparse_features([candidates[0].body]))
    assert judge(score, batch)[0].score == pytest.approx(float(expected[0]))
    [evidence, _] = CHECKS[score](candidates)
    assert evidence.detail.endswith(", based on decisions by this site's moderators")


@pytest.mark.parametrize("score", SCORES)
def test_a_model_that_was_made_for_another_base_model_is_not_asked(
    models: Models, comes: Comes, score: str
) -> None:
    [evidence] = CHECKS[score]([comes("a walk", models={score: own_model("older")})])
    assert evidence.version == models[score].version


@pytest.mark.parametrize("score", SCORES)
def test_a_sites_own_model_judges_a_language_that_only_it_has_learned(
    models: Models, comes: Comes, score: str
) -> None:
    own = own_model(models[score].version)
    learned, unknown = CHECKS[score](
        [comes("Kapal feri", language="id", models={score: own}), comes("Kapal", language="id")]
    )
    assert (learned.version, unknown.outcome) == ("site-1", Outcome.ABSTAINED)
    assert learned.score is not None


def test_the_checks_of_a_batch_share_what_they_read(models: Models, comes: Comes) -> None:
    batches, candidates = Batches(), [comes()]
    batch = batches.of(candidates)
    assert batches.of(candidates) is batch
    assert batch.rows is batches.of(candidates).rows
    assert batches.of([*candidates]) is not batch  # one comment alone, after the batch failed
