"""An explanation of a score as JSON. This module imports no numpy."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict


class Part(TypedDict):
    """A word or a counted feature that moved the score. `share` is its share of the total movement.
    Each span is [start, end) in the body, in Unicode characters.
    """

    word: NotRequired[Annotated[str, Field(examples=["casino"])]]
    feature: NotRequired[Annotated[str, Field(examples=["links"])]]
    log_odds: float
    share: float
    spans: list[list[int]]


class ScoreExplained(TypedDict):
    """The parts of a score. `rest` is the sum of the parts that are not listed, so that all numbers
    add up.
    """

    version: Annotated[str, Field(examples=["base-1"])]
    log_odds: float
    intercept: float
    up: list[Part]
    down: list[Part]
    rest: float
