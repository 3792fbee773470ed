"""Webhooks, by key: where they go and how, what was sent, and sending it again."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Annotated, Any, Literal, NamedTuple

from flask import Blueprint, Response, request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from models.identifiers import is_id, new_id
from models.records import Act, Attempt, Comment, Delivery, Endpoint, Event, Site, Thread
from models.store.database import Base, begin, now, reading
from models.text.cleaning import clean_line
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
from models.webhooks.owed import BY_HAND, CHATS, MADE_SO, TEST, delivery_of, wants
from models.webhooks.signatures import public_key
from service.api.moderation import body_as, number_argument
from service.api.public import json_response
from service.http.api_keys import Caller, caller
from service.http.problems import Problem
from service.moderation.comment_records import when
from worker.bell import DELIVER, ring_soon

MOST_ENDPOINTS = 50  # a site
MOST_HEADERS = 20
MOST_REDELIVERED = 10_000  # with one call; its answer says from where to go on
AT_ONCE = 500  # in one transaction
REDELIVERED_A_SECOND = 100.0  # where the endpoint names no rate of its own
CHAT_RATE = 0.5  # messages a second: what is flagged meanwhile goes into the next
OVERLAP_SECONDS = 86_400
# Ours, or the connection's own.
OURS = frozenset(
    {
        *(
            "host",
            "content-type",
            "content-length",
            "content-encoding",
            "transfer-encoding",
            "connection",
            "te",
        ),
        *(
            "user-agent",
            "trailer",
            "upgrade",
            "expect",
            "keep-alive",
            "proxy-authorization",
            "proxy-connection",
        ),
    }
)
HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}"
HEADER_VALUE = r"[\x21-\x7e](?:[\x20-\x7e]{0,998}[\x21-\x7e])?"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
STATES = ("waiting", "owed", "delivered", "dead", "cancelled", "coalesced")

api = Blueprint("webhooks", __name__)

Kind = Literal[
    "comment.approved",
    "comment.flagged",
    "comment.rejected",
    "comment.edited",
    "comment.deleted",
    "webhook.test",
]


def _url(url: str) -> str:
    from worker.webhooks.targets import Refused, target  # noqa: PLC0415 — the client, for these calls only

    try:
        target(url)
    except Refused as refused:
        raise ValueError(str(refused)) from None
    return url


def _own_headers(headers: dict[str, str]) -> dict[str, str]:
    if len(headers) > MOST_HEADERS:
        raise ValueError(f"At most {MOST_HEADERS} headers.")
    for name, value in headers.items():
        if not re.fullmatch(HEADER_NAME, name):
            raise ValueError("The name of a header is letters, digits and dashes.")
        if name.lower() in OURS or name.lower().startswith("webhook-"):
            raise ValueError(f"{name} is set by Greenroom itself.")
        if not re.fullmatch(HEADER_VALUE, value):
            raise ValueError(f"{name} has a value that cannot be sent.")
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("Each header once.")
    return headers


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:  # the year 0 or 10,000, there
        raise ValueError("This time lies outside of the calendar.") from None


Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Url = Annotated[
    str,
    AfterValidator(_url),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://"}),
]
Kinds = Annotated[
    list[Kind], Field(min_length=1), AfterValidator(lambda kinds: list(dict.fromkeys(kinds)))
]
Headers = Annotated[
    dict[str, str],
    AfterValidator(_own_headers),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": MOST_HEADERS,
            "propertyNames": {"pattern": f"^{HEADER_NAME}$"},
            "additionalProperties": {"type": "string", "pattern": f"^{HEADER_VALUE}$"},
        }
    ),
]
Rate = Annotated[float, Field(ge=0.01, le=1000)]
Words = Annotated[
    str, StringConstraints(max_length=300), AfterValidator(lambda text: clean_line(text, 300))
]
Prefix = Annotated[
    str, StringConstraints(max_length=500), AfterValidator(lambda text: clean_line(text, 500))
]


def _given(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """How the API's description says that a field which may be left out may not, here."""
    return {"required": [name], "properties": {name: schema}}


class NewWebhook(BaseModel):
    """Where events go. `rate` is deliveries a second; `ordered`: of one comment one after the
    other;

    `coalesce`: of a backlog only the newest state of each comment; `ed25519`: signatures v1a beside
    v1.
    """

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={
            "anyOf": [_given("events", {"type": "array"}), _given("format", {"enum": list(CHATS)})]
        },
    )

    url: Url
    format: Literal["standard", "slack", "discord", "mattermost", "teams"] = "standard"
    events: Kinds | None = Field(None, validate_default=True)
    thread_prefix: Prefix = ""
    description: Words = ""
    ordered: bool = False
    coalesce: bool = False
    ed25519: bool = False
    headers: Headers = {}
    rate: Rate | None = None
    enabled: bool = True

    @field_validator("events")
    @classmethod
    def _names_events(cls, events: list[Kind] | None, others: ValidationInfo) -> list[Kind]:
        if events is None and others.data.get("format") not in CHATS:
            raise ValueError('Say which events: {"events": ["comment.approved"]}.')
        return events or ["comment.flagged"]


class WebhookChange(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    url: Url | None = None
    events: Kinds | None = None
    thread_prefix: Prefix | None = None
    description: Words | None = None
    ordered: bool | None = None
    coalesce: bool | None = None
    ed25519: bool | None = None
    headers: Headers | None = None
    rate: Rate | None = None
    enabled: bool | None = None


class Rotation(BaseModel):
    """How long the secrets that are live now go on signing beside the new one."""

    model_config = ConfigDict(strict=True, extra="forbid")

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = OVERLAP_SECONDS


class Redelivery(BaseModel):
    """What to send again: named deliveries, or the events of a range, of these types.

    `only` "failed": what is dead; "missed": what is dead, or was never owed, as the endpoint was
    disabled or not there.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "anyOf": [_given("since", {"type": "string"}), _given("deliveries", {"type": "array"})]
        },
    )

    since: Time | None = None
    until: Time | None = None
    types: Kinds | None = None
    only: Literal["all", "failed", "missed"] = "all"
    newest_first: bool = False
    deliveries: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = None

    @field_validator("until")
    @classmethod
    def _is_later(cls, until: datetime | None, others: ValidationInfo) -> datetime | None:
        since = others.data.get("since")
        if until and since and until < since:
            raise ValueError("The end is before the beginning.")
        return until

    @model_validator(mode="after")
    def _names_something(self) -> Redelivery:
        if self.since is None and self.deliveries is None:
            raise ValueError("Say since when, or name deliveries.")
        return self


@api.get("/v1/sites/<site>/webhooks")
def webhooks(site: str) -> Response:
    return json_response({"webhooks": listed_of(caller(site, "admin"))})


def listed_of(who: Caller) -> list[dict[str, Any]]:
    wanted = select(Endpoint).where(Endpoint.site_id == who.site.id, Endpoint.deleted_at.is_(None))
    with reading() as session:
        return [shape(row) for row in session.execute(wanted.order_by(Endpoint.id)).scalars()]


@api.post("/v1/sites/<site>/webhooks")
def create(site: str) -> Response:
    """The secret is in this answer, and in no other."""
    who = caller(site, "admin")
    answer = make(who, body_as(NewWebhook))
    return json_response(answer, 201, {"Location": f"/v1/sites/{site}/webhooks/{answer['id']}"})


def make(who: Caller, wanted: NewWebhook) -> dict[str, Any]:
    """The new endpoint in its shape, and its secret."""
    secret = first_secret(signs_ed25519=wanted.ed25519)
    rate = wanted.rate or (CHAT_RATE if wanted.format in CHATS else None)
    with _changing(who) as session:
        mine = select(func.count(Endpoint.id)).where(
            Endpoint.site_id == who.site.id, Endpoint.deleted_at.is_(None)
        )
        if (session.scalar(mine) or 0) >= MOST_ENDPOINTS:
            raise Problem(
                409, f"A site has at most {MOST_ENDPOINTS} webhooks; delete one that nobody needs."
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
        _note(session, who, "made", row)
        return shape(row) | {"secret": secret.shared}


def _note(session: Session, who: Caller, did: str, row: Endpoint) -> None:
    """A line in the console's log, by the host alone: whoever knows all of a chat's address can
    write there.
    """
    what = f"{did} the webhook to {host_of(row.url)}"
    session.add(Act(site_id=who.site.id, by=who.by, kind="settings", what=what))


@api.get("/v1/sites/<site>/webhooks/<webhook>")
def one(site: str, webhook: str) -> Response:
    who = caller(site, "admin")
    return json_response(shown(who, webhook))


def shown(who: Caller, webhook: str) -> dict[str, Any]:
    with reading() as session:
        return shape(_wanted(session, who, webhook))


@api.patch("/v1/sites/<site>/webhooks/<webhook>")
def change(site: str, webhook: str) -> Response:
    """Whatever is owed waits while a webhook is disabled, and goes out when it is enabled again."""
    who = caller(site, "admin")
    return json_response(alter(who, webhook, body_as(WebhookChange)))


def alter(who: Caller, webhook: str, wanted: WebhookChange) -> dict[str, Any]:
    with _changing(who) as session:
        row = _wanted(session, who, webhook)
        _apply(row, wanted)
        _note(session, who, _did(wanted), row)
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
    if wanted.enabled is not None:  # who disables what disabled itself has seen it, and wants it so
        row.disabled_why = None if wanted.enabled else BY_HAND


def _with_pairs(kept: Sealed, signs_ed25519: bool) -> Sealed:
    private = first_secret(signs_ed25519=signs_ed25519).private
    secrets = tuple(secret.model_copy(update={"private": None}) for secret in kept.secrets)
    newest = secrets[0].model_copy(update={"private": private})
    return kept.model_copy(update={"secrets": (newest, *secrets[1:])})


@api.delete("/v1/sites/<site>/webhooks/<webhook>")
def remove(site: str, webhook: str) -> Response:
    """Nothing more is sent from now on; its log goes with it, little by little."""
    end(caller(site, "admin"), webhook)
    return Response(status=204)


def end(who: Caller, webhook: str) -> None:
    with _changing(who) as session:
        row = _wanted(session, who, webhook)
        row.is_enabled, row.deleted_at, row.sealed = False, now(), sealed(Sealed())
        _note(session, who, "deleted", row)


@api.post("/v1/sites/<site>/webhooks/<webhook>/rotate")
def rotate(site: str, webhook: str) -> Response:
    """A new secret; until the old one ends, both sign."""
    who = caller(site, "admin")
    return json_response(renew(who, webhook, body_as(Rotation, empty=b"{}")))


def renew(who: Caller, webhook: str, wanted: Rotation) -> dict[str, Any]:
    """The endpoint in its shape, and its new secret."""
    at = now()
    with _changing(who) as session:
        row = _wanted(session, who, webhook)
        until = at + timedelta(seconds=wanted.overlap_seconds)
        kept = rotated(unsealed(row.sealed), until=until, at=at, signs_ed25519=row.signs_ed25519)
        row.sealed = sealed(kept)
        _note(session, who, "gave a new secret to", row)
        return shape(row) | {"secret": kept.secrets[0].shared}


@api.post("/v1/sites/<site>/webhooks/<webhook>/test")
def test(site: str, webhook: str) -> Response:
    """Send a real, signed test event, by the same way as all others; the log tells what came of it."""
    return json_response(send_test(caller(site, "admin"), webhook), 202)


def send_test(who: Caller, webhook: str) -> dict[str, Any]:
    at = now()
    with begin() as session:
        row = _wanted(session, who, webhook, enabled=True)
        event = {"id": new_id(), "type": TEST, "comment_id": None, "sequence": None}
        delivery = delivery_of({**event, "thread_id": None, "revision": None}, row.id, at)
        delivery["payload"] = {"type": TEST, "timestamp": when(at), "data": _sample(who, at)}
        session.connection().execute(insert(Base.metadata.tables["deliveries"]), [delivery])
        _note(session, who, "tested", row)
    ring_soon(DELIVER, row.id)
    return {"id": delivery["id"], "event": delivery["event_id"], "state": "owed"}


@api.post("/v1/sites/<site>/webhooks/<webhook>/check")
def check(site: str, webhook: str) -> Response:
    """Send a dry suite now, and say what the endpoint handled well. Nothing of it stands in the
    log.
    """
    return json_response(checked(caller(site, "admin"), webhook))


def checked(who: Caller, webhook: str) -> dict[str, Any]:
    import asyncio  # noqa: PLC0415 — all of this for this call only

    from worker.webhooks.rehearsal import rehearse  # noqa: PLC0415

    with reading() as session:
        kept = opened(_wanted(session, who, webhook))
    if not _checking.acquire(blocking=False):
        raise Problem(
            429, "Another check is under way. Try again in a moment.", headers={"Retry-After": "10"}
        )
    try:
        at = now()
        found = asyncio.run(
            rehearse(kept, {"type": TEST, "timestamp": when(at), "data": _sample(who, at)}, at)
        )
    finally:
        _checking.release()
    return {"handled": all(case["handled"] for case in found), "cases": found}


_checking = threading.BoundedSemaphore(1)  # it holds a thread of the web process for some seconds


def _sample(who: Caller, at: datetime) -> dict[str, Any]:
    """What an event of a comment looks like, about one that never was."""
    id_ = new_id()
    comment = {
        "id": id_,
        "parent": None,
        "status": "approved",
        "version": 1,
        "name": "Greenroom",
        "website": None,
    }
    return {
        "site": who.site.key,
        "thread": {"key": "/webhook-test", "url": None, "title": "A test"},
        "permalink": None,
        "sequence": 1,
        "supersedes": None,
        "comment": {**comment, "html": "<p>This is a test of your webhook.</p>", "at": when(at)},
        "decision": {
            "by": "policy",
            "verdict": "approve",
            "reasons": ["a test, about no real comment"],
        },
    }


@api.get("/v1/sites/<site>/webhooks/<webhook>/deliveries")
def deliveries(site: str, webhook: str) -> Response:
    """The log, newest first: each delivery with its attempts."""
    who = caller(site, "admin")
    limit = number_argument("limit", 50, most=200)
    return json_response(
        log_of(who, webhook, request.args.get("state"), request.args.get("cursor"), limit)
    )


def log_of(
    who: Caller, webhook: str, state: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    if state is not None and state not in STATES:
        raise Problem(422, f"A delivery is {', '.join(STATES)}.")
    if cursor is not None and not is_id(cursor):
        raise Problem(422, "This cursor is not one that the log gave out.")
    with reading() as session:
        row = _wanted(session, who, webhook)
        found = (
            session.execute(_listed(row.id, state, cursor or LAST_ID).limit(limit + 1))
            .scalars()
            .all()
        )
        listed = _with_attempts(session, found[:limit])
    return {"deliveries": listed, "next": found[limit - 1].id if len(found) > limit else None}


def _listed(endpoint: str, state: str | None, before: str) -> Any:
    """Newest first. By tuples, as the index has them: else a planner walks everybody's deliveries
    by their ids.
    """
    of_it: tuple[Any, ...] = (Delivery.endpoint_id, *((Delivery.state,) if state else ()))
    its = (endpoint, *((state,) if state else ()))
    mine = select(Delivery).where(
        tuple_(*of_it) >= its, tuple_(*of_it, Delivery.id) < (*its, before)
    )
    return mine.order_by(*(column.desc() for column in (*of_it, Delivery.id)))


def _with_attempts(session: Session, found: Sequence[Delivery]) -> list[dict[str, Any]]:
    attempts: dict[str, list[dict[str, Any]]] = {row.id: [] for row in found}
    wanted = select(Attempt).where(Attempt.delivery_id.in_(attempts)).order_by(Attempt.id)
    for tried in session.execute(wanted).scalars():
        told = {"at": when(tried.at), "status": tried.status, "ms": tried.ms}
        attempts[tried.delivery_id].append({**told, "error": tried.error, "answer": tried.answer})
    return [
        {
            "id": row.id,
            "event": row.event_id,
            "type": row.type,
            "comment": row.comment_id,
            "sequence": row.sequence,
            "state": row.state,
            "due": when(row.due),
            "created_at": when(row.created_at),
            "ended_at": when(row.ended_at),
            "attempts": attempts[row.id],
        }
        for row in found
    ]


@api.post("/v1/sites/<site>/webhooks/<webhook>/redeliver")
def redeliver(site: str, webhook: str) -> Response:
    """Send events again, or for the first time, at a bearable rate. The same id and bytes as ever."""
    who = caller(site, "admin")
    return json_response(send_again(who, webhook, body_as(Redelivery)), 202)


def send_again(who: Caller, webhook: str, wanted: Redelivery) -> dict[str, Any]:
    with reading() as session:
        row = _wanted(session, who, webhook, enabled=True)
    pace = (
        now() + timedelta(seconds=number / (row.rate or REDELIVERED_A_SECOND)) for number in count()
    )
    if wanted.deliveries is not None:
        with begin() as session:
            _note(session, who, "sent again to", row)
            put = _again(session, row, _named(session, row, wanted.deliveries), (), pace)
        more = None
    else:
        put, more = _range(who, row, wanted, pace)
    ring_soon(DELIVER, row.id)
    return {"count": put, "more_since": when(more)}


def _range(
    who: Caller, row: Endpoint, wanted: Redelivery, pace: Iterator[datetime]
) -> tuple[int, datetime | None]:
    """A few hundred at a time, each lot a transaction of its own."""
    with reading() as session:
        events = _events(session, row, wanted)
    more = events[MOST_REDELIVERED].at if len(events) > MOST_REDELIVERED else None
    events = events[:MOST_REDELIVERED]
    put = 0
    ordered = events[::-1] if wanted.newest_first else events
    for start in range(0, len(ordered), AT_ONCE):
        some = ordered[start : start + AT_ONCE]
        with begin() as session:
            if start == 0:
                _note(session, who, "sent again to", row)
            there, about = _there(session, row, some), _about(session, some)
            both = [(event, about[event.comment_id]) for event in some]
            asked = [each for each in both if _is_asked(row, *each, there.get(each[0].id), wanted)]
            kept = [there[event.id] for event, _ in asked if event.id in there]
            new = [each for each in asked if each[0].id not in there]
            put += _again(session, row, kept, new, pace)
    return put, more


def _events(session: Session, row: Endpoint, wanted: Redelivery) -> list[Any]:
    columns: tuple[Any, ...] = (
        Event.id,
        Event.type,
        Event.comment_id,
        Event.sequence,
        Event.thread_id,
        Event.revision,
    )
    columns += (Event.site_id, Event.ends_approval, Event.at)
    found = select(*columns).where(Event.site_id == row.site_id, Event.at >= wanted.since)
    if wanted.only == "failed":  # looked for by what is dead, however many events there are
        dead = select(Delivery.event_id).where(
            Delivery.endpoint_id == row.id, Delivery.state == "dead"
        )
        found = found.where(Event.id.in_(dead))
    if wanted.until:
        found = found.where(Event.at <= wanted.until)
    if wanted.types:
        found = found.where(Event.type.in_(wanted.types))
    found = found.order_by(Event.at, Event.position, Event.nth).limit(MOST_REDELIVERED + 1)
    return list(session.execute(found).all())


class About(NamedTuple):
    """What else there is to know of an event: when its comment was erased, and its thread's key and
    revision.
    """

    erased_at: datetime | None
    thread: Any


def _about(session: Session, events: Sequence[Any]) -> dict[str, About]:
    wanted = select(Comment.id, Comment.thread_id, Comment.erased_at)
    comments = session.execute(
        wanted.where(Comment.id.in_({event.comment_id for event in events}))
    ).all()
    read = select(Thread.id, Thread.key, Thread.published_revision)
    found = session.execute(
        read.where(Thread.id.in_({comment.thread_id for comment in comments}))
    ).all()
    threads = {thread.id: thread for thread in found}
    return {
        comment.id: About(comment.erased_at, threads[comment.thread_id]) for comment in comments
    }


def _is_asked(
    row: Endpoint, event: Any, about: About, there: Delivery | None, wanted: Redelivery
) -> bool:
    """An erased comment is heard of once more only by what says that it was erased."""
    if about.erased_at and event.type != "comment.deleted":
        return False
    if there is None:
        hears = wants(
            row, event.type, ends_approval=bool(event.ends_approval), thread=about.thread.key
        )
        return hears and wanted.only != "failed"
    return wanted.only == "all" or there.state == "dead"


def _there(session: Session, row: Endpoint, events: Sequence[Any]) -> dict[str, Delivery]:
    ids = [event.id for event in events]
    found = (
        select(Delivery)
        .where(Delivery.endpoint_id == row.id, Delivery.event_id.in_(ids))
        .order_by(Delivery.id)
    )
    return {
        delivery.event_id: delivery
        for delivery in session.execute(found.with_for_update()).scalars()
    }


def _named(session: Session, row: Endpoint, ids: Sequence[str]) -> Sequence[Delivery]:
    mine = select(Delivery).where(
        Delivery.endpoint_id == row.id, Delivery.id.in_(filter(is_id, ids))
    )
    return session.execute(mine.order_by(Delivery.id).with_for_update()).scalars().all()


def _again(
    session: Session,
    row: Endpoint,
    kept: Sequence[Delivery],
    new: Sequence[tuple[Any, About]],
    pace: Iterator[datetime],
) -> int:
    """Put these in line from the first attempt on. One under way, waiting for its page or taken
    back is left alone.
    """
    free = [
        each for each in kept if each.lease is None and each.state not in {"waiting", "cancelled"}
    ]
    for each in free:
        each.state, each.due, each.attempts, each.ended_at = "owed", next(pace), 0, None
    rows = []
    for event, about in new:
        is_shown = event.revision is None or about.thread.published_revision >= event.revision
        told = {**event._mapping, "revision": None if is_shown else event.revision}
        rows.append(delivery_of(told, row.id, next(pace)))
    if rows:
        session.connection().execute(insert(Base.metadata.tables["deliveries"]), rows)
    return len(free) + len(rows)


def shape(row: Endpoint) -> dict[str, Any]:
    """An endpoint for those who may change it: of its headers the names only."""
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
        "failing_since": when(row.failing_since),
        "old_secrets_until": [when(secret.until) for secret in live if secret.until],
        "created_at": when(row.created_at),
    }


def _wanted(session: Session, who: Caller, webhook: str, *, enabled: bool = False) -> Endpoint:
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
    """Under the lock of the site's event counter: each event comes wholly before the change, or
    wholly after it.
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
