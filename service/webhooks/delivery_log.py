"""The delivery log of a webhook: each delivery with its attempts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.records import Attempt, Delivery
from models.store.database import reading
from models.text.stamps import utc_stamp
from service.http.api_keys import Caller
from service.http.problems import Problem
from service.webhooks.endpoints import wanted_endpoint
from service.webhooks.shapes import STATES, Deliveries, DeliveryAttempt, ShownDelivery

LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def log_of(
    who: Caller, webhook: str, state: str | None, cursor: str | None, limit: int
) -> Deliveries:
    if state is not None and state not in STATES:
        raise Problem(422, f"This must be one of {', '.join(STATES)}.")
    if cursor is not None and not is_id(cursor):
        raise Problem(422, "This cursor is not valid. Use `next` from the previous page.")
    with reading() as session:
        row = wanted_endpoint(session, who, webhook)
        found = (
            session.execute(_listed(row.id, state, cursor or LAST_ID).limit(limit + 1))
            .scalars()
            .all()
        )
        listed = _with_attempts(session, found[:limit])
    return {"deliveries": listed, "next": found[limit - 1].id if len(found) > limit else None}


def _listed(endpoint: str, state: str | None, before: str) -> Select[Delivery]:
    """Newest first. The condition compares tuples, like the index: otherwise the planner walks
    through all sites' deliveries by their ids.
    """
    of_it: tuple[Any, ...] = (Delivery.endpoint_id, *((Delivery.state,) if state else ()))
    its = (endpoint, *((state,) if state else ()))
    mine = select(Delivery).where(
        tuple_(*of_it) >= its, tuple_(*of_it, Delivery.id) < (*its, before)
    )
    return mine.order_by(*(column.desc() for column in (*of_it, Delivery.id)))


def _with_attempts(session: Session, found: Sequence[Delivery]) -> list[ShownDelivery]:
    attempts: dict[str, list[DeliveryAttempt]] = {row.id: [] for row in found}
    wanted = select(Attempt).where(Attempt.delivery_id.in_(attempts)).order_by(Attempt.id)
    for tried in session.execute(wanted).scalars():
        told: DeliveryAttempt = {
            "at": utc_stamp(tried.at),
            "status": tried.status,
            "ms": tried.ms,
            "error": tried.error,
            "answer": tried.answer,
        }
        attempts[tried.delivery_id].append(told)
    return [
        {
            "id": row.id,
            "event": row.event_id,
            "type": row.type,
            "comment": row.comment_id,
            "sequence": row.sequence,
            "state": row.state,
            "due": utc_stamp(row.due),
            "created_at": utc_stamp(row.created_at),
            "ended_at": utc_stamp(row.ended_at),
            "attempts": attempts[row.id],
        }
        for row in found
    ]
