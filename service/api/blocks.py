"""API calls for a site's blocks, trusted authors and hosts, and rules for similar comments."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import select
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.records import Block
from models.store.database import begin, now, reading
from service.api.comments import wanted_comment
from service.http.api_keys import Caller
from service.http.api_types import Id, Status
from service.http.calls import Noun
from service.http.problems import Problem
from service.http.requests import Query
from service.moderation.blocks import NewBlock, ShownBlock, block_shape, end, make, others, standing
from service.moderation.comment_records import CommentRecord, full_records
from service.moderation.deciding import publish_soon

MOST = 1000

api = Noun("blocks", "Blocks", "Authors, hosts and words that a site blocks or trusts.")


class Blocks(TypedDict):
    """Active blocks, newest first."""

    blocks: list[ShownBlock]


@api.call(
    "GET",
    "/v1/sites/<site>/blocks",
    scope="moderate",
    summary="List blocks",
    says="Active blocks, newest first.",
)
def list_blocks(who: Caller) -> Blocks:
    """List what this site currently blocks and trusts."""
    with reading() as session:
        found = session.scalars(standing([who.site.id], now()).limit(MOST)).all()
    return {"blocks": [block_shape(block) for block in found]}


class DecidedWithBlock(TypedDict):
    """A waiting comment that was decided with the block."""

    id: Id
    decision: Id
    status: Status


class MadeBlock(ShownBlock):
    """A new block, and the decisions made with it. Use `batch` to undo those decisions together."""

    decided: list[DecidedWithBlock]
    batch: Id | None


@api.call(
    "POST",
    "/v1/sites/<site>/blocks",
    scope="moderate",
    summary="Block or trust",
    says="The new block. With `others`, also the decisions made with it.",
    status=201,
)
def make_block(who: Caller, body: NewBlock) -> MadeBlock:
    """Block or trust an author, a host or a word, or set the decision for all future comments
    that are similar to a given one. With `others`, this also decides comments that are already
    waiting.
    """
    with begin() as session:
        comment = wanted_comment(session, who, body.comment) if body.comment is not None else None
        block, settled, batch = make(session, who.site.id, body, comment, by=who.actor)
        decided: list[DecidedWithBlock] = [
            {"id": each.comment_id, "decision": str(each.decision_id), "status": each.status}
            for each in settled
        ]
        answer: MadeBlock = {**block_shape(block), "decided": decided, "batch": batch}
    for each in settled:
        publish_soon(each)
    return answer


class OthersQuery(Query):
    """Which comments: those by the same author, or those with nearly the same text."""

    kind: Literal["author", "like"] = "author"


class Others(TypedDict):
    """The comments that a block with `others` would decide."""

    count: int
    items: list[CommentRecord]


@api.call(
    "GET",
    "/v1/sites/<site>/comments/<comment_id>/others",
    scope="moderate",
    summary="Preview a block",
    says="Waiting comments by the same author, or with nearly the same text.",
)
def list_others(who: Caller, comment_id: str, query: OthersQuery) -> Others:
    """List the comments that `others` would decide if you block this comment's author or make a
    rule for comments like it.
    """
    with reading(of_one_moment=True) as session:
        comment = wanted_comment(session, who, comment_id)
        found = session.scalars(others(comment, query.kind)).all()
        records = full_records(session, found)
    return {"count": len(records), "items": records}


@api.call(
    "POST",
    "/v1/sites/<site>/blocks/<block_id>/end",
    scope="moderate",
    summary="End a block",
    says="The block with its end time.",
)
def end_block(who: Caller, block_id: str) -> ShownBlock:
    """End a block. Ending a block twice has no further effect."""
    with begin() as session:
        wanted = select(Block).where(Block.id == block_id, Block.site_id == who.site.id)
        block = session.scalar(wanted) if is_id(block_id) else None
        if block is None:
            raise Problem(404, "There is no such block on this site.")
        end(session, block, by=who.by)
        session.refresh(block)
        return block_shape(block)
