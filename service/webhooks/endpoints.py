"""A site's webhooks: creating, showing, changing, deleting and testing them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from models.identifiers import is_id, new_id
from models.records import Endpoint, Site
from models.settling.actor import POLICY
from models.store.database import Base, begin, now, reading
from models.text.stamps import utc_stamp
from models.text.urls import host_of
from models.webhooks.endpoints import (
    Sealed,
    first_secret,
    opened,
    rotated,
    sealed,
    sealed_of,
    unsealed,
)
from models.webhooks.owed import BY_HAND, CHATS, MADE_SO, TEST, Happened, delivery_of
from models.webhooks.signatures import public_key
from service.http.api_keys import Caller
from service.http.problems import Problem
from service.moderation.log import note_act
from service.webhooks.shapes import (
    Checked,
    EventComment,
    EventData,
    NewWebhook,
    Rotation,
    SentTest,
    ShownWebhook,
    WebhookChange,
    WebhookWithSecret,
)
from worker.bell import DELIVER, ring_soon

MOST_ENDPOINTS = 50  # webhooks per site
CHAT_RATE = 0.5  # messages a second: comments flagged meanwhile go into the next one


def listed_of(who: Caller) -> list[ShownWebhook]:
    wanted = select(Endpoint).where(Endpoint.site_id == who.site.id, Endpoint.deleted_at.is_(None))
    with reading() as session:
        return [shape(row) for row in session.execute(wanted.order_by(Endpoint.id)).scalars()]


def make(who: Caller, wanted: NewWebhook) -> WebhookWithSecret:
    """Create an endpoint; return its shape with its secret."""
    secret = first_secret(signs_ed25519=wanted.ed25519)
    rate = wanted.rate or (CHAT_RATE if wanted.format in CHATS else None)
    with _changing(who) as session:
        mine = select(func.count(Endpoint.id)).where(
            Endpoint.site_id == who.site.id, Endpoint.deleted_at.is_(None)
        )
        if (session.scalar(mine) or 0) >= MOST_ENDPOINTS:
            raise Problem(
                409,
                (
                    f"A site can have at most {MOST_ENDPOINTS} webhooks. Delete one that "
                    "nobody needs."
                ),
            )
        row = Endpoint(
            id=new_id(),
            site_id=who.site.id,
            url=wanted.url,
            events=list(wanted.events or ()),
            thread_prefix=wanted.thread_prefix,
            description=wanted.description,
            format=wanted.format,
            is_ordered=wanted.ordered,
            is_coalesced=wanted.coalesce,
            signs_ed25519=wanted.ed25519,
            rate=rate,
            sealed=sealed_of(secret, wanted.headers),
            is_enabled=wanted.enabled,
            disabled_why=None if wanted.enabled else MADE_SO,
        )
        session.add(row)
        session.flush()
        note_webhook(session, who, "made", row)
        return {**shape(row), "secret": secret.shared}


def note_webhook(session: Session, who: Caller, did: str, row: Endpoint) -> None:
    """Log a change with only the webhook's host name, because anyone who knows a chat's full URL
    can post to it.
    """
    what = f"{did} the webhook to {host_of(row.url)}"
    note_act(session, who.by, "settings", what, site_id=who.site.id)


def shown(who: Caller, webhook: str) -> ShownWebhook:
    with reading() as session:
        return shape(wanted_endpoint(session, who, webhook))


def alter(who: Caller, webhook: str, wanted: WebhookChange) -> ShownWebhook:
    with _changing(who) as session:
        row = wanted_endpoint(session, who, webhook)
        _apply(row, wanted)
        note_webhook(session, who, _did(wanted), row)
        session.flush()
        answer = shape(row)
    if row.is_enabled:
        ring_soon(DELIVER, row.id)
    return answer


def _did(wanted: WebhookChange) -> str:
    if wanted.enabled is None or wanted.model_fields_set != {"enabled"}:
        return "changed"
    return "enabled" if wanted.enabled else "disabled"


def _apply(row: Endpoint, wanted: WebhookChange) -> None:
    given = wanted.model_fields_set
    plain = {
        "url": "url",
        "events": "events",
        "thread_prefix": "thread_prefix",
        "description": "description",
    }
    plain |= {"ordered": "is_ordered", "coalesce": "is_coalesced"}
    for field, column in plain.items():
        if (value := getattr(wanted, field)) is not None:
            setattr(row, column, value)
    if "rate" in given:
        row.rate = wanted.rate or (CHAT_RATE if row.format in CHATS else None)
    if wanted.headers is not None:
        row.sealed = sealed(unsealed(row.sealed).model_copy(update={"headers": wanted.headers}))
    if wanted.ed25519 is not None and wanted.ed25519 != row.signs_ed25519:
        row.signs_ed25519, row.sealed = (
            wanted.ed25519,
            sealed(_with_pairs(unsealed(row.sealed), wanted.ed25519)),
        )
    if wanted.enabled is not None and wanted.enabled != row.is_enabled:
        row.is_enabled, row.failing_since = wanted.enabled, None
    if wanted.enabled is not None:  # a person who does this has seen why it was disabled
        row.disabled_why = None if wanted.enabled else BY_HAND


def _with_pairs(kept: Sealed, signs_ed25519: bool) -> Sealed:
    private = first_secret(signs_ed25519=signs_ed25519).private
    secrets = tuple(secret.model_copy(update={"private": None}) for secret in kept.secrets)
    newest = secrets[0].model_copy(update={"private": private})
    return kept.model_copy(update={"secrets": (newest, *secrets[1:])})


def end(who: Caller, webhook: str) -> None:
    with _changing(who) as session:
        row = wanted_endpoint(session, who, webhook)
        row.is_enabled, row.deleted_at, row.sealed = False, now(), sealed(Sealed())
        note_webhook(session, who, "deleted", row)


def renew(who: Caller, webhook: str, wanted: Rotation) -> WebhookWithSecret:
    """Give the endpoint a new secret; return its shape with the secret."""
    at = now()
    with _changing(who) as session:
        row = wanted_endpoint(session, who, webhook)
        until = at + timedelta(seconds=wanted.overlap_seconds)
        kept = rotated(unsealed(row.sealed), until=until, at=at, signs_ed25519=row.signs_ed25519)
        row.sealed = sealed(kept)
        note_webhook(session, who, "gave a new secret to", row)
        return {**shape(row), "secret": kept.secrets[0].shared}


def send_test(who: Caller, webhook: str) -> SentTest:
    at = now()
    with begin() as session:
        row = wanted_endpoint(session, who, webhook, enabled=True)
        delivery = delivery_of(Happened(new_id(), who.site.id, TEST), row.id, at)
        delivery["payload"] = {"type": TEST, "timestamp": utc_stamp(at), "data": _sample(who, at)}
        session.connection().execute(insert(Base.metadata.tables["deliveries"]), [delivery])
        note_webhook(session, who, "tested", row)
    ring_soon(DELIVER, row.id)
    return {"id": delivery["id"], "event": delivery["event_id"], "state": "owed"}


def checked(who: Caller, webhook: str) -> Checked:
    import asyncio  # noqa: PLC0415 — all of this for this call only

    from worker.webhooks.rehearsal import rehearse  # noqa: PLC0415

    with reading() as session:
        kept = opened(wanted_endpoint(session, who, webhook))
    if not _checking.acquire(blocking=False):
        raise Problem(
            429, "Another check is running. Try again in a moment.", headers={"Retry-After": "10"}
        )
    try:
        at = now()
        found = asyncio.run(
            rehearse(kept, {"type": TEST, "timestamp": utc_stamp(at), "data": _sample(who, at)}, at)
        )
    finally:
        _checking.release()
    return {"handled": all(case["handled"] for case in found), "cases": found}


_checking = threading.BoundedSemaphore(1)  # each holds a thread of the web process for seconds


def _sample(who: Caller, at: datetime) -> EventData:
    """Return the data of an event about a comment that does not exist."""
    id_ = new_id()
    comment: EventComment = {
        "id": id_,
        "parent": None,
        "status": "approved",
        "version": 1,
        "name": "Greenroom",
        "website": None,
        "badges": [],
        "html": "<p>This is a test of your webhook.</p>",
        "at": utc_stamp(at),
    }
    return {
        "site": who.site.key,
        "thread": {"key": "/webhook-test", "url": None, "title": "A test"},
        "permalink": None,
        "sequence": 1,
        "supersedes": None,
        "comment": comment,
        "decision": {
            "by": "policy",
            "actor": POLICY.shape(),
            "verdict": "approve",
            "reasons": ["a test event, not a real comment"],
        },
    }


def shape(row: Endpoint) -> ShownWebhook:
    """Return an endpoint for those who may change it, with only the names of its headers."""
    kept, at = unsealed(row.sealed), now()
    live = kept.live(at)
    return {
        "id": row.id,
        "url": row.url,
        "events": row.events,
        "thread_prefix": row.thread_prefix,
        "description": row.description,
        "format": row.format,
        "ordered": row.is_ordered,
        "coalesce": row.is_coalesced,
        "ed25519": row.signs_ed25519,
        "public_keys": [public_key(secret.private) for secret in live if secret.private],
        "headers": sorted(kept.headers),
        "rate": row.rate,
        "enabled": row.is_enabled,
        "disabled_why": row.disabled_why,
        "failing_since": utc_stamp(row.failing_since),
        "old_secrets_until": [utc_stamp(secret.until) for secret in live if secret.until],
        "created_at": utc_stamp(row.created_at),
    }


def wanted_endpoint(
    session: Session, who: Caller, webhook: str, *, enabled: bool = False
) -> Endpoint:
    row = session.get(Endpoint, webhook) if is_id(webhook) else None
    if row is None or row.site_id != who.site.id or row.deleted_at:
        raise Problem(404, "There is no such webhook on this site.")
    if enabled and not row.is_enabled:
        raise Problem(
            409,
            f"This webhook is disabled. {row.disabled_why or ''} Enable it first.".replace(
                "  ", " "
            ),
        )
    return row


@contextmanager
def _changing(who: Caller) -> Iterator[Session]:
    """Change an endpoint under the lock of the site's event counter, so that each event comes
    either before or after the change.
    """
    with begin() as session:
        session.execute(
            select(Site.id).where(Site.id == who.site.id).with_for_update(key_share=True)
        )
        yield session
        session.flush()
        listening = select(func.count(Endpoint.id)).where(
            Endpoint.site_id == who.site.id, Endpoint.is_enabled
        )
        session.execute(
            update(Site).where(Site.id == who.site.id).values(endpoints=listening.scalar_subquery())
        )
