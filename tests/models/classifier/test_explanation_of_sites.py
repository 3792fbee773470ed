"""A site's own model explains its score as exactly: the words, the base model's opinion, and the
counts.
"""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.classifier import context
from models.classifier.explanation import BASE_IS_SILENT, BASE_THINKS, explain_for_site
from models.classifier.features import COUNTED
from models.classifier.site_model import COLUMNS, Seen, SiteModel
from tests.models.classifier.test_explanation import ODD

RANDOM = np.random.default_rng(7)
MODEL = SiteModel(
    RANDOM.normal(0, 2, COLUMNS).astype(np.float32), -0.3, ["id"], "base", "site-0123456789ab"
)
COUNTS = st.one_of(
    st.just({}),
    st.dictionaries(st.sampled_from(context.COUNTS), st.integers(-1, 5000)).map(
        lambda counts: {"context": 1} | counts
    ),
)
OPINIONS = st.none() | st.floats(-40, 40)
NAMES = {
    *COUNTED,
    BASE_THINKS,
    BASE_IS_SILENT,
    *context.COUNTS,
    *(f"{name}: not known" for name in context.COUNTS),
}


@settings(deadline=None)
@given(ODD, OPINIONS, COUNTS)
@example("", None, {})
@example("slot slot gacor SLOT", 3.2, {"context": 1, "links away": 2, "seconds to write": -1})
def test_the_parts_and_the_intercept_add_up_to_the_sites_score(
    text: str, base: float | None, counts: dict[str, int]
) -> None:
    seen = Seen(text, base, counts)
    explanation = explain_for_site(MODEL, seen)

    total = explanation.intercept + sum(part.log_odds for part in explanation.parts)

    assert total == pytest.approx(MODEL.log_odds([seen])[0], abs=1e-6)
    shown = explanation.as_json()
    listed = sum(part["log_odds"] for part in shown["up"] + shown["down"])
    assert shown["intercept"] + listed + shown["rest"] == pytest.approx(
        MODEL.log_odds([seen])[0], abs=1e-6
    )


@settings(deadline=None)
@given(ODD, OPINIONS, COUNTS)
def test_words_have_their_place_in_the_text_and_other_parts_have_a_name(
    text: str, base: float | None, counts: dict[str, int]
) -> None:
    for part in explain_for_site(MODEL, Seen(text, base, counts)).parts:
        assert all(0 <= start < end <= len(text) for start, end in part.spans)
        if part.is_word:
            assert part.what == text[slice(*part.spans[0])]
        else:
            assert part.what in NAMES


def test_the_base_models_opinion_is_one_part_and_its_silence_another() -> None:
    weights = np.zeros(COLUMNS, np.float32)
    weights[-context.COLUMNS - 2 : -context.COLUMNS] = [2, -1]
    model = SiteModel(weights, 0.5, [], "base")

    [thinks] = explain_for_site(model, Seen("hello", 3.0, {})).up()
    [silent] = explain_for_site(model, Seen("hello", None, {})).down()

    assert (thinks.what, thinks.log_odds, thinks.share) == (BASE_THINKS, 6.0, 1.0)
    assert (silent.what, silent.log_odds) == (BASE_IS_SILENT, -1.0)


def test_known_and_unknown_counts_are_named() -> None:
    weights = np.zeros(COLUMNS, np.float32)
    weights[-context.COLUMNS :] = 1
    model = SiteModel(weights, 0.0, [], "base")

    counted = {"context": context.EDITION, "links away": 3, "seconds to write": -1}
    named = {part.what for part in explain_for_site(model, Seen("", None, counted)).parts}

    assert named == {"links away", "seconds to write: not known"}


def test_to_explain_takes_numpy_and_neither_scipy_nor_scikit_learn() -> None:
    code = (
        "import sys, numpy as np\n"
        "from models.classifier import explanation, site_model as site\n"
        "from models.classifier.model import LinearModel\n"
        "from models.classifier.features import COLUMNS\n"
        "own = site.SiteModel(np.ones(site.COLUMNS, np.float32), 0.0, [], 'base')\n"
        "explanation.explain_for_site(site.SiteModel.unpacked(own.packed()), site.Seen('A "
        "pill', 1.0, {}))\n"
        "explanation.explain(LinearModel(np.ones(COLUMNS, np.float32), 0.0, []), 'A pill')\n"
        "print(sorted({'scipy', 'sklearn'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.strip() == "[]"
