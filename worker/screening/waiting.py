"""Comments that are due for a screening, with the settings of their threads and sites. One query
reads everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Text, bindparam, cast, exists, func, select
from sqlalchemy.orm import Session

from models.judgement.scores import SCORES
from models.store.database import Base


class Waiting(NamedTuple):
    """A row of that query. `body` is the text to screen: that of the edit that waits, if there is
    one. `form`, `page`, `origins` and `policy` are JSON that is not parsed yet: an error in one
    comment must occur where that comment can be screened alone. `models` are the ids of the site's
    own models that are live, by score.
    """

    id: str
    site_id: int
    thread_id: int
    name: str
    email: bytes | None
    email_index: str
    website: str | None
    body: str
    at: datetime
    address: str
    form: str
    page: str
    reader_id: str | None
    site_has_readers: bool
    screenings: int
    thread_title: str | None
    title_is_final: bool
    thread_url: str | None
    url_is_final: bool
    thread_moderation: str | None
    slow_seconds: int | None
    origins: str
    policy: str
    policy_version: int
    locale: str
    event_sequence: int
    version: int
    edit_id: str | None
    models: Mapping[str, str]


def waiting(session: Session, comment_ids: Sequence[str]) -> list[Waiting]:
    """Return those of the comments that are due for a screening, in the order of their ids."""
    rows = session.connection().execute(_WAITING, {"ids": list(comment_ids)})
    return [_waiting(row) for row in rows]


def _waiting(row: Row[Any]) -> Waiting:
    values, models = row[: -len(SCORES)], row[-len(SCORES) :]
    live = {score: model for score, model in zip(SCORES, models, strict=True) if model}
    return Waiting._make((*values, live))


# Built once, of bare columns: putting the statement together, or making objects from the rows,
# takes longer than the query itself.
_COMMENTS, _EDITS = Base.metadata.tables["comments"], Base.metadata.tables["edits"]
_COMMENT, _THREAD, _SITE, _SITE_SCORE, _READER = (
    Base.metadata.tables[name].c
    for name in ("comments", "threads", "sites", "site_scores", "readers")
)
_MODELS = tuple(
    select(_SITE_SCORE.model)
    .where(_SITE_SCORE.site_id == _COMMENT.site_id, _SITE_SCORE.score == score)
    .scalar_subquery()
    for score in SCORES
)
_HAS_READERS = exists().where(_READER.site_id == _COMMENT.site_id)
_COLUMNS = (
    *(_COMMENT.id, _COMMENT.site_id, _COMMENT.thread_id, _COMMENT.name),
    *(_COMMENT.email, _COMMENT.email_index, _COMMENT.website),
    func.coalesce(_EDITS.c.body, _COMMENT.body),
    *(_COMMENT.at, _COMMENT.address, cast(_COMMENT.form, Text), cast(_COMMENT.page, Text)),
    *(_COMMENT.reader_id, _HAS_READERS, _COMMENT.screenings),
    *(_THREAD.title, _THREAD.title_is_final, _THREAD.url),
    *(_THREAD.url_is_final, _THREAD.moderation, _THREAD.slow_seconds),
    *(cast(_SITE.origins, Text), cast(_SITE.policy, Text), _SITE.policy_version),
    *(_SITE.locale, _SITE.event_sequence, _COMMENT.version, _COMMENT.edit_id),
    *_MODELS,
)
_WAITING = (
    select(*_COLUMNS)
    .select_from(_COMMENTS.outerjoin(_EDITS, _EDITS.c.id == _COMMENT.edit_id))
    .where(
        _COMMENT.id.in_(bindparam("ids", expanding=True)),
        _COMMENT.screen_due.is_not(None),
        _COMMENT.thread_id == _THREAD.id,
        _COMMENT.site_id == _SITE.id,
    )
    .order_by(_COMMENT.id)
)
