"""Starts a process of its own for each training, one after the other: screening never waits for
one, nor holds its memory.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import SQLAlchemyError

from models.records import Site, SiteModelRecord
from models.runtime import part
from models.settings import settings
from models.spam.model import base_model
from models.store.database import begin, now, reading

RUNG = timedelta(seconds=10)  # the sweep puts what it rings for off by as much; a lease is longer
MOST_SECONDS = 120
MOST_WAITING = 100
log = structlog.get_logger()


def learn_soon(site_ids: Sequence[int]) -> None:
    """Returns at once. What is left aside, or lost, is still due in the database."""
    for site_id in site_ids:
        _learner().leave(site_id)


def owe_learning(at: datetime) -> None:
    """After a change of the base model, sites whose models were taught to weigh the old one's
    opinion learn anew.
    """
    made_for_another = SiteModelRecord.card["base"].as_string() != base_model().version
    sites = select(Site.id).join(SiteModelRecord, SiteModelRecord.id == Site.model)
    with reading() as session:
        ids = (
            session.execute(sites.where(made_for_another, Site.learn_due.is_(None))).scalars().all()
        )
    if ids:
        with begin() as session:
            for id_ in sorted(ids):  # locked in this order by everyone
                session.execute(
                    update(Site)
                    .where(Site.id == id_, Site.learn_due.is_(None))
                    .values(learn_due=at)
                )


class _Learner(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="learner", daemon=True)
        self._waiting: queue.Queue[int] = queue.Queue(MOST_WAITING)
        self._known: set[int] = set()
        self._lock = threading.Lock()

    def leave(self, site_id: int) -> None:
        with self._lock:
            if site_id in self._known or self._waiting.full():
                return
            self._known.add(site_id)
            self._waiting.put_nowait(site_id)

    def run(self) -> None:
        while True:
            site_id = self._waiting.get()
            with self._lock:
                self._known.discard(site_id)
            self._try(site_id)

    def _try(self, site_id: int) -> None:
        """Where the database is away, the site is still due when it is back."""
        try:
            if _is_due(site_id):
                learn_now(site_id)
        except SQLAlchemyError as error:
            log.warning("learning.postponed", error=type(error).__name__)


def may_learn(at: datetime) -> ColumnElement[bool]:
    """Which sites' training is due, and their last one long enough ago."""
    rested = Site.learned_at.is_(None) | (
        Site.learned_at <= at - timedelta(seconds=settings().learn_seconds)
    )
    return (Site.learn_due <= at + RUNG) & rested


def _is_due(site_id: int) -> bool:
    """Asked before a process is started: the sweep rings for what has to rest a little longer, too."""
    with reading() as session:
        return (
            session.execute(select(Site.id).where(Site.id == site_id, may_learn(now()))).first()
            is not None
        )


def learn_now(site_id: int) -> bool:
    """Train in a process that ends with it; False if that went wrong.

    On one core: the solver's vectors are short, and its other threads would spin for longer than
    they add.
    """
    command, alone = (
        [sys.executable, "-m", "worker.learning.learning", str(site_id)],
        os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        done = subprocess.run(  # noqa: S603 — ours
            command, stdin=subprocess.DEVNULL, env=alone, timeout=MOST_SECONDS, check=False
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        log.error("learning.failed", reason=type(error).__name__)
        return False
    if done.returncode:
        log.error("learning.failed", reason=f"exit status {done.returncode}")
    return not done.returncode


@part
def _learner() -> _Learner:
    learner = _Learner()
    learner.start()
    return learner
