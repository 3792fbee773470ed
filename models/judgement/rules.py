"""A site's rules: what a rejection can name, in words that the author of the comment reads. Pure:
no clock, no database, no network.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST_RULES = 50
Reason = Literal["spam", "abuse", "off_topic", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)
RuleKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
_Line = StringConstraints(
    strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00]+$"
)
_Text = StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")
# The checks that look for spam. A comment that they alone reject is deceptive advertising in bulk.
_OF_SPAM = {"spam", "form"}


class Rule(BaseModel):
    """A rule of the site. Moderators name it by its `key` when they reject a comment. The author
    reads its `title` and `text`. `ground` is "legal" if the rule says what the law forbids, and
    "house" if it is the site's own. A rejection for a `reason` uses the first rule of that reason,
    unless it names another rule.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )

    key: Annotated[RuleKey, Field(examples=["respect"])]
    title: Annotated[str, _Line, Field(examples=["Be respectful"])]
    text: Annotated[str, _Text, Field(examples=["Criticize ideas, not people."])] = ""
    ground: Literal["house", "legal"] = "house"
    reason: Reason = "other"


def rule_named(rules: Sequence[Rule], key: str) -> Rule | None:
    return next((rule for rule in rules if rule.key == key), None)


def rule_for(rules: Sequence[Rule], reason: str) -> Rule | None:
    """Return the first rule of that reason, or else the first of the reason "other"."""
    for wanted in (reason, "other"):
        for rule in rules:
            if rule.reason == wanted:
                return rule
    return None


def is_about_spam(checks: Collection[str]) -> bool:
    """Whether a rejection by these checks is one of spam. The law asks for no statement of reasons
    then.
    """
    return bool(_OF_SPAM & set(checks))
