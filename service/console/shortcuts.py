"""One key for each decision, by its physical place (`KeyboardEvent.code`), so that any layout
works.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from flask import Response
from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.records import Moderator
from models.store.database import begin
from service.console.blueprint import acting, console, sent
from service.http.responses import json_response

ACTIONS = {
    "next": "Next comment",
    "previous": "Previous comment",
    "approve": "Approve",
    "reject": "Reject, with a reason",
    "spam": "Reject as spam",
    "abuse": "Reject as abuse",
    "leave": "Leave for someone else",
    "undo": "Undo the last decision",
    "select": "Select",
    "select_alike": "Select similar comments",
    "approve_selected": "Approve selected",
    "reject_selected": "Reject selected",
    "search": "Search",
    "author": "All comments by this author",
    "thread": "Open the thread",
    "readers": "Only what readers reported or sent",
    "seen": "Mark as seen and go on",
    "note": "Write a note",
    "help": "Show this help",
}
PRESETS = {
    "greenroom": {
        "next": "KeyJ",
        "previous": "KeyK",
        "approve": "KeyA",
        "reject": "KeyR",
        "spam": "KeyS",
        "abuse": "KeyB",
        "leave": "KeyF",
        "undo": "KeyU",
        "select": "KeyX",
        "select_alike": "Shift+KeyX",
        "approve_selected": "Shift+KeyA",
        "reject_selected": "Shift+KeyR",
        "search": "Slash",
        "author": "KeyE",
        "thread": "KeyT",
        "readers": "KeyO",
        "seen": "Space",
        "note": "KeyN",
        "help": "Shift+Slash",
    }
}
PRESETS["wordpress"] = PRESETS["greenroom"] | {
    "reject": "KeyD",
    "reject_selected": "Shift+KeyD",
    "undo": "KeyZ",
    "leave": "KeyU",
}
PRESETS["coral"] = PRESETS["greenroom"] | {
    "approve": "KeyF",
    "reject": "KeyD",
    "undo": "KeyU",
    "leave": "KeyB",
    "abuse": "KeyV",
    "approve_selected": "Shift+KeyF",
    "reject_selected": "Shift+KeyD",
}
NAMES = {"greenroom": "Greenroom", "wordpress": "WordPress", "coral": "Coral"}
Code = Annotated[str, StringConstraints(pattern=r"^(Shift\+)?[A-Za-z0-9]{2,20}$")]


class Preferences(BaseModel):
    """`keys` are those that differ from the preset's."""

    model_config = ConfigDict(strict=True, extra="ignore")

    preset: str = "greenroom"
    keys: dict[str, Code] = {}
    ask_reason: bool = True

    def all_keys(self) -> dict[str, str]:
        """Return the key of each action. A moderator's own key goes before the preset's, which may
        be newer than their choice.
        """
        own = set(self.keys.values())
        preset = {name: code for name, code in PRESETS[self.preset].items() if code not in own}
        return preset | self.keys

    @field_validator("preset")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in PRESETS:
            raise ValueError("There is no such preset.")
        return value

    @field_validator("keys")
    @classmethod
    def _known_actions(cls, value: dict[str, str]) -> dict[str, str]:
        if unknown := set(value) - set(ACTIONS):
            raise ValueError(f"There is no such action: {min(unknown)}.")
        return value


class Keys(TypedDict):
    """What the page tells its script: each action's key, and the moderator's preferences."""

    preset: str
    keys: dict[str, str]
    own: dict[str, str]
    ask_reason: bool


def keys_of(session: Session, moderator_id: str) -> Keys:
    """Return the moderator's keys."""
    kept = session.execute(
        select(Moderator.preferences).where(Moderator.id == moderator_id)
    ).scalar()
    chosen = Preferences.model_validate(kept or {})
    return {
        "preset": chosen.preset,
        "keys": chosen.all_keys(),
        "own": chosen.keys,
        "ask_reason": chosen.ask_reason,
    }


def label(code: str) -> str:
    """A key as it is printed on the keyboard it was named for."""
    shift, _, key = code.rpartition("+")
    key = key.removeprefix("Key").removeprefix("Digit")
    named = {"Slash": "/", "Space": "space", "Period": ".", "Comma": ",", "Semicolon": ";"}
    if shift and key == "Slash":
        return "?"
    return (
        f"⇧{named.get(key, key)}"
        if shift
        else named.get(key, key.lower() if len(key) == 1 else key)
    )


@console.app_template_filter("key")
def _label(code: str) -> str:
    return label(code)


@console.post("/preferences")
def prefer() -> Response:
    who = acting()
    chosen = sent(Preferences)
    with begin() as session:
        moderator = session.get_one(Moderator, who.moderator_id)
        moderator.preferences = {**(moderator.preferences or {}), **chosen.model_dump()}
    with begin() as session:
        return json_response(keys_of(session, who.moderator_id))
