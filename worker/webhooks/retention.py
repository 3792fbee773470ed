"""Delete old webhook data, a little at a time, so that nothing waits for a long transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update

from models.records import Attempt, Delivery, Endpoint, Event, Site
from models.settings import settings
from models.store.database import begin, reading
from worker import lots
from worker.lots import delete_in_lots

KEPT = timedelta(days=30)  # the log of deliveries and attempts, counted from their end


def tidy_webhooks(at: datetime) -> None:
    with reading() as session:
        deleted = (
            session.execute(select(Endpoint.id).where(Endpoint.deleted_at.is_not(None)))
            .scalars()
            .all()
        )
    for endpoint in deleted:
        of_it = Delivery.endpoint_id == endpoint
        _remove(Attempt, Attempt.delivery_id.in_(select(Delivery.id).where(of_it)))
        _remove(Delivery, of_it)
        _remove(Endpoint, Endpoint.id == endpoint)
    _remove(Attempt, Attempt.at < at - KEPT)
    _remove(Delivery, Delivery.ended_at < at - KEPT)
    if settings().event_days:
        forget_events(at - timedelta(days=settings().event_days))


def _remove(record: type[Attempt | Delivery | Endpoint], which: ColumnElement[bool]) -> None:
    """Delete all of these that nothing refers to any more."""
    if record is Delivery:
        which &= ~select(Attempt.id).where(Attempt.delivery_id == Delivery.id).exists()
    if record is Endpoint:
        which &= ~select(Delivery.id).where(Delivery.endpoint_id == Endpoint.id).exists()
    delete_in_lots(record, which)


def forget_events(before: datetime) -> None:
    """Delete the oldest events, but none that is still to be delivered. Requests with a cursor
    before the remaining events get an error that says so.
    """
    with reading() as session:
        sites = session.execute(select(Site.id).order_by(Site.id)).scalars().all()
    for site in sites:
        for _ in range(lots.MOST_LOTS):
            if not _forget(site, before):
                break


def _forget(site: int, before: datetime) -> bool:
    """Delete the events of whole transactions, so that no cursor points into the middle of one."""
    mine, place = Event.site_id == site, (Event.position, Event.nth)
    of_it = (Delivery.comment_id == Event.comment_id) & (Delivery.event_id == Event.id)
    owed = select(Delivery.id).where(of_it, Delivery.state.in_(("owed", "waiting")))
    with reading() as session:
        oldest = session.execute(
            select(Event.position, Event.at).where(mine).order_by(*place).limit(lots.AT_ONCE)
        ).all()
        late = [row.position for row in oldest if row.at >= before]
        until = min(late) - 1 if late else max((row.position for row in oldest), default=0)
        kept = session.scalar(
            select(func.min(Event.position)).where(mine, Event.position <= until, owed.exists())
        )
        until = until if kept is None else kept - 1
        if not any(row.position <= until for row in oldest):
            return False
    with begin() as session:
        session.execute(
            update(Site).where(Site.id == site, Site.forgotten < until).values(forgotten=until)
        )
        session.execute(delete(Event).where(mine, Event.position <= until))
    return len(oldest) == lots.AT_ONCE
