"""The shapes of webhooks in requests and responses, and of the events that they deliver."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, NotRequired

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
from typing_extensions import TypedDict

from models.settling.actor import ActorShape
from models.store.published import Badges
from models.text.cleaning import clean_line
from models.webhooks.owed import CHATS, EVENTS
from service.http.api_types import Id, OneOf, Status, Time, Url, Verdict

MOST_HEADERS = 20
OVERLAP_SECONDS = 86_400
# Headers that Greenroom or the connection itself sets.
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
STATES = ("waiting", "owed", "delivered", "dead", "cancelled", "coalesced")


Kind = Literal[
    "comment.approved",
    "comment.flagged",
    "comment.rejected",
    "comment.edited",
    "comment.deleted",
    "comment.reported",
    "appeal.opened",
    "appeal.closed",
    "notice.opened",
    "notice.closed",
    "webhook.test",
]


def _url(url: str) -> str:
    # imported here: only these calls need the client
    from worker.webhooks.targets import Refused, target  # noqa: PLC0415

    try:
        target(url)
    except Refused as refused:
        raise ValueError(str(refused)) from None
    return url


def _own_headers(headers: dict[str, str]) -> dict[str, str]:
    if len(headers) > MOST_HEADERS:
        raise ValueError(f"Send at most {MOST_HEADERS} headers.")
    for name, value in headers.items():
        if not re.fullmatch(HEADER_NAME, name):
            raise ValueError("A header name may contain only letters, digits and dashes.")
        if name.lower() in OURS or name.lower().startswith("webhook-"):
            raise ValueError(f"Greenroom sets {name} itself. Choose another name.")
        if not re.fullmatch(HEADER_VALUE, value):
            raise ValueError(f"The value of {name} contains a character that a header cannot have.")
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("Send each header only once.")
    return headers


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:  # the year 0 or 10,000 in UTC
        raise ValueError("This time is out of range.") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Endpoint = Annotated[
    str,
    AfterValidator(_url),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "pattern": "^https?://",
            "examples": ["https://hooks.example/greenroom"],
        }
    ),
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


class NewWebhook(BaseModel):
    """A webhook to create. `events` is required, except for chat formats. `rate` is the maximum
    number of deliveries per second. `ordered` sends the events of one comment in order, `coalesce`
    sends only the newest event of a backlog, and `ed25519` adds v1a signatures.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    url: Endpoint
    format: Literal["standard", "slack", "discord", "mattermost", "teams"] = "standard"
    events: Kinds | None = Field(None, validate_default=True, examples=[["comment.approved"]])
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
            raise ValueError('Send the events, for example {"events": ["comment.approved"]}.')
        return events or ["comment.flagged"]


class WebhookChange(BaseModel):
    """The fields to change. Fields that you leave out stay as they are."""

    model_config = ConfigDict(strict=True, extra="forbid")

    url: Endpoint | None = None
    events: Kinds | None = None
    thread_prefix: Prefix | None = None
    description: Words | None = None
    ordered: bool | None = None
    coalesce: bool | None = None
    ed25519: bool | None = None
    headers: Headers | None = None
    rate: Rate | None = None
    enabled: Annotated[bool | None, Field(examples=[True])] = None


class Rotation(BaseModel):
    """How long Greenroom keeps signing with the old secrets as well as the new one."""

    model_config = ConfigDict(strict=True, extra="forbid")

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = OVERLAP_SECONDS


class Redelivery(BaseModel):
    """The events to send again: `deliveries` by id, or all events `since` a time. `only` "failed"
    sends deliveries that failed permanently; "missed" also sends events that the webhook never
    received because it was disabled or did not exist.
    """

    model_config = ConfigDict(extra="forbid")

    since: Annotated[Moment | None, Field(examples=["2026-03-01T00:00:00Z"])] = None
    until: Moment | None = None
    types: Kinds | None = None
    only: Literal["all", "failed", "missed"] = "all"
    newest_first: bool = False
    deliveries: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = None

    @field_validator("until")
    @classmethod
    def _is_later(cls, until: datetime | None, others: ValidationInfo) -> datetime | None:
        since = others.data.get("since")
        if until and since and until < since:
            raise ValueError("`until` must not be before `since`.")
        return until

    @model_validator(mode="after")
    def _names_something(self) -> Redelivery:
        if self.since is None and self.deliveries is None:
            raise ValueError("Send `since` or `deliveries`.")
        return self


class ShownWebhook(TypedDict):
    """A webhook. Only the names of its headers are shown, not their values."""

    id: Id
    url: Url
    events: Annotated[list[str], Field(examples=[["comment.approved"]])]
    thread_prefix: str
    description: str
    format: Annotated[str, Field(examples=["standard"])]
    ordered: bool
    coalesce: bool
    ed25519: bool
    public_keys: list[str]
    headers: list[str]
    rate: float | None
    enabled: bool
    disabled_why: str | None
    failing_since: Time | None
    old_secrets_until: list[Time]
    created_at: Time


class WebhookWithSecret(ShownWebhook):
    """A webhook with its newest secret. No other response shows the secret."""

    secret: Annotated[str, Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]


class Webhooks(TypedDict):
    """All webhooks of a site."""

    webhooks: list[ShownWebhook]


class SentTest(TypedDict):
    """The delivery of a test event."""

    id: Id
    event: Id
    state: Literal["owed"]


class CheckedCase(TypedDict):
    """One test message, and whether the endpoint handled it correctly."""

    case: Annotated[str, Field(examples=["good signature"])]
    handled: bool
    status: Annotated[int | None, Field(examples=[204])]
    ms: int
    error: str | None
    advice: str | None


class Checked(TypedDict):
    """The result of the check."""

    handled: bool
    cases: list[CheckedCase]


class SentAgain(TypedDict):
    """The number of queued events. If there are more, continue from `more_since`."""

    count: Annotated[int, Field(examples=[12])]
    more_since: Time | None


class DeliveryAttempt(TypedDict):
    """One attempt: the endpoint's status and the beginning of its answer, or what went wrong."""

    at: Time
    status: Annotated[int | None, Field(examples=[204])]
    ms: int
    error: str | None
    answer: str | None


class ShownDelivery(TypedDict):
    """One event on its way to one webhook."""

    id: Id
    event: Id
    type: Annotated[str, Field(examples=["comment.approved"])]
    comment: Id | None
    sequence: int | None
    state: Annotated[str, OneOf(STATES)]
    due: Time | None
    created_at: Time
    ended_at: Time | None
    attempts: list[DeliveryAttempt]


class Deliveries(TypedDict):
    """Deliveries, newest first."""

    deliveries: list[ShownDelivery]
    next: Id | None


class EventThread(TypedDict):
    """The thread of the comment."""

    key: Annotated[str, Field(examples=["/2026/harbour"])]
    url: Url | None
    title: Annotated[str | None, Field(examples=["The harbour"])]


class EventComment(TypedDict):
    """The comment after the event. An erased one has no content."""

    id: Id
    parent: Id | None
    status: Status
    version: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["Ann"])]
    website: Url | None
    badges: NotRequired[Badges]  # older events have none
    html: Annotated[str, Field(examples=["<p>The ferry was late.</p>"])]
    at: Time


class EventDecision(TypedDict):
    """The decision behind the event."""

    by: Literal["policy", "moderator"]
    actor: NotRequired[ActorShape]  # older events have none
    verdict: Verdict
    reasons: Annotated[list[str], Field(examples=[["no check found a problem"]])]


class EventReports(TypedDict):
    """The open reports of the comment: how many, their weight together, and how many for each
    reason.
    """

    count: Annotated[int, Field(examples=[2])]
    weight: Annotated[float, Field(examples=[2.0])]
    by_reason: Annotated[dict[str, int], Field(examples=[{"threat": 2}])]


class EventNotice(TypedDict):
    """The notice of illegal content. The event never says who sent it."""

    id: Id
    category: Annotated[str, Field(examples=["ILLEGAL_OR_HARMFUL_SPEECH"])]
    opened: Time
    due: Time
    outcome: Annotated[str, OneOf(("removed", "kept", "dismissed"))] | None


class EventAppeal(TypedDict):
    """The appeal that was opened or closed. The words of the author and the answer are not in
    events: the comment's record has them. `decision` is the decision that the author appealed
    against. `status` is "withdrawn" if the comment was erased.
    """

    id: Id
    decision: Id
    status: Annotated[str, OneOf(("open", "upheld", "reversed", "changed", "withdrawn"))]
    opened_at: Time
    closed_at: Time | None


class EventData(TypedDict):
    """`sequence` counts the events of one comment from 1, without gaps; events about notices and
    appeals have none. `supersedes` is the event that this one replaces. `reports` is in
    `comment.reported`, `notice` in events about notices, and `appeal` in events about appeals.
    """

    site: Annotated[str, Field(examples=["demo"])]
    thread: EventThread
    permalink: Annotated[
        str | None, Field(examples=["/sites/demo/c/0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"])
    ]
    sequence: int | None
    supersedes: Id | None
    comment: EventComment
    decision: EventDecision | None
    reports: NotRequired[EventReports]
    notice: NotRequired[EventNotice]
    appeal: NotRequired[EventAppeal]


class CommentEvent(TypedDict):
    """Something that happened to a comment."""

    id: Id
    type: Annotated[str, OneOf(EVENTS)]
    timestamp: Time
    data: EventData
