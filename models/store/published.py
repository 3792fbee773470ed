"""The shape of a thread's page: the worker writes it into storage, and `/v1` answers with it."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from models.json_types import Id, Time, Url

Badges = Annotated[
    list[str],
    Field(
        description="The author's roles, like `staff`, as the site's sign-on states them.",
        examples=[["staff"]],
    ),
]


class PublishedComment(TypedDict):
    """A comment as readers see it. A `removed` comment keeps its place while it has replies."""

    id: Id | None
    parent: Id | None
    name: Annotated[str, Field(examples=["Ann"])]
    website: Url | None
    html: Annotated[str, Field(examples=["<p>The ferry was late <em>again</em>.</p>"])]
    at: Time
    edited_at: Time | None
    avatar: str
    replies: list[PublishedComment]
    badges: NotRequired[Badges]  # a page from an earlier release has none
    more: Annotated[str | None, Field(description="The URL of further replies, or null.")]
    removed: NotRequired[bool]


class ThreadPage(TypedDict):
    """A page of a thread, newest comment first. `next` leads to older comments."""

    thread: Annotated[str, Field(examples=["/2026/harbour"])]
    title: Annotated[str | None, Field(examples=["The harbour"])]
    url: Url | None
    state: Literal["open", "closed"]
    count: Annotated[int, Field(examples=[12])]
    revision: Annotated[int, Field(examples=[14])]
    page: Annotated[int, Field(examples=[1])]
    next: str | None
    comments: list[PublishedComment]
