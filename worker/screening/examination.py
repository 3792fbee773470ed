"""Run every check over a batch and time it. A check or a comment that fails does not affect the
others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from traceback import extract_tb
from typing import TypeAlias

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from models.judgement.candidate import Candidate
from models.judgement.evidence import CHECKS, Evidence, Outcome
from models.judgement.scores import ABUSE, SPAM
from models.store.database import reading
from worker.checks import (
    abuse,
    author,
    blocks,
    disguise,
    email,
    form,
    hosts,
    language,
    links,
    pace,
    repeats,
    spam,
    title_and_address,
    words,
)
from worker.checks.scores import Batches

_log = structlog.get_logger(__name__)

_Check: TypeAlias = Callable[[Sequence[Candidate]], list[Evidence]]

_ON_THE_TEXT: dict[str, _Check] = {
    "email": email.check,
    "links": links.check,
    "words": words.check,
    "disguise": disguise.check,
    "form": form.check,
    "language": language.check,
}
_ON_THE_RECORDS = {
    "repeats": repeats.check,
    "pace": pace.check,
    "author": author.check,
    "hosts": hosts.check,
    "blocks": blocks.check,
    "page": title_and_address.check,
}
_SCORES = {SPAM: spam.check, ABUSE: abuse.check}

# Errors that no comment causes, so running the check again for each comment alone would only take
# longer.
_EVERYONES = (ImportError, OSError, MemoryError, OperationalError)
_NOT_OURS = re.compile(r"site-packages|^<")  # "<": code that SQLAlchemy generates


def examine(batch: Sequence[Candidate], now: datetime) -> list[list[Evidence]]:
    """Return all evidence on each comment. Checks that use the network run before the database is
    opened, and the scores are computed last, because a site's own models also use the findings of
    the others.
    """
    found = {name: _run(name, check, batch) for name, check in _ON_THE_TEXT.items()}
    with reading() as session:
        for name, check in _ON_THE_RECORDS.items():
            found[name] = _run(
                name,
                partial(check, session=session, now=now),
                batch,
                after_failure=session.rollback,
            )
    known = {
        candidate.id: {name: items[at] for name, items in found.items()}
        for at, candidate in enumerate(batch)
    }
    batches = Batches(known)
    for name, score in _SCORES.items():
        found[name] = _run(name, partial(score, batches=batches), batch)
    return [list(row) for row in zip(*(found[name] for name in CHECKS), strict=True)]


def _run(
    name: str,
    check: _Check,
    batch: Sequence[Candidate],
    after_failure: Callable[[], None] | None = None,
) -> list[Evidence]:
    """Run one check over a batch. If it fails, run it for each comment alone."""
    started = perf_counter()
    try:
        found = check(batch)
        assert len(found) == len(batch), "one piece of evidence for each comment"
    except Exception as error:
        if after_failure:
            after_failure()
        told = {"error": type(error).__name__, "reason": _reason(error), "exception": _where(error)}
        _log.warning("check.failed", check=name, count=len(batch), **told)
        if len(batch) > 1 and not isinstance(error, _EVERYONES):
            return [
                item
                for candidate in batch
                for item in _run(name, check, [candidate], after_failure)
            ]
        found = [_could_not_run(name, error)] * len(batch)
    ms = (perf_counter() - started) * 1000 / max(len(batch), 1)
    return [replace(item, ms=round(ms, 3)) for item in found]


def _could_not_run(name: str, error: Exception) -> Evidence:
    detail = f"the {name} check could not run: {_reason(error)}"
    return Evidence(check=name, outcome=Outcome.UNAVAILABLE, detail=detail)


def _reason(error: Exception) -> str:
    """Explain the error in plain words, never in its own, which may quote the comment."""
    if isinstance(error, SQLAlchemyError):
        return "the database did not respond"
    if isinstance(error, ImportError | FileNotFoundError):
        return "a file is missing"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError | MemoryError):
        return "the system reported an error"
    return f"unexpected error ({type(error).__name__})"


def _where(error: Exception) -> str:
    """Return the line of our code that failed, without its values."""
    ours = [
        frame for frame in extract_tb(error.__traceback__) if not _NOT_OURS.search(frame.filename)
    ]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
