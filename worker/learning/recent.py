"""The comments of a site as its models see them: the newest ones, and those that went live
unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from models.classifier.model import LinearModel
from models.classifier.opinion import opinions
from models.classifier.place import Place, on_site
from models.classifier.site_model import Seen
from models.identifiers import first_id
from models.records import Comment, DecisionRecord, Site
from models.settling.history import BY_A_HUMAN
from models.settling.labels import contexts_of
from models.store.database import now

MOST = 1000
AT_ONCE = 500  # ids in one query
_STATUSES = ("approved", "flagged", "rejected")


class Comments(NamedTuple):
    """Comments without the base models' opinions. `texts` are pairs of text and language."""

    ids: list[str]
    texts: list[tuple[str, str]]
    contexts: list[dict[str, int]]

    @property
    def languages(self) -> list[str]:
        return [language for _, language in self.texts]

    def seen(self, base: LinearModel, place: Place) -> list[Seen]:
        """Return the comments as a site's model sees them that corrects this base model."""
        thoughts = opinions(base, self.texts, place)
        return [
            Seen(text, thought, context)
            for (text, _), thought, context in zip(self.texts, thoughts, self.contexts, strict=True)
        ]


class Recent(NamedTuple):
    """The newest comments, oldest first, and how many come per day."""

    comments: Comments
    per_day: float


class _Row(NamedTuple):
    id: str
    at: datetime
    body: str
    language: str | None


def recent_comments(session: Session, site_id: int) -> Recent:
    """Return the newest comments that were decided."""
    rows: list[_Row] = []
    for status in _STATUSES:
        rows += _read(session, _of(site_id, status).order_by(Comment.id.desc()).limit(MOST))
    rows = sorted(rows)[-MOST:]
    days = max(1.0, (now() - rows[0].at) / timedelta(days=1)) if rows else 1.0
    return Recent(_comments(session, rows), round(len(rows) / days, 2))


def unseen_comments(session: Session, site_id: int) -> Comments:
    """Return the newest comments that went live and that no human decided on, oldest first."""
    by_a_human = exists().where(DecisionRecord.comment_id == Comment.id, BY_A_HUMAN)
    wanted = _of(site_id, "approved").where(~by_a_human)
    rows = _read(session, wanted.order_by(Comment.id.desc()).limit(MOST))
    return _comments(session, rows[::-1])


def comments_since(session: Session, site_id: int, since: datetime, most: int) -> Comments:
    """Return the first comments that were posted since then and have been decided."""
    rows: list[_Row] = []
    for status in _STATUSES:
        wanted = _of(site_id, status).where(Comment.id >= first_id(since))
        rows += _read(session, wanted.order_by(Comment.id).limit(most))
    return _comments(session, sorted(rows)[:most])


def _of(site_id: int, status: str) -> Select[str, datetime, str, str | None]:
    """Ask for each status by itself, because the index begins with it."""
    wanted = select(Comment.id, Comment.at, Comment.body, Comment.language)
    return wanted.where(Comment.site_id == site_id, Comment.status == status)


def _read(session: Session, wanted: Select[str, datetime, str, str | None]) -> list[_Row]:
    return [_Row(*row) for row in session.execute(wanted)]


def _comments(session: Session, rows: Sequence[_Row]) -> Comments:
    ids = [row.id for row in rows]
    known: dict[str, dict[str, int]] = {}
    for some in slices(ids):
        known |= contexts_of(session, some)
    texts = [(row.body, row.language or "und") for row in rows]
    return Comments(ids, texts, [known.get(id_, {}) for id_ in ids])


def slices(ids: Sequence[str]) -> list[list[str]]:
    """Divide ids into lists short enough for one query."""
    return [list(ids[start : start + AT_ONCE]) for start in range(0, len(ids), AT_ONCE)]


def place_of(session: Session, site_id: int) -> Place:
    """Return the place of a comment on an unknown page of this site."""
    return on_site(session.execute(select(Site.origins).where(Site.id == site_id)).scalar_one())
