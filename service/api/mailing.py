"""Calls from readers' browsers about mail: confirm an address, fetch the reader's key, follow a
thread.
"""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from models.text.stamps import utc_stamp
from service.comments.submission import ThreadArgument
from service.http import limits, sharing
from service.http.addresses import reader
from service.http.api_types import Time
from service.http.calls import Noun
from service.http.problems import Problem
from service.http.requests import Query, body_as
from service.http.responses import PRIVATE, json_response
from service.http.sharing import shared, wanted_site
from service.readers import following, proving
from service.readers.identity import Identity, identify, not_accepted
from service.readers.proving import NewProof
from service.sites.lookup import SiteInfo

api = Noun("mailing", "Mail", "Confirm a reader's address, and choose what is mailed to it.")
CONFIRMATIONS = "/v1/sites/<site>/confirmations"
KEY = f"{CONFIRMATIONS}/key"
FOLLOWING = "/v1/sites/<site>/following"
TOO_FAST = "Too many requests in a short time. Retry-After says how long to wait."
WRONG_IDENTITY = "The identity is missing, wrong or expired."


class Confirmation(TypedDict):
    """A confirmation that has begun. Show `code` to the reader, keep `confirmation`."""

    confirmation: Annotated[str, Field(examples=["cf_Zk1v0pRkq2m8"])]
    code: Annotated[str, Field(examples=["048213"])]
    expires_at: Time


class WantedKey(BaseModel):
    """The confirmation to ask about."""

    model_config = ConfigDict(strict=True, extra="ignore")

    confirmation: Annotated[
        str, Field(max_length=proving.MOST_SECRET, examples=["cf_Zk1v0pRkq2m8"])
    ]


class KeyAnswer(TypedDict):
    """`key` is the reader's key once the address is confirmed, otherwise null."""

    status: Literal["waiting", "confirmed", "ended"]
    key: Annotated[str | None, Field(examples=["rk_5d1c0e"])]


class Followed(BaseModel):
    """A thread, and whether to follow it."""

    model_config = ConfigDict(strict=True, extra="ignore")

    thread: ThreadArgument
    following: Annotated[bool, Field(examples=[True])]


class FollowQuery(Query):
    """Which thread."""

    thread: ThreadArgument


class Following(TypedDict):
    """Whether the reader follows the thread."""

    following: bool


@api.call(
    "POST",
    CONFIRMATIONS,
    summary="Confirm an address",
    says="A link is mailed, at most once an hour. The answer never says whether one was.",
    status=202,
    answers={409: "This Greenroom sends no mail.", 429: TOO_FAST},
    answer=Confirmation,
    body=NewProof,
)
def begin_confirmation(site: str) -> Response:
    """Begin to confirm a reader's email address. Greenroom mails a link; the page behind it asks
    for the code, so show the code in the browser that asked. Then fetch the key.
    """
    info = wanted_site(site)
    _count("proof", info)
    asked = proving.ask(info, body_as(NewProof))
    body: Confirmation = {
        "confirmation": asked.secret,
        "code": asked.code,
        "expires_at": utc_stamp(asked.expires_at),
    }
    return shared(info, json_response(body, 202, PRIVATE))


@api.call(
    "POST",
    KEY,
    summary="Fetch a reader's key",
    says="The status of the confirmation, and the key if the address is confirmed.",
    answers={429: TOO_FAST},
    answer=KeyAnswer,
    body=WantedKey,
)
def fetch_key(site: str) -> Response:
    """Fetch the reader's key after the code was entered. Ask every few seconds while the status is
    `waiting`. Send the key as `Greenroom-Identity`; the reader can revoke it.
    """
    info = wanted_site(site)
    _count("proof key", info)
    claimed = proving.claim(info, body_as(WantedKey).confirmation)
    body: KeyAnswer = {"status": claimed.status, "key": claimed.key}
    return shared(info, json_response(body, headers=PRIVATE))


@api.call(
    "PUT",
    FOLLOWING,
    summary="Follow a thread, or stop",
    says="Whether the reader follows the thread now.",
    answers={401: WRONG_IDENTITY, 409: following.NO_ADDRESS, 429: TOO_FAST},
    answer=Following,
    body=Followed,
)
def follow(site: str) -> Response:
    """Start or stop mailing new comments on a thread to a reader. Needs `Greenroom-Identity` with a
    confirmed address.
    """
    info = wanted_site(site)
    _count("follow", info)
    who, said = _reader(info), body_as(Followed)
    following.follow(info, who, said.thread, follows=said.following)
    body: Following = {"following": said.following}
    return shared(info, json_response(body, headers=PRIVATE))


@api.call(
    "GET",
    FOLLOWING,
    summary="Read whether a thread is followed",
    says="Whether the reader follows the thread.",
    answers={401: WRONG_IDENTITY},
    answer=Following,
)
def read_following(site: str, query: FollowQuery) -> Response:
    """Read whether the reader in `Greenroom-Identity` follows a thread."""
    info = wanted_site(site)
    body: Following = {"following": following.follows(info, _reader(info), query.thread)}
    return shared(info, json_response(body, headers=PRIVATE))


def _reader(info: SiteInfo) -> Identity:
    who = identify(info)
    if who is None:
        raise not_accepted("Send Greenroom-Identity with this request.")
    return who


def _count(what: str, info: SiteInfo) -> None:
    problem: Problem | None = limits.count_mailing(what, info.key, reader())
    if problem:
        raise problem


@api.route(CONFIRMATIONS, methods=["OPTIONS"])
@api.route(KEY, methods=["OPTIONS"])
def preflight(site: str) -> Response:
    return sharing.preflight(wanted_site(site), "POST")


@api.route(FOLLOWING, methods=["OPTIONS"])
def preflight_following(site: str) -> Response:
    return sharing.preflight(wanted_site(site), "GET, PUT")
