"""The drawing of a model's card: an SVG that agrees with the numbers."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from models.classifier.training import drawing
from models.classifier.training.evaluation import Bin, Calibration, Judged
from models.spam.training import measuring
from tests.models.classifier.training.made_up_rows import rows


def test_the_drawing_shows_a_curve_for_each_filter_and_a_dot_for_each_bin() -> None:
    found = measuring.measure(rows())

    drawn = drawing.draw(
        found.calibration, found.judged | {"Bayes & Co": found.judged["Greenroom"]}
    )

    root = ElementTree.fromstring(drawn)
    paths, dots = (
        root.findall(f"{{http://www.w3.org/2000/svg}}{kind}") for kind in ("path", "circle")
    )
    assert (len(paths), len(dots)) == (4, len(found.calibration.bins))
    assert "Bayes & Co" in "".join(root.itertext())


SVG = "{http://www.w3.org/2000/svg}"


def drawn(
    *, bins: tuple[Bin, ...] = (Bin(0.25, 0.5, 10),), **filters: Judged
) -> ElementTree.Element:
    return ElementTree.fromstring(drawing.draw(Calibration(0.1, 0.1, bins), filters))


def scored(spam: list[bool], log_odds: list[float]) -> Judged:
    count = len(spam)
    return Judged(
        np.array(["all"] * count), np.array(spam), np.array(log_odds), np.zeros(count, bool)
    )


def test_a_dot_is_where_its_probability_and_its_share_of_spam_are() -> None:
    [dot] = drawn().findall(f"{SVG}circle")

    # The left diagram begins at 60, 40 and is 300 wide; up is less.
    assert (dot.get("cx"), dot.get("cy")) == ("135.0", "190.0")


def test_a_perfect_filter_finds_all_spam_at_no_cost() -> None:
    perfect = scored([True, True, False, False], [4, 3, -3, -4])
    *_, curve = drawn(Perfect=perfect).findall(f"{SVG}path")

    assert (curve.get("d") or "").startswith("M470.0 340.0")
    assert (curve.get("d") or "").endswith("470.0 40.0")


def test_a_curve_ends_at_an_unacceptable_share_of_false_positives() -> None:
    spam = [True] * 10 + [False] * 10
    poor = scored(spam, [float(number % 10) for number in range(20)])
    *_, curve = drawn(Poor=poor).findall(f"{SVG}path")
    places = [float(place.split()[0]) for place in (curve.get("d") or "")[1:].split(" L")]

    assert min(places) >= 470
    assert max(places) <= 770


def test_each_filter_has_its_own_colour() -> None:
    same = scored([True, False], [1, -1])
    paths = drawn(A=same, B=same, C=same).findall(f"{SVG}path")[2:]

    assert len({path.get("stroke") for path in paths}) == 3


def test_the_picture_has_a_title_for_those_who_cannot_see_it() -> None:
    root = drawn()

    assert root.get("role") == "img"
    assert "comments that were left out" in (root.findtext(f"{SVG}title") or "")
