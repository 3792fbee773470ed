"""The card of a site's own model, as it is stored, listed and shown. Its keys have blanks, like
those of the base model's card.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Decisions(TypedDict):
    rejected: int
    approved: int
    first: str
    last: str  # the times are those of the first and the last decision


class Compared(TypedDict):
    rows: int
    challenger: float
    champion: float
    how: str
    measure: str


SiteFigures = TypedDict("SiteFigures", {"rejected found": float, "approved held": float})


class LeftComment(TypedDict):
    comment: str
    why: Literal["erased", "undone"]


# The comments that the model before had learned from, and this one has not; some are named.
Left = TypedDict("Left", {"last seen by": str, "count": int, "comments": list[LeftComment]})


class Flags(TypedDict):
    """How many of the newest comments the score flags: by the model before, and by this one."""

    of: int
    before: int
    now: int


SiteCard = TypedDict(
    "SiteCard",
    {
        "version": str,
        "sha256": str,
        "bytes": int,
        "made": str,
        "base": str,
        "parent": str,
        "decisions": Decisions,
        "languages": list[str],
        "compared": Compared,
        "figures": SiteFigures,
        "went live": bool,
        "why": str,
        "left": NotRequired[Left],
        "flags": NotRequired[Flags],  # cards of early models have none
    },
)
