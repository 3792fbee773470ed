"""API calls for webhooks: their settings, their delivery log, and sending events again."""

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

api = Noun("webhooks", "Webhooks", "Webhooks and their delivery logs.")


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
    says="The webhook with its secret. The secret is shown only here and after a rotation.",
    status=201,
    answers={409: "The site already has 50 webhooks, the maximum."},
    answer=WebhookWithSecret,
    headers_out={201: ("Location",)},
)
def create_webhook(who: Caller, body: NewWebhook) -> Response:
    """Create a webhook. Greenroom then sends events to your endpoint, signed as Standard Webhooks
    1.0.0 describes, or to a chat.
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
    """Read a webhook's settings, and see whether its deliveries are failing."""
    return endpoints.shown(who, webhook_id)


@api.call(
    "PATCH",
    "/v1/sites/<site>/webhooks/<webhook_id>",
    scope="admin",
    summary="Change a webhook",
    says="The webhook.",
)
def change_webhook(who: Caller, webhook_id: str, body: WebhookChange) -> ShownWebhook:
    """Change a webhook, or enable or disable it. Events for a disabled webhook wait until you
    enable it again.
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
    """Delete a webhook. Greenroom stops sending to it at once, and deletes its log soon after."""
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
    """Give a webhook a new secret. Until the old secret expires, every message has both
    signatures.
    """
    return endpoints.renew(who, webhook_id, body)


@api.call(
    "POST",
    "/v1/sites/<site>/webhooks/<webhook_id>/test",
    scope="admin",
    summary="Send a test event",
    says="The test event is queued. The delivery log will show the result.",
    status=202,
    answers={409: DISABLED},
)
def test_webhook(who: Caller, webhook_id: str) -> SentTest:
    """Send a signed event of type `webhook.test`, in the same way as any other event."""
    return endpoints.send_test(who, webhook_id)


@api.call(
    "POST",
    "/v1/sites/<site>/webhooks/<webhook_id>/check",
    scope="admin",
    summary="Check an endpoint",
    says="Each case and its result.",
    answers={429: "Another check is running."},
)
def check_webhook(who: Caller, webhook_id: str) -> Checked:
    """Send valid, wrongly signed, old, repeated and slow messages now, and report which ones the
    endpoint handled correctly. The delivery log does not include them.
    """
    return endpoints.checked(who, webhook_id)


@api.call(
    "POST",
    "/v1/sites/<site>/webhooks/<webhook_id>/redeliver",
    scope="admin",
    summary="Send events again",
    says="The number of queued events, and where to continue if there are more.",
    status=202,
    answers={409: DISABLED},
)
def redeliver_events(who: Caller, webhook_id: str, body: Redelivery) -> SentAgain:
    """Send events again, with their original ids and bytes. This can also send events that the
    webhook never received.
    """
    return send_again(who, webhook_id, body)


class DeliveriesQuery(Query):
    """Which deliveries."""

    state: Annotated[
        Literal["waiting", "owed", "delivered", "dead", "cancelled", "coalesced"] | None,
        Field(description="`waiting`: the delivery waits until the page shows the change."),
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
    """Read what Greenroom sent to a webhook and how the endpoint answered. Greenroom keeps the log
    for 30 days.
    """
    return log_of(who, webhook_id, query.state, query.cursor, query.limit)
