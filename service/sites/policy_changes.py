"""The changes between two policies, setting by setting, for the log, the news and the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel

from models.judgement.policy import Policy
from models.judgement.rules import Rule
from service.sites.policy_words import LEFT_EMPTY, NAMES, SAID, UNKNOWN_LANGUAGE

MOST_NAMED = 3  # changes in one sentence of the news
MOST_ENTRIES = 20  # words or patterns named in one change


class SettingChange(NamedTuple):
    """One setting with its value before and after. `setting` is its full name, such as
    "links.max_links".
    """

    setting: str
    was: object
    becomes: object


def changes_of(was: Policy, becomes: Policy) -> list[SettingChange]:
    old, new = _leaves(was), _leaves(becomes)
    return [SettingChange(name, old[name], new[name]) for name in new if old.get(name) != new[name]]


def in_one_sentence(changes: Sequence[SettingChange], most: int | None = None) -> str:
    """Return the changes in the words of the settings page, such as "“New comments” from … to …".
    With `most`, the others are only counted.
    """
    said = [_said(change) for change in changes]
    if most is not None and len(said) > most:
        said = [*said[: most - 1], f"{len(said) - most + 1} more"]
    if len(said) > 1:
        return f"{', '.join(said[:-1])} and {said[-1]}"
    return said[0] if said else "nothing, but saved the settings"


def _leaves(policy: Policy) -> dict[str, object]:
    """Return every setting by its full name."""
    leaves: dict[str, object] = {}
    for part, fields in policy:
        if isinstance(fields, BaseModel):
            leaves |= {f"{part}.{name}": value for name, value in fields}
        else:
            leaves[part] = fields
    return leaves


def _said(change: SettingChange) -> str:
    label, was, becomes = f"“{NAMES[change.setting]}”", change.was, change.becomes
    if isinstance(was, tuple) and isinstance(becomes, tuple):
        return f"{label} ({', '.join(_entries(was, becomes))})"
    if isinstance(was, dict) and isinstance(becomes, dict):
        return f"{label} ({', '.join(_members(was, becomes))})"
    words = UNKNOWN_LANGUAGE if change.setting.endswith(".when_abstaining") else SAID
    empty = LEFT_EMPTY.get(change.setting)
    was, becomes = (_in_words(value, words, empty) for value in (was, becomes))
    return f"{label} from {was} to {becomes}"


def _entries(was: tuple[object, ...], becomes: tuple[object, ...]) -> Iterator[str]:
    """Return the entries that a list gained and lost. A changed rule is lost and gained."""
    for verb, entries, others in (("added", becomes, was), ("removed", was, becomes)):
        if found := [entry for entry in entries if entry not in {*others}]:
            named = [f"“{_name(entry)}”" for entry in found[:MOST_ENTRIES]]
            left = len(found) - len(named)
            yield f"{verb} {', '.join(named)}{f' and {left} more' if left else ''}"
    if set(was) == set(becomes):
        yield "in another order"


def _name(entry: object) -> str:
    return entry.title if isinstance(entry, Rule) else str(entry)


def _members(was: dict[str, object], becomes: dict[str, object]) -> Iterator[str]:
    for name in sorted({*was, *becomes}):
        old, new = was.get(name), becomes.get(name)
        if old != new:
            yield f"{name} from {_in_words(old)} to {_in_words(new)}"


def _in_words(value: object, words: Mapping[str, str] = SAID, empty: str | None = None) -> str:
    """Return the value as the settings page shows it. `empty` is its word for an empty field."""
    if value is None:
        return f"“{empty}”" if empty else "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return f"“{words[str(value)]}”" if str(value) in words else str(value)
