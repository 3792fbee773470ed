"""API calls for the log: who did what, and when."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.settling.actor import ActorShape
from models.store.database import reading
from models.text.stamps import utc_stamp
from service.http.api_keys import Caller
from service.http.api_types import By, Id, OneOf, Time
from service.http.calls import Noun
from service.http.problems import wrong_field
from service.http.requests import Cursor, Limit1000, Moment, Query
from service.moderation.comment_records import Decision, decision_shape
from service.moderation.log import KINDS, Line, LogFilter, lines
from service.people.names import actors_of

MOST_BY = 80

api = Noun("log", "Log", "The audit log of a site: who did what, and when.")


class LogQuery(Query):
    """A log entry must match all filters."""

    kind: Annotated[
        Literal["", "decisions", "people", "settings", "threads", "blocks", "keys", "notices"],
        Field(description="Only entries of this kind."),
    ] = ""
    by: Annotated[
        str,
        Field(description="Only entries by this actor: `moderator:ID` or `key:ID`."),
    ] = ""
    batch: Annotated[
        str,
        Field(description="Only the decisions in this batch, and the decisions that undid them."),
    ] = ""
    since: Annotated[Moment, Field(description="Only entries from this time on.")] = None
    until: Annotated[Moment, Field(description="Only entries before this time.")] = None
    cursor: Cursor = None
    limit: Limit1000 = 100


# "from" is a Python keyword, so this cannot be written as a class.
SettingChanged = TypedDict(
    "SettingChanged",
    {
        "setting": Annotated[str, Field(examples=["links.max_links"])],
        "from": object,
        "to": object,
    },
)
SettingChanged.__doc__ = "One setting of the policy, with its value before and after."


class LogLine(TypedDict):
    """One log entry. A decision has `comment`, `batch` and `decision`; any other entry has `what`.
    A change of the policy also has its `changes`.
    """

    id: Id
    at: Time
    by: By
    actor: ActorShape | None
    kind: Annotated[str, OneOf(KINDS)]
    what: NotRequired[Annotated[str, Field(examples=["closed the thread “/harbour”"])]]
    changes: NotRequired[list[SettingChanged]]
    comment: NotRequired[Id]
    batch: NotRequired[Id | None]
    decision: NotRequired[Decision]


class Log(TypedDict):
    "Log entries, newest first."

    log: list[LogLine]
    next: Id | None


@api.call(
    "GET",
    "/v1/sites/<site>/log",
    scope="moderate",
    summary="Read the log",
    says="Log entries, newest first.",
)
def list_log(who: Caller, query: LogQuery) -> Log:
    """Read who did what, and when: decisions by moderators, and every other action as a
    sentence.
    """
    if query.batch and not is_id(query.batch):
        raise wrong_field("batch", "`batch` must be the id of a batch.")
    wanted = LogFilter(
        [who.site.id],
        query.kind,
        query.by[:MOST_BY],
        query.since,
        query.until,
        batch=query.batch,
    )
    with reading() as session:
        found = lines(session, wanted, query.cursor, query.limit + 1)
        actors = actors_of(session, {line.by for line in found})
    following = found[query.limit - 1].id if len(found) > query.limit else None
    page = [_shape(line, actors[line.by]) for line in found[: query.limit]]
    return {"log": page, "next": following}


def _shape(line: Line, actor: ActorShape | None) -> LogLine:
    shape: LogLine = {
        "id": line.id,
        "at": utc_stamp(line.at),
        "by": line.by,
        "actor": actor,
        "kind": line.kind,
    }
    if line.decision is None:
        shape["what"] = line.what
        if line.version:
            shape["changes"] = [
                {
                    "setting": each.setting,
                    "from": to_jsonable_python(each.was),
                    "to": to_jsonable_python(each.becomes),
                }
                for each in line.changes
            ]
        return shape
    shape["comment"] = line.decision.comment_id
    shape["batch"] = line.decision.batch
    shape["decision"] = decision_shape(line.decision, actor)
    return shape
