"""Sites' own models as a worker keeps them: by id, so that a new one counts from the next batch on,
and only a few.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.judgement import promises
from models.judgement.policy import Policy
from models.judgement.promises import Scores
from models.records import SiteModelRecord
from models.spam.model import UnusableModel
from models.spam.site import SiteModel

Value = TypeVar("Value")

MOST = 64  # models of 130 KB
log = structlog.get_logger()


class Learned(NamedTuple):
    """A site's model, and what promises are fitted from."""

    model: SiteModel
    scores: Scores


class _Kept(Generic[Value]):
    """The values asked for last, by key."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        with self._lock:
            self._values[key] = made
            while len(self._values) > MOST:
                self._values.popitem(last=False)
        return made


_models: _Kept[Learned | None] = _Kept()
_thresholds: _Kept[promises.Fitted | None] = _Kept()


def learned(session: Session, model_id: str | None) -> Learned | None:
    """The model of that id; None where there is none, or one that does not fit this release: it is
    learned anew.
    """
    return _models.get(model_id, lambda: _read(session, model_id)) if model_id else None


def _read(session: Session, model_id: str) -> Learned | None:
    wanted = select(SiteModelRecord.weights, SiteModelRecord.scores).where(
        SiteModelRecord.id == model_id
    )
    row = session.execute(wanted).one_or_none()
    if row is None:
        return None
    try:
        return Learned(SiteModel.unpacked(row.weights), Scores.of(row.scores))
    except UnusableModel as error:
        log.warning("site_model.unusable", reason=str(error))
        return None


def with_promises(session: Session, policy: Policy, model_id: str | None) -> Policy:
    """The policy with the thresholds that keep what it promises."""
    found = learned(session, model_id)
    key = (model_id if found else None, policy.spam, policy.promises)
    fitted = _thresholds.get(key, lambda: promises.fit(policy, found.scores if found else None))
    return promises.keep(policy, fitted)
