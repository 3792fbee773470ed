"""The choice of comments to label: uncertain ones first, one in five by chance, spread out."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from models.judgement.picks import SESSION, Choice, doubt, draw

THRESHOLDS = {"spam": 0.5, "abuse": 0.8}


def choice(number: int, doubt: float = 1.0, **more: str) -> Choice:
    """Return a comment that resembles no other, in a thread of its own."""
    own = {"language": "en", "thread": f"t{number}", "group": f"g{number}"}
    return Choice(f"c{number}", doubt, **(own | more))


def uncertain(choices: list[Choice], count: int, seed: int = 1) -> set[str]:
    """Return the ids of the picks that were chosen for their scores."""
    return {pick.id for pick in draw(choices, count, Random(seed)) if pick.propensity is None}


@pytest.mark.parametrize(
    ("scores", "distance"),
    [
        ({"spam": 0.5}, 0.0),  # on the threshold
        ({"spam": 0.1, "abuse": 0.8}, 0.0),  # one score is enough
        ({"spam": 0.9, "abuse": None}, 0.0),  # a model without an opinion is as uncertain as can be
        ({"spam": 0.9}, 2.197),  # an odds of 9 to 1
        ({"spam": 0.0}, 13.816),  # a certain score is far, but not infinitely
        ({}, float("inf")),  # never scored
    ],
)
def test_doubt_is_the_distance_to_the_nearest_threshold_in_log_odds(
    scores: dict[str, float | None], distance: float
) -> None:
    assert doubt(scores, THRESHOLDS) == pytest.approx(distance, abs=0.001)


def test_most_picks_are_the_most_uncertain_comments() -> None:
    choices = [choice(number, doubt=number / 10) for number in range(1000)]
    picked = uncertain(choices, SESSION)
    assert len(picked) == 16
    assert picked <= {f"c{number}" for number in range(20)}  # some of them came by chance


def test_one_in_five_picks_is_random_and_knows_its_chance() -> None:
    choices = [choice(number) for number in range(400)]
    picks = draw(choices, SESSION, Random(1))
    assert len({pick.id for pick in picks}) == SESSION
    assert [pick.propensity for pick in picks if pick.propensity] == [4 / 400] * 4


def test_a_small_draw_is_random_as_often() -> None:
    choices, chance = [choice(number) for number in range(50)], Random(1)
    drawn = [pick for _ in range(2000) for pick in draw(choices, 1, chance)]
    assert 340 <= sum(pick.propensity is not None for pick in drawn) <= 460


def test_the_order_does_not_tell_which_picks_are_random() -> None:
    choices, chance = [choice(number) for number in range(100)], Random(1)
    places: Counter[int] = Counter()
    for _ in range(1000):
        picks = draw(choices, SESSION, chance)
        places.update(at for at, pick in enumerate(picks) if pick.propensity is not None)
    assert all(130 <= places[at] <= 270 for at in range(SESSION))


def test_every_comment_has_the_chance_that_its_random_pick_names() -> None:
    """A campaign of 90 comments has the chance of one comment, shared among them."""
    campaign = [choice(number, group="campaign") for number in range(90)]
    choices, chance = [*campaign, *(choice(number) for number in range(90, 100))], Random(1)
    counts: Counter[str] = Counter()
    for _ in range(3000):
        for pick in draw(choices, 5, chance):
            if pick.propensity is not None:
                counts[pick.id] += 1
                assert pick.propensity == pytest.approx(1 / 11 if pick.id >= "c90" else 1 / 990)
    assert 200 <= counts["c95"] <= 350  # 3000 / 11
    assert 200 <= sum(counts[f"c{number}"] for number in range(90)) <= 350


def test_nearly_the_same_text_is_picked_once() -> None:
    campaign = [choice(number, doubt=0.0, group="campaign") for number in range(500)]
    others = [choice(number, doubt=5.0) for number in range(500, 600)]
    picked = [pick.id for pick in draw(campaign + others, SESSION, Random(1))]
    assert sum(id_ in {each.id for each in campaign} for id_ in picked) == 1


def test_no_language_takes_all_places_while_others_have_comments() -> None:
    german = [choice(number, doubt=9.0, language="de") for number in range(50)]
    english = [choice(number, doubt=0.1) for number in range(50, 150)]
    picked = uncertain(german + english, SESSION)
    assert sum(id_ in {each.id for each in german} for id_ in picked) == 8


def test_a_quarter_of_the_uncertain_picks_at_most_is_from_one_thread() -> None:
    busy = [choice(number, doubt=0.1, thread="busy") for number in range(50)]
    calm = [choice(number, doubt=2.0) for number in range(50, 80)]
    picked = uncertain(busy + calm, SESSION)
    assert sum(id_ in {each.id for each in busy} for id_ in picked) == 4


def test_a_site_with_one_busy_thread_still_gets_a_whole_session() -> None:
    choices = [choice(number, doubt=number / 10, thread="only") for number in range(100)]
    assert len(draw(choices, SESSION, Random(1))) == SESSION


def test_no_more_is_drawn_than_there_is() -> None:
    assert len(draw([choice(number) for number in range(3)], SESSION, Random(1))) == 3
    assert draw([], SESSION, Random(1)) == []
