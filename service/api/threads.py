"""API calls for a site's threads: closing, opening and naming them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from typing_extensions import TypedDict

from models.failpoints import failpoint
from models.judgement.policy import MayPost
from models.store.database import begin
from models.text.cleaning import clean_line, is_blank
from service.comments.submission import MOST_TITLE, NON_BLANK, thread_key
from service.http.api_keys import Caller
from service.http.api_types import OneOf, Url
from service.http.calls import Noun
from service.http.problems import wrong_field
from service.moderation.threads import ThreadChanges, alter_thread, checked_address, thread_of
from worker.bell import PUBLISH, ring_soon

api = Noun("threads", "Threads", "Thread settings: open or closed, title and page.")


def _cleaned(title: str) -> str:
    if is_blank(kept := clean_line(title, MOST_TITLE)):
        raise ValueError("The title must contain a visible character.")
    return kept


Title = Annotated[str, StringConstraints(max_length=MOST_TITLE), AfterValidator(_cleaned)]


class ThreadChange(BaseModel):
    """The settings to change on a thread. Fields that you leave out stay as they are. With
    `moderation` "before", a moderator reads every comment first. `slow_seconds` is how long an
    author must wait between two comments; null means no wait. `identity` says who may post in this
    thread; null means that the site's policy decides.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    thread: Annotated[
        str, WithJsonSchema(NON_BLANK | {"maxLength": 500, "examples": ["/2026/harbour"]})
    ]
    state: Annotated[Literal["open", "closed"] | None, Field(examples=["closed"])] = None
    moderation: Literal["before", "after"] | None = None
    slow_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = None
    identity: MayPost | None = None
    title: Title | None = None
    url: Annotated[
        str | None, Field(json_schema_extra={"format": "uri"}, examples=["https://paper.example/a"])
    ] = None


class ThreadNow(TypedDict):
    """A thread's settings."""

    thread: Annotated[str, Field(examples=["/2026/harbour"])]
    url: Url | None
    title: Annotated[str | None, Field(examples=["The harbour"])]
    state: Annotated[str, OneOf(("open", "closed"))]
    count: Annotated[int, Field(examples=[12])]
    moderation: Annotated[str, OneOf(("before", "after"))]
    slow_seconds: int | None
    identity: MayPost | None


@api.call(
    "PATCH",
    "/v1/sites/<site>/threads",
    scope="moderate",
    summary="Change a thread",
    says="The thread.",
)
def change_thread(who: Caller, body: ThreadChange) -> ThreadNow:
    """Close or open a thread, slow it down, or set its title and page. Comments do not change a
    title or page that you set. If the thread does not exist yet, this creates it.
    """
    try:
        key = thread_key(body.thread)
    except ValueError as error:
        raise wrong_field("thread", str(error)) from None
    changes = _changes(body, who.site.origins)
    with begin() as session:
        row = thread_of(session, who.site.id, key)
        alter_thread(session, row, changes, by=who.by)
        session.flush()
        answer: ThreadNow = {
            "thread": row.key,
            "url": row.url,
            "title": row.title,
            "state": row.state,
            "count": row.count,
            "moderation": row.moderation or "after",
            "slow_seconds": row.slow_seconds,
            "identity": cast("MayPost | None", row.identity),
        }
    failpoint("thread_changed")
    ring_soon(PUBLISH, row.id)
    return answer


def _changes(wanted: ThreadChange, origins: Collection[str]) -> ThreadChanges:
    """Return the changes. A title or an address can be set here, but not removed."""
    changes: ThreadChanges = {}
    if wanted.state:
        changes["state"] = wanted.state
    if "moderation" in wanted.model_fields_set:
        changes["moderation"] = wanted.moderation or "after"
    if "slow_seconds" in wanted.model_fields_set:
        changes["slow_seconds"] = wanted.slow_seconds
    if "identity" in wanted.model_fields_set:
        changes["identity"] = wanted.identity
    if wanted.title:
        changes["title"] = wanted.title
    if wanted.url:
        changes["url"] = checked_address(wanted.url, origins)
    return changes
