"""Judge how the comment was sent: bots fill in fields that people cannot see, are fast, or skip the
form.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.judgement.candidate import Candidate, Form
from models.judgement.evidence import Evidence, Outcome

_TOKENS = {
    "missing": "has no form token",
    "forged": "has an invalid form token",
    "expired": "has a form token older than a day",
}


def check(batch: Sequence[Candidate]) -> list[Evidence]:
    """Check how a comment was sent. `score` is the number of seconds from form to post, if
    known.
    """
    return [_evidence(candidate.form, candidate.policy.form.min_seconds) for candidate in batch]


def _evidence(form: Form, min_seconds: float) -> Evidence:
    found = _found(form, min_seconds)
    return Evidence(
        check="form",
        outcome=Outcome.FOUND if found else Outcome.CLEAR,
        detail="; ".join(found.values()) or _clear(form),
        score=form.seconds,
        found=found,
    )


def _found(form: Form, min_seconds: float) -> dict[str, str]:
    found = {}
    if form.honeypot:
        found["honeypot"] = "filled in a hidden field that only bots see"
    if form.seconds is not None and form.seconds < min_seconds:
        found["too_quick"] = f"posted {form.seconds:.1f} s after opening the form"
    if form.token != "valid":
        found["no_token"] = _TOKENS.get(form.token, "has no valid form token")
    return found


def _clear(form: Form) -> str:
    return (
        "has a valid form token"
        if form.seconds is None
        else f"took {_duration(form.seconds)} to write"
    )


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.0f} h"
