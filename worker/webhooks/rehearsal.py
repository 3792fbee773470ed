"""Test an endpoint with a set of messages that it must accept or refuse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

import orjson

from models.identifiers import new_id
from models.webhooks import signatures
from models.webhooks.endpoints import Kept
from worker.webhooks import chats
from worker.webhooks.posting import Poster
from worker.webhooks.sending import ABOUT_US
from worker.webhooks.targets import Unsent

SECONDS = 5.0  # for each case, because someone waits for the result
OLD_SECONDS = 3600
PAUSE_SECONDS = 1.5


class Case(NamedTuple):
    """A message to send, whether the endpoint must accept it, and what it means if it does not."""

    name: str
    is_taken: bool
    advice: str
    headers: dict[str, str]
    content: bytes
    pause: float = 0.0


class Tried(TypedDict):
    """How an endpoint handled a case. `handled` says whether that was right."""

    case: str
    handled: bool
    status: int | None
    ms: int
    error: str | None
    advice: str | None


async def rehearse(endpoint: Kept, event: chats.Said, at: datetime) -> list[Tried]:
    """Yield each case with its status, its time, and whether it was handled well. `event` is sent
    as a test event.
    """
    async with Poster(SECONDS) as poster:
        if endpoint.is_chat:
            content = chats.message(endpoint.format, [event])
            return [
                await _try(
                    poster,
                    endpoint,
                    Case("message", True, ("The endpoint must respond with 2xx."), {}, content),
                )
            ]
        first, others = _cases(endpoint, event, int(at.timestamp()))
        found = [await _try(poster, endpoint, case) for case in first]
        return found + list(
            await asyncio.gather(*(_try(poster, endpoint, case) for case in others))
        )


def _cases(endpoint: Kept, event: chats.Said, stamp: int) -> tuple[Sequence[Case], Sequence[Case]]:
    """Return the cases that must be sent one after the other, and those that need not."""
    keys = [endpoint.sealed.secrets[0].shared]
    content, id_ = orjson.dumps(event), new_id()
    good = signatures.headers(keys, id_, stamp, content)
    bad = good | {"webhook-id": new_id()}
    old = signatures.headers(keys, new_id(), stamp - OLD_SECONDS, content)
    second, earlier = (
        orjson.dumps({**event, "data": {**event["data"], "sequence": number}}) for number in (2, 1)
    )
    overtaking = signatures.headers(keys, new_id(), stamp, second)
    overtaken = signatures.headers(keys, new_id(), stamp, earlier)
    slow = signatures.headers(keys, new_id(), stamp, content)
    first = (
        Case(
            "good signature",
            True,
            "Verify webhook-signature with this webhook's secret.",
            good,
            content,
        ),
        Case(
            "duplicate",
            True,
            "Respond to a repeated message with 2xx, and ignore it.",
            good,
            content,
        ),
        Case(
            "newer first",
            True,
            "Respond with 2xx. `data.sequence` shows which event is newer.",
            overtaking,
            second,
        ),
        Case(
            "out of order",
            True,
            "Respond to an older message that arrives late with 2xx, and ignore it.",
            overtaken,
            earlier,
        ),
    )
    others = (
        Case(
            "bad signature",
            False,
            ("Reject messages whose signature is wrong: anyone can send them."),
            bad,
            content,
        ),
        Case(
            "old timestamp",
            False,
            ("Reject timestamps more than five minutes from now."),
            old,
            content,
        ),
        Case(
            "slow",
            True,
            "Wait for the whole body: it may arrive in pieces.",
            slow,
            content,
            PAUSE_SECONDS,
        ),
    )
    return first, others


async def _try(poster: Poster, endpoint: Kept, case: Case) -> Tried:
    began, status, error = time.perf_counter(), None, None
    try:
        headers = {**endpoint.sealed.headers, **ABOUT_US, **case.headers}
        status = (await poster.post(endpoint.url, headers, case.content, pause=case.pause)).status
    except Unsent as unsent:
        error = str(unsent)
    took = status is not None and 200 <= status < 300
    refused = status is not None and 400 <= status < 500
    is_well = took if case.is_taken else refused
    return {
        "case": case.name,
        "handled": is_well,
        "status": status,
        "ms": round((time.perf_counter() - began) * 1000),
        "error": error,
        "advice": None if is_well else case.advice,
    }
