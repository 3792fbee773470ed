"""A moderator's day with the client that openapi-python-client generates: journey.py URL KEY
HOOK.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from greenroom_client import AuthenticatedClient, Client
from greenroom_client.api.comments import decide, read_comment, undo_decision
from greenroom_client.api.events import list_events
from greenroom_client.api.log import list_log
from greenroom_client.api.policy import change_policy, read_policy, replace_policy
from greenroom_client.api.queue import list_queue
from greenroom_client.api.readers import post_comment, read_form, read_thread
from greenroom_client.api.receipts import read_receipt
from greenroom_client.api.webhooks import create_webhook, list_deliveries, test_webhook
from greenroom_client.models import (
    Accepted,
    CommentRecord,
    Decided,
    Deliveries,
    Events,
    Form,
    LinksPolicyPatch,
    Log,
    NewWebhook,
    NewWebhookEventsType0Item,
    PolicyChange,
    PolicyInForce,
    PolicyPatch,
    PolicyPatchModerationType0,
    Problem,
    Queue,
    ReceiptStatus,
    Ruling,
    RulingVerdict,
    SentTest,
    Submission,
    SubmissionForm,
    ThreadPage,
    Undoing,
    WebhookWithSecret,
)

PATIENCE = 60.0
SITE, THREAD = "demo", "/python"
T = TypeVar("T")


def told(answer: Any, shape: type[T], status: int = 200) -> T:
    assert answer.status_code == status, answer.content
    assert isinstance(answer.parsed, shape), answer.parsed
    return answer.parsed


def until(ask: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + PATIENCE
    while (found := ask()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def main(url: str, key: str, hook: str) -> None:
    reader, moderator = Client(base_url=url), AuthenticatedClient(base_url=url, token=key)
    settings(moderator)
    webhook = told(
        create_webhook.sync_detailed(
            SITE,
            client=moderator,
            body=NewWebhook(url=hook, events=[NewWebhookEventsType0Item.COMMENT_APPROVED]),
        ),
        WebhookWithSecret,
        201,
    )
    assert webhook.secret.startswith("whsec_")
    comment = posted(reader)
    decided(moderator, comment)
    published(reader, comment)
    told(test_webhook.sync_detailed(SITE, webhook.id, client=moderator), SentTest, 202)
    until(lambda: delivered(moderator, webhook.id))
    events = told(list_events.sync_detailed(SITE, client=moderator), Events)
    assert any(event.data.comment.id == comment for event in events.events)
    assert told(list_log.sync_detailed(SITE, client=moderator), Log).log


def settings(moderator: AuthenticatedClient) -> None:
    """Hold every comment for a moderator; check that a wrong patch is explained."""
    patch = PolicyPatch(moderation=PolicyPatchModerationType0.BEFORE)
    saved = told(change_policy.sync_detailed(SITE, client=moderator, body=patch), PolicyInForce)
    assert saved.moderation == "before"
    wrong = PolicyPatch(links=LinksPolicyPatch(max_links=-1))
    problem = told(change_policy.sync_detailed(SITE, client=moderator, body=wrong), Problem, 422)
    assert problem.errors
    assert problem.errors[0].field == "links.max_links"
    now = told(read_policy.sync_detailed(SITE, client=moderator), PolicyInForce)
    whole = PolicyChange.from_dict(now.to_dict())
    told(replace_policy.sync_detailed(SITE, client=moderator, body=whole), PolicyInForce)


def posted(reader: Client) -> UUID:
    """Post as JSON, and once more as an HTML form."""
    form = told(read_form.sync_detailed(SITE, client=reader), Form)
    fields = {"thread": THREAD, "name": "Ann", "email": "ann@example.org"}
    submission = Submission(**fields, body="The ferry was late.", token=form.token)
    accepted = told(post_comment.sync_detailed(SITE, client=reader, body=submission), Accepted, 202)
    plain = SubmissionForm(**fields, body="And the next one, too.")
    answer = post_comment.sync_detailed(SITE, client=reader, body=plain)
    assert answer.status_code == 303, answer.content
    receipt = accepted.receipt.rpartition("/")[2]

    def settled() -> ReceiptStatus | None:
        found = told(read_receipt.sync_detailed(receipt, client=reader), ReceiptStatus)
        return found if found.status != "pending" else None

    assert until(settled).status == "flagged"
    return accepted.id


def decided(moderator: AuthenticatedClient, comment: UUID) -> None:
    queue = told(list_queue.sync_detailed(SITE, client=moderator), Queue)
    assert comment in {item.id for item in queue.items}
    record = told(read_comment.sync_detailed(SITE, comment, client=moderator), CommentRecord)
    assert {found.check for found in record.evidence} > {"email", "links", "spam"}
    for verdict in (RulingVerdict.REJECT, RulingVerdict.APPROVE):
        ruling = Ruling(verdict=verdict)
        decision = told(
            decide.sync_detailed(SITE, comment, client=moderator, body=ruling), Decided, 201
        )
        if verdict is RulingVerdict.REJECT:
            undone = undo_decision.sync_detailed(
                SITE, comment, client=moderator, body=Undoing(decision=str(decision.id))
            )
            assert told(undone, Decided, 201).undoes == decision.id
    stale = Ruling(verdict=RulingVerdict.FLAG, version=1)
    told(decide.sync_detailed(SITE, comment, client=moderator, body=stale), Problem, 409)


def published(reader: Client, comment: UUID) -> None:
    def shown() -> ThreadPage | None:
        page = told(read_thread.sync_detailed(SITE, client=reader, thread=THREAD), ThreadPage)
        return page if comment in {each.id for each in page.comments} else None

    assert until(shown).count == 1


def delivered(moderator: AuthenticatedClient, webhook: UUID) -> Deliveries | None:
    log = told(list_deliveries.sync_detailed(SITE, webhook, client=moderator), Deliveries)
    done = [each for each in log.deliveries if each.state == "delivered"]
    return log if {each.type_ for each in done} == {"comment.approved", "webhook.test"} else None


if __name__ == "__main__":
    main(*sys.argv[1:])
