"""Starts a process for each training, one after the other, so that screening neither waits for a
training nor keeps its memory.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Collection, Sequence
from datetime import datetime

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.classifier.file import model_path
from models.classifier.model import base_model
from models.identifiers import first_id
from models.judgement.scores import SCORES
from models.records import Comment, Site, SiteModelRecord, SiteScore
from models.records.site_score import WATCHING
from models.runtime import part
from models.store.database import begin, reading
from worker.learning.claims import is_due

MOST_SECONDS = 120
MOST_WAITING = 100
WATCHED = 200  # comments that the previous model also scores after a change
log = structlog.get_logger()


def learn_soon(site_ids: Sequence[int]) -> None:
    """Queue trainings, and return at once. If the queue is full, a training is still due in the
    database.
    """
    for site_id in site_ids:
        _learner().enqueue(site_id)


def owe_learning(at: datetime) -> None:
    """After a change of a base model, make a training due for each site whose model was made for
    another base model.
    """
    for score in SCORES:
        if model_path(score).exists():
            _owe_learning(at, score)


def _owe_learning(at: datetime, score: str) -> None:
    made_for_another = SiteModelRecord.card["base"].as_string() != base_model(score).version
    sites = select(Site.id).join(SiteScore, SiteScore.site_id == Site.id)
    sites = sites.join(SiteModelRecord, SiteModelRecord.id == SiteScore.model)
    sites = sites.where(SiteScore.score == score, made_for_another, Site.learn_due.is_(None))
    with reading() as session:
        ids = session.execute(sites).scalars().all()
    _make_due(ids, at)


def owe_judging(at: datetime) -> None:
    """Make learning due for each site with a watched model that has scored enough comments."""
    with reading() as session:
        watched = select(SiteScore.site_id, SiteScore.live_since).where(SiteScore.watch == WATCHING)
        ready = {
            site_id
            for site_id, since in session.execute(watched).all()
            if since and _has_enough(session, site_id, since)
        }
    _make_due(ready, at)


def _make_due(site_ids: Collection[int], at: datetime) -> None:
    if not site_ids:
        return
    with begin() as session:
        for site_id in sorted(site_ids):  # every transaction locks sites in this order
            due = update(Site).where(Site.id == site_id, Site.learn_due.is_(None))
            session.execute(due.values(learn_due=at))


def _has_enough(session: Session, site_id: int, since: datetime) -> bool:
    """Count roughly: comments that are still pending count, too."""
    newest = (
        select(Comment.id)
        .where(
            Comment.site_id == site_id,
            Comment.status.in_(("approved", "flagged", "rejected")),
            Comment.id >= first_id(since),
        )
        .limit(WATCHED)
        .subquery()
    )
    return session.execute(select(func.count()).select_from(newest)).scalar_one() >= WATCHED


class _Learner(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="learner", daemon=True)
        self._queue: queue.Queue[int] = queue.Queue(MOST_WAITING)
        self._queued: set[int] = set()
        self._lock = threading.Lock()

    def enqueue(self, site_id: int) -> None:
        with self._lock:
            if site_id in self._queued or self._queue.full():
                return
            self._queued.add(site_id)
            self._queue.put_nowait(site_id)

    def run(self) -> None:
        while True:
            site_id = self._queue.get()
            with self._lock:
                self._queued.discard(site_id)
            self._learn_if_due(site_id)

    def _learn_if_due(self, site_id: int) -> None:
        """Train the site's model if that is due. Ask the database first, because the sweep also
        queues sites that must wait a little longer. If the database is down, it stays due.
        """
        try:
            if is_due(site_id):
                learn_now(site_id)
        except SQLAlchemyError as error:
            log.warning("learning.postponed", error=type(error).__name__)


def learn_now(site_id: int) -> bool:
    """Train in a process of its own; return whether it succeeded.

    The process uses one core: the solver's vectors are short, and other threads would spin for
    longer than they help.
    """
    command = [sys.executable, "-m", "worker.learning", str(site_id)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603 — a fixed command
            command,
            stdin=subprocess.DEVNULL,
            env=environment,
            timeout=MOST_SECONDS,
            check=False,
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
