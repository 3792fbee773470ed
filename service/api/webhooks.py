"""Webhooks, by key: where they go and how, what was sent, and sending it again."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from service.http.api_keys import Caller
from service.http.calls import Noun
from service.http.requests import Cursor, Limit200, Query
from service.http.responses import json_response
from service.webhooks import endpoints
from service.webhooks.delivery_log import log_of
from service.webhooks.redelivery import send_again
from service.webhooks.shapes import (
    Checked,
    Deliveries,
    NewWebhook,
    Redelivery,
    Rotation,
    SentAgain,
    SentTest,
    ShownWebhook,
    WebhookChange,
    Webhooks,
    WebhookWithSecret,
)

DISABLED = "The webhook is disabled. Enable it first."

api = Noun("webhooks", "Webhooks", "Where Greenroom sends events, and what it sent there.")


@api.call(
    "GET",
    "/v1/sites/<site>/webhooks",
    scope="admin",
    summary="List webhooks",
    says="All webhooks of the site.",
)
def list_webhooks(who: Caller) -> Webhooks:
    """List the site's webhooks, oldest first, without their secrets."""
    return {"webhooks": endpoints.listed_of(who)}


@api.call(
    "POST",
    "/v1/sites/<site>/webhooks",
    scope="admin",
    summary="Create a webhook",
    says="The webhook with its secret, which is shown here and after a rotation only.",
    status=201,
    answers={409: "The site has 50 webhooks already."},
    answer=WebhookWithSecret,
    headers_out={201: ("Location",)},
)
def create_webhook(who: Caller, body: NewWebhook) -> Response:
    """Send events to an address of yours, signed as Standard Webhooks 1.0.0 describes, or to a
    chat.
    """
    made = endpoints.make(who, body)
    place = f"/v1/sites/{who.site.key}/webhooks/{made['id']}"
    return json_response(made, 201, {"Location": place})


@api.call(
    "GET",
    "/v1/sites/<site>/webhooks/<webhook_id>",
    scope="admin",
    summary="Read a webhook",
    says="The webhook without its secrets.",
)
def read_webhook(who: Caller, webhook_id: str) -> ShownWebhook:
    """Read a webhook's settings, and whether it fails."""
    return endpoints.shown(who, webhook_id)


@api.call(
    "PATCH",
    "/v1/sites/<site>/webhooks/<webhook_id>",
    scope="admin",
    summary="Change a webhook",
    says="The webhook.",
)
def change_webhook(who: Caller, webhook_id: str, body: WebhookChange) -> ShownWebhook:
    """Change a webhook, or enable or disable it. Events of a disabled webhook wait, and go out once
    it is enabled again.
    """
    return endpoints.alter(who, webhook_id, body)


@api.call(
    "DELETE",
    "/v1/sites/<site>/webhooks/<webhook_id>",
    scope="admin",
    summary="Delete a webhook",
    says="The webhook is deleted.",
    status=204,
)
def delete_webhook(who: Caller, webhook_id: str) -> None:
    """Delete a webhook. Nothing more is sent to it, and its log is deleted soon after."""
    endpoints.end(who, webhook_id)


@api.call(
    "POST",
    "/v1/sites/<site>/webhooks/<webhook_id>/rotate",
    scope="admin",
    summary="Rotate a webhook's secret",
    says="The webhook with its new secret.",
    body_may_be_missing=True,
)
def rotate_secret(who: Caller, webhook_id: str, body: Rotation) -> WebhookWithSecret:
    """Give a webhook a new secret. Until the old one ends, every message has both signatures."""
    return endpoints.renew(who, webhook_id, body)


@api.call(
    "POST",
    "/v1/sites/<site>/webhooks/<webhook_id>/test",
    scope="admin",
    summary="Send a test event",
    says="The test event is on its way. The delivery log tells what came of it.",
    status=202,
    answers={409: DISABLED},
)
def test_webhook(who: Caller, webhook_id: str) -> SentTest:
    """Send a real, signed event of type `webhook.test`, in the same way as every other event."""
    return endpoints.send_test(who, webhook_id)


@api.call(
    "POST",
    "/v1/sites/<site>/webhooks/<webhook_id>/check",
    scope="admin",
    summary="Check an endpoint",
    says="Each case, and whether the endpoint handled it well.",
    answers={429: "Another check is running."},
)
def check_webhook(who: Caller, webhook_id: str) -> Checked:
    """Send good, wrongly signed, old, repeated and slow messages now, and report which the endpoint
    handled well. None of them is in the delivery log.
    """
    return endpoints.checked(who, webhook_id)


@api.call(
    "POST",
    "/v1/sites/<site>/webhooks/<webhook_id>/redeliver",
    scope="admin",
    summary="Send events again",
    says="How many events will be sent, and where to go on if there are more.",
    status=202,
    answers={409: DISABLED},
)
def redeliver_events(who: Caller, webhook_id: str, body: Redelivery) -> SentAgain:
    """Send events again, or for the first time, with the ids and bytes that they had before."""
    return send_again(who, webhook_id, body)


class DeliveriesQuery(Query):
    """Which deliveries."""

    state: Annotated[
        Literal["waiting", "owed", "delivered", "dead", "cancelled", "coalesced"] | None,
        Field(description="`waiting` deliveries wait until the page shows the event."),
    ] = None
    cursor: Cursor = None
    limit: Limit200 = 50


@api.call(
    "GET",
    "/v1/sites/<site>/webhooks/<webhook_id>/deliveries",
    scope="admin",
    summary="Read the delivery log",
    says="Deliveries with their attempts, newest first.",
)
def list_deliveries(who: Caller, webhook_id: str, query: DeliveriesQuery) -> Deliveries:
    """Read what was sent to a webhook and what it answered. The log is kept for 30 days."""
    return log_of(who, webhook_id, query.state, query.cursor, query.limit)
