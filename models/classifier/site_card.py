"""The card of a site's own model, as it is stored and listed. Some keys have spaces, so that the
card reads well unchanged.
"""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from models.json_types import Id, OneOf, Time

Version = Annotated[str, Field(examples=["site-3f1f0a6b52c7"])]


class TrainedOn(TypedDict):
    """The human decisions that a model learned from."""

    rejected: int
    approved: int
    first: Time
    last: Time


class Compared(TypedDict):
    """A comparison of a new model with the live one, on decisions that neither had seen."""

    challenger: float
    champion: float
    rows: int
    how: str
    measure: str


class LeftOut(TypedDict):
    """A comment that the previous model learned from and this one did not."""

    comment: Id
    why: Annotated[str, OneOf(("erased", "undone"))]


class LanguageShare(TypedDict):
    """How many of the comments in one language the live model holds, and the new one. `language` is
    a code, or "other" for all languages with few comments.
    """

    language: str
    of: int
    before: int
    now: int


class Traffic(TypedDict):
    """The same for the newest comments that went live without a human. `examples` are some that
    only the new model holds. `passed` is whether it holds hardly more in any language.
    """

    of: int
    before: int
    now: int
    languages: list[LanguageShare]
    examples: list[Id]
    passed: bool


class LabelCounts(TypedDict):
    """Who made the decisions, and what made a human look at the comments."""

    moderators: int
    keys: int
    queue: int
    blind_sample: int
    teaching: int
    other: int
    random: int


class Flags(TypedDict):
    """How many of the newest comments the previous model and this model flag by score."""

    of: int
    before: int
    now: int


Figures = TypedDict("Figures", {"rejected found": float, "approved held": float})
Left = TypedDict("Left", {"last seen by": str, "count": int, "comments": list[LeftOut]})
SiteCard = TypedDict(
    "SiteCard",
    {
        "version": Version,
        "score": NotRequired[str],  # cards before 0015 are all of spam
        "sha256": str,
        "bytes": int,
        "made": Time,
        "base": str,
        "parent": str,
        "decisions": TrainedOn,
        "languages": list[str],
        "compared": Compared,
        "figures": Figures,
        "went live": bool,
        "why": str,
        "left": NotRequired[Left],
        "flags": NotRequired[Flags],  # cards of early models have none
        "labels": NotRequired[LabelCounts],
        "traffic": NotRequired[Traffic],
    },
)
