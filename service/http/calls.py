"""One declaration for each call of the API: `@api.call(…)` at the route.

It states the method, the path, the scope, and the answers with their meaning; the function's
signature states the rest. `query` and `body` are parameters of those names, each a pydantic model;
the return annotation is the answer's shape. From this one place the call is authenticated, parsed
and answered, and `/openapi.json` and `/docs` are written (service/api/openapi.py).

    @api.call("GET", "/v1/sites/<site>/queue", scope="moderate", summary="List a queue",
              says="Whole records, oldest first.")
    def list_queue(who: Caller, query: QueueQuery) -> Queue:
        \"""The description, for those who read the documentation.\"""
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from flask import Blueprint, Response
from pydantic import BaseModel
from werkzeug.wrappers import Response as BaseResponse

from service.http.api_keys import caller
from service.http.requests import JSON, Query, body_as, query_as
from service.http.responses import json_response

View = TypeVar("View", bound=Callable[..., Any])

# The possible answers of every call of a kind. A call may describe one in its own words.
_ALWAYS = {503: "The database or the storage does not respond. Try again in a moment."}
_WITH_A_PATH = {404: "There is no such site, or the site has nothing with this id or key."}
_WITH_A_KEY = {
    401: "The key is missing or not valid.",
    403: "The key belongs to another site or lacks the required scope.",
}
_WITH_A_BODY = {
    400: "The body is not valid JSON in UTF-8.",
    413: "The body is too large.",
    415: "The Content-Type is not supported.",
    422: "Some fields are not valid. `errors` lists them.",
}
_WITH_A_QUERY = {422: "Some parameters are not valid. `errors` lists them."}
_HEADERS: Mapping[int, tuple[str, ...]] = {
    303: ("Location",),
    304: ("ETag",),
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header that a request may carry."""

    what: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation, as it was declared. `answers` are all its statuses, each with its meaning."""

    method: str
    rule: str
    operation: str
    summary: str
    description: str
    scope: str | None
    query: type[Query] | None
    body: type[BaseModel] | None
    body_types: tuple[str, ...]
    body_may_be_missing: bool
    form: type[BaseModel] | None
    answer: Any
    status: int
    answer_type: str
    other_types: Mapping[str, str]
    answers: Mapping[int, str]
    headers_in: Mapping[str, Header]
    headers_out: Mapping[int, tuple[str, ...]]
    path_values: Mapping[str, tuple[str, ...]]

    @property
    def path(self) -> str:
        """The path as the document writes it. An id is always called `id` there."""
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda name: f"{{{documented(name[1])}}}", self.rule)

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)


def documented(name: str) -> str:
    return "id" if name.endswith("_id") else name


class Noun(Blueprint):
    """The calls for one kind of thing: a blueprint that knows the calls it declares."""

    def __init__(self, name: str, tag: str, description: str) -> None:
        super().__init__(name, "greenroom")
        self.tag, self.description = tag, description
        self.calls: list[Call] = []

    def call(  # noqa: PLR0913 — a declaration has as many parts
        self,
        method: str,
        rule: str,
        *,
        summary: str,
        says: str,
        scope: str | None = None,
        status: int = 200,
        answers: Mapping[int, str] | None = None,
        answer: Any = None,
        answer_type: str = JSON,
        other_types: Mapping[str, str] | None = None,
        body_types: tuple[str, ...] = (JSON,),
        body_may_be_missing: bool = False,
        body: type[BaseModel] | None = None,
        form: type[BaseModel] | None = None,
        headers_in: Mapping[str, Header] | None = None,
        headers_out: Mapping[int, tuple[str, ...]] | None = None,
        path_values: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Callable[[View], View]:
        """Declare the function below as a call. It receives `who`, the caller, if a scope is named,
        and `query` and `body` if it has parameters of those names.

        `says` describes the successful answer, `answers` the other statuses. A function that builds
        its own `Response` names the answer's shape in `answer`, and one that reads its own body
        names the shape in `body`. `other_types` are texts that it can answer with instead,
        each with an example.
        """

        def declare(view: View) -> View:
            hints = get_type_hints(view, include_extras=True)
            is_own_response = _is_response(hints["return"])
            call = Call(
                method=method,
                rule=rule,
                operation=view.__name__,
                summary=summary,
                description=inspect.getdoc(view) or "",
                scope=scope,
                query=hints.get("query"),
                body=body or hints.get("body"),
                body_types=body_types,
                body_may_be_missing=body_may_be_missing,
                form=form,
                answer=answer if is_own_response else _none_if_empty(hints["return"]),
                status=status,
                answer_type=answer_type,
                other_types=other_types or {},
                answers=_all_answers(
                    rule,
                    {status: says, **(answers or {})},
                    has_key=scope is not None,
                    has_query="query" in hints,
                    has_body=bool(body or "body" in hints),
                ),
                headers_in=headers_in or {},
                headers_out={**_HEADERS, **(headers_out or {})},
                path_values=path_values or {},
            )
            self.calls.append(call)
            parsed = _parsing(call, view, reads_body="body" in hints)
            self.add_url_rule(rule, call.operation, parsed, methods=[method])
            return view

        return declare


def _is_response(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseResponse)


def _none_if_empty(hint: object) -> object:
    return None if hint is type(None) else hint


def _all_answers(
    rule: str, own: Mapping[int, str], *, has_key: bool, has_query: bool, has_body: bool
) -> dict[int, str]:
    kinds = (
        (_ALWAYS, rule.startswith("/v1")),
        (_WITH_A_PATH, "<" in rule),
        (_WITH_A_KEY, has_key),
        (_WITH_A_QUERY, has_query),
        (_WITH_A_BODY, has_body),
    )
    found: dict[int, str] = {}
    for answers, is_of_this_kind in kinds:
        if is_of_this_kind:
            found |= answers
    return dict(sorted((found | dict(own)).items()))


def _parsing(call: Call, view: Callable[..., Any], *, reads_body: bool) -> Callable[..., Any]:
    """Return the view as Flask calls it, with only the names in its path."""
    empty = b"{}" if call.body_may_be_missing else b""

    def answer(**given: Any) -> BaseResponse:
        if call.scope:
            given["who"] = caller(given.pop("site"), call.scope)
        if call.query:
            given["query"] = query_as(call.query)
        if reads_body and call.body:
            given["body"] = body_as(call.body, empty=empty, types=call.body_types)
        told = view(**given)
        if isinstance(told, BaseResponse):
            return told
        if told is None:
            return Response(status=204)
        return json_response(told, call.status)

    return answer
