"""Who decided: the policy, a moderator, a program with an API key, or the comment's author."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from models.json_types import Id


class Kind(StrEnum):
    POLICY = "policy"
    MODERATOR = "moderator"
    KEY = "key"
    AUTHOR = "author"


class ActorShape(TypedDict):
    """Who acted. `id` is null for the policy and for the comment's author. `name` is null if it is
    unknown, and in events also for moderators, because their name is their email address.
    """

    type: Literal["policy", "moderator", "key", "author"]
    id: Id | None
    name: Annotated[str | None, Field(examples=["CMS"])]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made a decision. An author decides only to delete the comment.

    `str(actor)` is the text that the database and the API store: "policy", "moderator:ID",
    "key:ID" or "author". `name` is a key's name, if it is known; it is never an email address.
    `learn` is whether all decisions of the key teach the site's models.
    """

    kind: Kind
    id: str = ""
    name: str = field(default="", compare=False)
    learn: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if (self.kind in {Kind.POLICY, Kind.AUTHOR}) == bool(self.id):
            raise ValueError(f"{self.kind} with the id {self.id!r} is not an actor.")

    @classmethod
    def parse(cls, stored: str) -> Actor:
        """Raises ValueError for a text that names no actor."""
        kind, _, id_ = stored.partition(":")
        return cls(Kind(kind), id_)

    @classmethod
    def moderator(cls, id_: str) -> Actor:
        return cls(Kind.MODERATOR, id_)

    @classmethod
    def key(cls, id_: str, name: str = "", *, learn: bool = False) -> Actor:
        return cls(Kind.KEY, id_, name, learn)

    @property
    def is_human(self) -> bool:
        """Whether humans are responsible: moderators, and keys, because a program with a key acts
        on behalf of people.
        """
        return self.kind in {Kind.MODERATOR, Kind.KEY}

    def teaches(self, *, asked: bool = False) -> bool | None:
        """Whether a decision teaches the site's models; None for everyone but keys. A key's call
        may have `asked` for it.
        """
        return (asked or self.learn) if self.kind is Kind.KEY else None

    def shape(self, name: str = "") -> ActorShape:
        """Return the actor as JSON, with this name if the actor has none."""
        own_name = _NAMES.get(self.kind, self.name)
        return {
            "type": self.kind.value,
            "id": self.id or None,
            "name": own_name or name or None,
        }

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind.value


POLICY_NAME, AUTHOR_NAME = "Greenroom", "the author"
_NAMES = {Kind.POLICY: POLICY_NAME, Kind.AUTHOR: AUTHOR_NAME}
POLICY, AUTHOR = Actor(Kind.POLICY), Actor(Kind.AUTHOR)
