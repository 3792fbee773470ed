"""`/openapi.json` from the shapes that requests are checked with, and `/docs`, the same for
reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from flask import Blueprint, Response, render_template
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.api.lists import TABS, Those
from service.api.models import ModelChoice
from service.api.moderation import Ruling, Undoing
from service.api.people import Invitation, RoleChange
from service.api.public import FORM_TYPE, MOST_KEY, json_response
from service.api.replay import Draft
from service.api.sites import GoingBack, PolicyChange, ThreadChange
from service.api.webhooks import STATES, NewWebhook, Redelivery, Rotation, WebhookChange
from service.comments.submission import NON_BLANK, Submission
from service.moderation.blocks import NewBlock
from service.moderation.deciding import Rulings, Undoings
from service.moderation.log import KINDS
from service.moderation.notes import Answer, NewNote, NewQuestion

REF = "#/components/schemas/{model}"

EXAMPLES = Path(__file__).parent / "examples"
FILES = {"Python": "receiver.py", "JavaScript": "receiver.mjs"}

api = Blueprint("documents", __name__, template_folder="templates")


# What all calls of a kind may answer; a call says it in its own words where it has any.
_ALL = {503: "The database, or what is published, is away: ask again in a moment."}
_NAMED = {404: "There is no such thing, or it is another site's."}
_KEY = {401: "No key, or not a good one.", 403: "Another site's key, or too small a scope."}
_BODY = {
    400: "Not JSON, or not UTF-8.",
    413: "Too large.",
    415: "Another type than JSON.",
    422: "See the errors.",
}
_ARGUMENTS = {422: "See the errors."}


class Argument(NamedTuple):
    """A query parameter: what it means, and what it may be."""

    what: str
    schema: dict[str, Any] = {"type": "string"}  # noqa: RUF012 — never changed
    is_required: bool = False


def _one_of(*values: str, what: str = "") -> Argument:
    """The first is the default."""
    return Argument(what, {"type": "string", "enum": list(values), "default": values[0]})


def _limit(most: int, default: int) -> Argument:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Argument(f"1 to {most:,}.", schema)


_ID = {"type": "string", "format": "uuid"}
_THREAD = Argument("The thread's key.", NON_BLANK | {"maxLength": 500}, is_required=True)
_CURSOR = Argument("`next` of the page before.")
_CURSOR_ID = Argument("`next` of the page before.", _ID)


class Call(NamedTuple):
    """One operation: `arguments` are query parameters, `answers` statuses with when they come.

    `needs_body`: without it a body that is left out means what an empty object means.
    """

    method: str
    path: str
    summary: str
    scope: str | None
    answers: dict[int, str]
    body: type[BaseModel] | None = None
    arguments: dict[str, Argument] = {}  # noqa: RUF012 — never changed
    needs_body: bool = True
    takes_form: bool = False
    answers_in: str = "application/json"
    headers: dict[int, tuple[str, ...]] = {}  # noqa: RUF012 — never changed
    asked_in_headers: dict[str, Argument] = {}  # noqa: RUF012 — never changed

    @property
    def may_answer(self) -> dict[int, str]:
        """Its own answers, and those of all calls of its kind."""
        kinds = (
            (_ALL, self.path.startswith("/v1")),
            (_NAMED, "{" in self.path),
            (_KEY, self.scope),
            (_ARGUMENTS, self.arguments),
            (_BODY, self.body),
        )
        implied = {
            status: when for answers, is_one in kinds if is_one for status, when in answers.items()
        }
        return dict(sorted((implied | self.answers).items()))


_WITHOUT_BODY = (204, 303, 304, 414)
_HEADERS = {303: ("Location",), 304: ("ETag",), 401: ("WWW-Authenticate",), 429: ("Retry-After",)}
_TELL_WHAT_FAILS = ("/health/ready", "/health/system")  # in JSON of the same shape, well or not
_PLACES = {"id": _ID, "tab": {"type": "string", "enum": list(TABS)}}
_PROBLEM = {  # RFC 9457
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What went wrong, and what to do next."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
CALLS = (
    Call(
        "get",
        "/v1/sites/{site}/form",
        "What the form needs",
        None,
        {200: "A token and the site's language."},
    ),
    Call(
        "post",
        "/v1/sites/{site}/comments",
        "Leave a comment",
        None,
        {
            202: "Accepted; the receipt tells what becomes of it.",
            303: "The form was accepted; there the reader is told what happens next.",
            400: "Not JSON, or not UTF-8.",
            404: "No such site, or the comment answered is not published there.",
            409: "The thread is closed.",
            411: "No Content-Length.",
            413: "Over 128 KB.",
            415: "Another type than JSON or a form.",
            422: "Fields need another look.",
            429: "Too fast, wrong posts counted; Retry-After says when.",
            503: "The database is away; nothing was accepted.",
        },
        Submission,
        takes_form=True,
        headers={202: ("Location",)},
        asked_in_headers={
            "Idempotency-Key": Argument(
                "The same key and body again get the first answer again.",
                {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": MOST_KEY,
                    "pattern": "^[!-~]([ -~]*[!-~])?$",
                },
            )
        },
    ),
    Call(
        "get",
        "/v1/sites/{site}/comments",
        "Read a thread",
        None,
        {200: "A page of the thread.", 304: "Not changed.", 422: "No thread, or a bad page."},
        None,
        {
            "thread": _THREAD,
            "page": Argument(
                "From 1, the oldest; without it the newest.",
                {"type": "integer", "minimum": 1, "maximum": 10**8 - 1},
            ),
            "replies": Argument(
                "A comment whose answers continue elsewhere: its `more` leads there.", _ID
            ),
        },
    ),
    Call(
        "get",
        "/v1/sites/{site}/counts",
        "Count comments",
        None,
        {200: "How many each thread shows.", 414: "Over 64 KB: ask in parts."},
        None,
        {
            "thread": Argument(
                "A thread's key; repeat it for more.",
                {"type": "array", "minItems": 1, "maxItems": 500, "items": _THREAD.schema},
                is_required=True,
            )
        },
    ),
    Call(
        "get",
        "/v1/receipts/{receipt}",
        "What became of a comment",
        None,
        {200: "Its status.", 404: "No such one."},
    ),
    Call(
        "get",
        "/v1/sites/{site}/queue",
        "Comments that wait",
        "moderate",
        {200: "Whole records, oldest first."},
        None,
        {
            "status": _one_of(
                *("flagged", "pending", "approved", "rejected", "review"),
                what="review: whatever has an open review.",
            ),
            "group": Argument(
                "campaign: answers {groups: [{campaign, count, items}], next}. Those that say "
                "nearly the same "
                "stand together, with the first three of each; a comment like no other has no "
                "campaign.",
                {"type": "string", "enum": ["campaign"]},
            ),
            "cursor": _CURSOR_ID,
            "limit": _limit(100, 50),
        },
    ),
    Call(
        "get",
        "/v1/sites/{site}/comments/{id}",
        "A comment's record",
        "moderate",
        {200: "All of it."},
    ),
    Call(
        "get",
        "/v1/sites/{site}/comments/{id}/explanation",
        "Why a comment got its spam score",
        "moderate",
        {
            200: "The words and features that moved the score most, `up` (towards spam) and "
            "`down`, each with its "
            "log_odds, its share of all that moved it, and its spans: [start, end) in the "
            "body, in Unicode characters. "
            "intercept + all log_odds + rest = log_odds. `version` is the model explained: the "
            "one that judged the "
            "comment (`judged_by`) or, where that is gone, the current one.",
            404: "There is no such comment, or it was erased.",
            409: "It has no score, or is a blind sample that nobody has decided yet.",
            503: (
                "The model can't be read, or others are just being explained: ask again in a "
                "moment."
            ),
        },
    ),
    Call(
        "post",
        "/v1/sites/{site}/comments/{id}/decisions",
        "Decide",
        "moderate",
        {201: "The decision.", 409: "Not the version you saw; who decided what and when."},
        Ruling,
    ),
    Call(
        "post",
        "/v1/sites/{site}/comments/{id}/undo",
        "Undo the latest human decision",
        "moderate",
        {201: "The decision that undid it.", 409: "Another came after it, or there is none."},
        Undoing,
        needs_body=False,
    ),
    Call(
        "delete", "/v1/sites/{site}/comments/{id}", "Erase a comment", "admin", {204: "It is gone."}
    ),
    Call(
        "get",
        "/v1/sites/{site}/lists/{tab}",
        "A list as the console shows it",
        "moderate",
        {
            200: "Whole records, and `next`. Tabs are review, unread, pending, approved, "
            "rejected and all; unread has "
            "`coverage`: of the newest comments that are live, how many a human has seen.",
        },
        None,
        {
            "q": Argument("Words of the comment or its author's name."),
            "thread": Argument("A thread's key."),
            "author": Argument("One of the author's comments.", _ID),
            "campaign": Argument("The first comment of those that say nearly the same.", _ID),
            "check": Argument("A check that found something."),
            "reason": Argument(
                "spam, abuse, off_topic or other; in review also flagged, reported, sampled or "
                "appealed."
            ),
            "language": Argument("An ISO 639-1 code."),
            "since": Argument(
                "From this day on, of this century.", {"type": "string", "format": "date"}
            ),
            "until": Argument("Up to this day.", {"type": "string", "format": "date"}),
            "order": _one_of(
                "oldest", "newest", "risk", "due", what="risk and due: in review only."
            ),
            "cursor": _CURSOR,
            "limit": _limit(100, 50),
        },
    ),
    Call(
        "post",
        "/v1/sites/{site}/seen",
        "Mark as seen by a human, or as unread again",
        "moderate",
        {
            200: "What is seen now, and the coverage. What a human has decided stays seen.",
            404: "One is no comment of this site.",
        },
        Those,
    ),
    Call(
        "post",
        "/v1/sites/{site}/decisions",
        "Decide on many at once",
        "moderate",
        {
            200: "Up to 1,000 in one transaction: `done` with each decision, `refused` with "
            "what became of those that "
            "were not as they had been seen, and the `batch` by which all of it is undone as one.",
            404: "One of them is no comment of this site; nothing was decided. See the errors.",
        },
        Rulings,
    ),
    Call(
        "post",
        "/v1/sites/{site}/decisions/undo",
        "Undo a batch, or some decisions",
        "moderate",
        {
            200: (
                "`done`, `refused` where a colleague decided since, and how many are `left` "
                "for another call."
            ),
            404: "There is no such decision, or nothing is left of the batch.",
        },
        Undoings,
    ),
    Call(
        "get",
        "/v1/sites/{site}/comments/{id}/notes",
        "Notes and questions about a comment, its author and its thread",
        "moderate",
        {200: "`notes` and `questions`, oldest first. Never shown to readers."},
    ),
    Call(
        "post",
        "/v1/sites/{site}/comments/{id}/notes",
        "Write a note",
        "moderate",
        {201: "The note."},
        NewNote,
    ),
    Call(
        "post",
        "/v1/sites/{site}/comments/{id}/questions",
        "Ask a moderator, or a role, about a comment",
        "moderate",
        {201: "The question; it is open until someone answers."},
        NewQuestion,
    ),
    Call(
        "get",
        "/v1/sites/{site}/questions",
        "Questions that wait for an answer",
        "moderate",
        {200: "Newest first."},
        None,
        {"state": _one_of("open", "all"), "limit": _limit(100, 50)},
    ),
    Call(
        "post",
        "/v1/sites/{site}/questions/{id}/answer",
        "Answer a question",
        "moderate",
        {200: "The question with its answer.", 409: "Someone has answered already."},
        Answer,
    ),
    Call(
        "get",
        "/v1/sites/{site}/comments/{id}/others",
        "What would be decided with a block",
        "moderate",
        {
            200: (
                "`count` and whole records: what waits under the same address, or says nearly "
                "the same."
            )
        },
        None,
        {"kind": _one_of("author", "like")},
    ),
    Call(
        "get",
        "/v1/sites/{site}/blocks",
        "What is blocked and trusted",
        "moderate",
        {200: "What holds now, newest first."},
    ),
    Call(
        "post",
        "/v1/sites/{site}/blocks",
        "Block or trust an author, a host, a word; or decide all that is like a comment",
        "moderate",
        {
            201: (
                "The block. With `others`: what was `decided` with it, and the `batch` that "
                "undoes that."
            ),
        },
        NewBlock,
    ),
    Call(
        "post",
        "/v1/sites/{site}/blocks/{id}/end",
        "End a block",
        "moderate",
        {200: "The block as it ended."},
    ),
    Call(
        "get",
        "/v1/sites/{site}/people",
        "Who may do what here",
        "admin",
        {200: "`people` with their roles, and who is `invited`."},
    ),
    Call(
        "post",
        "/v1/sites/{site}/people",
        "Invite someone",
        "admin",
        {201: "The link, shown this once; it works for a week."},
        Invitation,
    ),
    Call(
        "put",
        "/v1/sites/{site}/people/{id}",
        "Give someone another role",
        "admin",
        {200: "Who may what now.", 409: "The site would have no owner."},
        RoleChange,
    ),
    Call(
        "delete",
        "/v1/sites/{site}/people/{id}",
        "Remove someone",
        "admin",
        {204: "They are out.", 409: "The site would have no owner."},
    ),
    Call(
        "get",
        "/v1/sites/{site}/log",
        "Who did what when",
        "moderate",
        {200: "Newest first: decisions by humans, and everything else in a sentence."},
        None,
        {
            "kind": Argument("Only these.", {"type": "string", "enum": list(KINDS)}),
            "by": Argument("As the log names them: moderator:ID or key:ID."),
            "since": Argument("From this time on.", {"type": "string", "format": "date-time"}),
            "until": Argument("Before this time.", {"type": "string", "format": "date-time"}),
            "cursor": _CURSOR_ID,
            "limit": _limit(1000, 100),
        },
    ),
    Call(
        "get",
        "/v1/sites/{site}/policy",
        "The site's policy",
        "admin",
        {
            200: "The policy. `fitted` has the thresholds that come of its promises, with what "
            "they were fitted from, "
            "and why rejection is off; null where those set by hand count.",
        },
    ),
    Call(
        "put",
        "/v1/sites/{site}/policy",
        "Change the policy",
        "admin",
        {200: "The policy as saved.", 409: "It has another version by now."},
        PolicyChange,
    ),
    Call(
        "post",
        "/v1/sites/{site}/policy/back",
        "Go back to the policy before",
        "admin",
        {
            200: "The policy, as a new version.",
            409: "Another was saved since, or there is none before.",
        },
        GoingBack,
        needs_body=False,
    ),
    Call(
        "get",
        "/v1/sites/{site}/policy/versions",
        "The policies there were",
        "admin",
        {200: "Newest first, each with who saved it when."},
    ),
    Call(
        "post",
        "/v1/sites/{site}/policy/replay",
        "Try a policy before it is saved",
        "admin",
        {
            200: "What it would have done with the last settled comments: counts, human "
            "decisions that it would "
            "contradict, samples. Nothing is changed.",
        },
        Draft,
    ),
    Call(
        "get",
        "/v1/sites/{site}/models",
        "The models that learned from this site's moderators",
        "admin",
        {200: "Their cards, newest first, and which one is live."},
    ),
    Call(
        "put",
        "/v1/sites/{site}/models/live",
        "Choose the model that scores",
        "admin",
        {200: "The models.", 404: "There is no such model."},
        ModelChoice,
    ),
    Call(
        "post",
        "/v1/sites/{site}/models/back",
        "Go back to the model before the live one",
        "admin",
        {200: "The models.", 409: "There is none to go back to."},
    ),
    Call(
        "patch",
        "/v1/sites/{site}/threads",
        "Close, open or name a thread",
        "moderate",
        {200: "The thread. No comment changes a title or an address that was set here."},
        ThreadChange,
    ),
    Call(
        "get",
        "/v1/sites/{site}/events",
        "The event log",
        "read",
        {
            200: "Events in order, and the next cursor.",
            410: "The log keeps no more what follows it.",
        },
        None,
        {
            "after": Argument(
                "The cursor reached so far.",
                {"type": "string", "pattern": r"^[0-9]{1,9}\.[0-9]{1,9}$"},
            ),
            "limit": _limit(1000, 100),
        },
    ),
    Call(
        "get",
        "/v1/sites/{site}/events/digest",
        "Check a mirror",
        "read",
        {
            200: (
                "SHA-256 of a line `id version` for each approved comment by id, once all up "
                "to `next` is heard."
            ),
        },
        None,
        {"thread": _THREAD},
    ),
    Call(
        "post",
        "/v1/sites/{site}/webhooks",
        "Make a webhook",
        "admin",
        {
            201: "The webhook; its secret is shown here and at rotate only.",
            409: "The site has 50 already.",
        },
        NewWebhook,
        headers={201: ("Location",)},
    ),
    Call("get", "/v1/sites/{site}/webhooks", "List webhooks", "admin", {200: "All of the site's."}),
    Call(
        "get", "/v1/sites/{site}/webhooks/{id}", "A webhook", "admin", {200: "All but its secrets."}
    ),
    Call(
        "patch",
        "/v1/sites/{site}/webhooks/{id}",
        "Change a webhook, enable or disable it",
        "admin",
        {200: "The webhook; what is owed to it goes out when it is enabled."},
        WebhookChange,
    ),
    Call(
        "delete",
        "/v1/sites/{site}/webhooks/{id}",
        "Delete a webhook",
        "admin",
        {204: "It is gone."},
    ),
    Call(
        "post",
        "/v1/sites/{site}/webhooks/{id}/rotate",
        "A new secret",
        "admin",
        {200: "The webhook with its new secret; until the old one ends, both sign."},
        Rotation,
        needs_body=False,
    ),
    Call(
        "post",
        "/v1/sites/{site}/webhooks/{id}/test",
        "Send a signed test event",
        "admin",
        {
            202: "It is on its way; the deliveries tell what came of it.",
            409: "The webhook is disabled.",
        },
    ),
    Call(
        "post",
        "/v1/sites/{site}/webhooks/{id}/check",
        "Try an endpoint with good, bad, old, repeated and slow messages",
        "admin",
        {200: "Each case, and whether it was handled well.", 429: "Another check is under way."},
    ),
    Call(
        "post",
        "/v1/sites/{site}/webhooks/{id}/redeliver",
        "Send events again",
        "admin",
        {
            202: "How many, and from where to go on if there are more.",
            409: "The webhook is disabled.",
        },
        Redelivery,
    ),
    Call(
        "get",
        "/v1/sites/{site}/webhooks/{id}/deliveries",
        "What was sent, and what came back",
        "admin",
        {200: "Deliveries with their attempts, newest first; kept for 30 days."},
        None,
        {
            "state": Argument("waiting: for the page.", {"type": "string", "enum": list(STATES)}),
            "cursor": _CURSOR_ID,
            "limit": _limit(200, 50),
        },
    ),
    Call(
        "get",
        "/metrics",
        "For Prometheus",
        None,
        {200: "Its text format.", 403: "Not from here, and no key."},
        answers_in="text/plain",
    ),
    Call("get", "/health/live", "This process lives", None, {200: "It does."}),
    Call(
        "get",
        "/health/ready",
        "This process can serve readers, or also take comments",
        None,
        {200: "It can.", 503: "It cannot; says which part is missing."},
        arguments={"for": _one_of("reading", "writing", what="`writing` also asks the database.")},
    ),
    Call("get", "/health/system", "All parts work", None, {200: "They do.", 503: "Which do not."}),
)


@api.get("/openapi.json")
def openapi() -> Response:
    return json_response(document())


@api.get("/docs")
def docs() -> Response:
    answer = Response(
        render_template("api/docs.html", calls=CALLS, schemas=document()["components"]["schemas"])
    )
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@api.get("/docs/webhooks")
def webhooks() -> Response:
    """How to receive them, with examples that the tests run."""
    examples = {name: (EXAMPLES / file).read_text(encoding="utf-8") for name, file in FILES.items()}
    answer = Response(render_template("api/webhooks.html", examples=examples))
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1.0."""
    from service.api import answers  # noqa: PLC0415 — only who asks for the description needs them

    shapes: list[Any] = [(call.body, "validation") for call in CALLS if call.body]
    shapes += [(shape, "validation") for shape in set(answers.OF.values())]
    _, definitions = models_json_schema(shapes, ref_template=REF)
    paths: dict[str, Any] = {}
    for call in CALLS:
        answer = answers.OF.get(f"{call.method} {call.path}")
        paths.setdefault(call.path, {})[call.method] = _operation(call, answer)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Greenroom",
            "version": "1",
            "description": "Where comments wait before they go live.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"] | {"Problem": _PROBLEM},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key `gr_…`."}
            },
        },
    }


def _operation(call: Call, answer: type[BaseModel] | None) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": call.summary,
        "parameters": list(_parameters(call)),
        "responses": {
            str(status): _answer(call, answer, status, when)
            for status, when in call.may_answer.items()
        },
    }
    if call.body:
        media = {"schema": _named(call.body)}
        types = ["application/json", FORM_TYPE] if call.takes_form else ["application/json"]
        operation["requestBody"] = {
            "required": call.needs_body,
            "content": dict.fromkeys(types, media),
        }
    if call.scope:
        operation["security"] = [{"key": [call.scope]}]
    return operation


def _named(shape: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=shape.__name__)}


def _parameters(call: Call) -> Iterator[dict[str, Any]]:
    for name in (part[1:-1] for part in call.path.split("/") if part.startswith("{")):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _PLACES.get(name, {"type": "string"}),
        }
    for place, arguments in (("query", call.arguments), ("header", call.asked_in_headers)):
        for name, argument in arguments.items():
            about = {"description": argument.what} if argument.what else {}
            yield {
                "name": name,
                "in": place,
                "required": argument.is_required,
                **about,
                "schema": argument.schema,
            }


def _answer(call: Call, answer: type[BaseModel] | None, status: int, when: str) -> dict[str, Any]:
    """With the types it comes in, and the headers that are always there."""
    told: dict[str, Any] = {"description": when}
    if status in _WITHOUT_BODY:
        pass
    elif status >= 400 and not (status == 503 and call.path in _TELL_WHAT_FAILS):
        problem = {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}}
        told["content"] = problem | ({"text/html": {}} if call.takes_form else {})
    else:
        told["content"] = {call.answers_in: {"schema": _named(answer)} if answer else {}}
    if headers := _HEADERS.get(status) or call.headers.get(status):
        told["headers"] = {
            name: {"required": True, "schema": {"type": "string"}} for name in headers
        }
    return told
