"""What the calls that the contract names answer, for their description; a test holds real answers
to it.

More may be added to each at any time.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

Status = Literal["pending", "approved", "flagged", "rejected", "deleted"]
Verdict = Literal["approve", "flag", "reject"]


class Form(BaseModel):
    token: str
    locale: str
    honeypot: str = Field(description="The field that no person sees: left empty, or left out.")
    min_seconds: float


class Accepted(BaseModel):
    id: str
    status: Literal["pending"]
    receipt: str


class Receipt(BaseModel):
    """With `field` and `suggestion` where the commenter can mend it."""

    id: str
    status: Literal["pending", "approved", "flagged", "rejected"]
    reason: str | None
    at: str
    field: str | None = None
    suggestion: str | None = None


class Published(BaseModel):
    """A comment as readers see it. One that is gone is `removed`, and keeps its place while
    something answers it.
    """

    id: str | None
    parent: str | None
    name: str
    website: str | None
    html: str
    at: str
    edited_at: str | None
    avatar: str
    replies: list[Published]
    more: str | None
    removed: bool = False


class Page(BaseModel):
    thread: str
    title: str | None
    url: str | None
    state: Literal["open", "closed"]
    count: int
    revision: int
    page: int
    next: str | None
    comments: list[Published]


class Evidence(BaseModel):
    check: str
    outcome: Literal["clear", "found", "abstained", "unavailable"]
    detail: str
    score: float | None
    found: dict[str, str]
    counts: dict[str, float]
    campaign: str | None
    rule: str | None
    ms: float
    version: str


class Review(BaseModel):
    cause: str
    opened: str
    closed: str | None


class Decision(BaseModel):
    id: str
    at: str
    by: str = Field(description="policy, moderator:ID or key:ID.")
    verdict: Verdict
    reasons: list[str]
    reason: str | None
    note: str
    version: int
    undoes: str | None


class Decided(Decision):
    status: Status


class Record(BaseModel):
    """`blind`: a sample that a human is to judge without knowing what the machine found or did."""

    id: str
    thread: str
    url: str | None
    title: str | None
    parent: str | None
    status: Status
    version: int
    name: str
    email: str | None
    website: str | None
    body: str
    html: str
    language: str | None
    at: str
    edited_at: str | None
    erased_at: str | None
    evidence: list[Evidence]
    reviews: list[Review]
    decisions: list[Decision]
    campaign: str | None
    blind: bool


class Queue(BaseModel):
    """Grouped by campaign it has `groups` in place of `items`."""

    items: list[Record] | None = None
    groups: list[dict[str, Any]] | None = None
    next: str | None


class ToldThread(BaseModel):
    key: str
    url: str | None
    title: str | None


class ToldComment(BaseModel):
    id: str
    parent: str | None
    status: Status
    version: int
    name: str
    website: str | None
    html: str
    at: str


class ToldDecision(BaseModel):
    by: Literal["policy", "moderator"]
    verdict: Verdict
    reasons: list[str]


class Told(BaseModel):
    site: str
    thread: ToldThread
    permalink: str
    sequence: int
    supersedes: str | None
    comment: ToldComment
    decision: ToldDecision | None


class Event(BaseModel):
    id: str
    type: Literal[
        "comment.approved",
        "comment.flagged",
        "comment.rejected",
        "comment.edited",
        "comment.deleted",
    ]
    timestamp: str
    data: Told


class Events(BaseModel):
    events: list[Event]
    next: str


class Digest(BaseModel):
    thread: str
    count: int
    digest: str
    next: str


class Webhook(BaseModel):
    id: str
    url: str
    events: list[str]
    thread_prefix: str
    description: str
    format: str
    ordered: bool
    coalesce: bool
    ed25519: bool
    public_keys: list[str]
    headers: list[str] = Field(description="Their names.")
    rate: float | None
    enabled: bool
    disabled_why: str | None
    failing_since: str | None
    old_secrets_until: list[str]
    created_at: str


class WebhookWithSecret(Webhook):
    secret: str


class Webhooks(BaseModel):
    webhooks: list[Webhook]


class Attempt(BaseModel):
    at: str
    status: int | None
    ms: int
    error: str | None
    answer: str | None


class Delivery(BaseModel):
    id: str
    event: str
    type: str
    comment: str | None
    sequence: int | None
    state: Literal["waiting", "owed", "delivered", "dead", "cancelled", "coalesced"]
    due: str | None
    created_at: str
    ended_at: str | None
    attempts: list[Attempt]


class Deliveries(BaseModel):
    deliveries: list[Delivery]
    next: str | None


class Health(BaseModel):
    status: Literal["ok", "failing"]
    failing: list[str]
    parts: dict[str, str]


# By method and path, in every good status that has a body.
OF: dict[str, type[BaseModel]] = {
    "get /v1/sites/{site}/form": Form,
    "post /v1/sites/{site}/comments": Accepted,
    "get /v1/sites/{site}/comments": Page,
    "get /v1/receipts/{receipt}": Receipt,
    "get /v1/sites/{site}/queue": Queue,
    "get /v1/sites/{site}/comments/{id}": Record,
    "post /v1/sites/{site}/comments/{id}/decisions": Decided,
    "post /v1/sites/{site}/comments/{id}/undo": Decided,
    "get /v1/sites/{site}/events": Events,
    "get /v1/sites/{site}/events/digest": Digest,
    "get /v1/sites/{site}/webhooks": Webhooks,
    "post /v1/sites/{site}/webhooks": WebhookWithSecret,
    "get /v1/sites/{site}/webhooks/{id}": Webhook,
    "patch /v1/sites/{site}/webhooks/{id}": Webhook,
    "post /v1/sites/{site}/webhooks/{id}/rotate": WebhookWithSecret,
    "get /v1/sites/{site}/webhooks/{id}/deliveries": Deliveries,
    "get /health/ready": Health,
    "get /health/system": Health,
}
