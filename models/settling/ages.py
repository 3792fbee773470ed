"""Which threads are too old to stay open on their site."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, or_, select, text

from models.records import Thread


def too_old(site_id: int, before: datetime) -> Select[int]:
    """Return the site's open threads that got their first comment before that time and that no
    moderator has reopened since, oldest first.
    """
    old = select(Thread.id).where(
        Thread.site_id == site_id, text("threads.state = 'open'"), Thread.created_at < before
    )
    return old.where(or_(Thread.opened_at.is_(None), Thread.opened_at < before)).order_by(
        Thread.created_at
    )
