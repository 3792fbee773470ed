"""Which threads are as old as their site lets them become."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, or_, select, text

from models.records import Thread


def too_old(site_id: int, before: datetime) -> Select[int]:
    """Open ones that got their first comment before then, and were not opened again since; the
    oldest first.
    """
    old = select(Thread.id).where(
        Thread.site_id == site_id, text("threads.state = 'open'"), Thread.created_at < before
    )
    return old.where(or_(Thread.opened_at.is_(None), Thread.opened_at < before)).order_by(
        Thread.created_at
    )
