"""What a site blocks and trusts, and what is to be done with all that is like a comment, by key."""

from __future__ import annotations

from flask import Blueprint, Response, request
from sqlalchemy import select

from models.identifiers import is_id
from models.records import Block
from models.store.database import begin, now, reading
from service.api.moderation import body_as, publish_soon, wanted_comment
from service.api.public import json_response
from service.http.api_keys import caller
from service.http.problems import Problem
from service.moderation.blocks import NewBlock, block_shape, end, make, others, standing
from service.moderation.comment_records import full_records

MOST = 1000

api = Blueprint("blocks", __name__)


@api.get("/v1/sites/<site>/blocks")
def listed(site: str) -> Response:
    """What holds now, newest first."""
    who = caller(site, "moderate")
    with reading() as session:
        found = session.scalars(standing([who.site.id], now()).limit(MOST)).all()
    return json_response({"blocks": [block_shape(block) for block in found]})


@api.post("/v1/sites/<site>/blocks")
def create(site: str) -> Response:
    """With `others` what waits already is decided with it; `batch` takes all of that back."""
    who = caller(site, "moderate")
    new = body_as(NewBlock)
    with begin() as session:
        comment = wanted_comment(session, who, new.comment) if new.comment is not None else None
        block, settled, batch = make(session, who.site.id, new, comment, by=who.actor)
        decided = [
            {"id": each.comment_id, "decision": each.decision_id, "status": each.status}
            for each in settled
        ]
        answer = {**block_shape(block), "decided": decided, "batch": batch}
    for each in settled:
        publish_soon(each)
    return json_response(answer, 201)


@api.get("/v1/sites/<site>/comments/<comment_id>/others")
def preview(site: str, comment_id: str) -> Response:
    """What `others` would decide with a block of this comment's author, or with a rule for what is
    like it.
    """
    who = caller(site, "moderate")
    if (kind := request.args.get("kind", "author")) not in {"author", "like"}:
        message = "Others are those of the author, or those that are like it."
        raise Problem(422, message, errors=[{"field": "kind", "message": message}])
    with reading(of_one_moment=True) as session:
        found = session.scalars(others(wanted_comment(session, who, comment_id), kind)).all()
        records = full_records(session, found)
    return json_response({"count": len(records), "items": records})


@api.post("/v1/sites/<site>/blocks/<block_id>/end")
def end_block(site: str, block_id: str) -> Response:
    """Once more does no harm."""
    who = caller(site, "moderate")
    with begin() as session:
        wanted = select(Block).where(Block.id == block_id, Block.site_id == who.site.id)
        block = session.scalar(wanted) if is_id(block_id) else None
        if block is None:
            raise Problem(404, "There is no such block on this site.")
        end(session, block, by=who.by)
        session.refresh(block)
        answer = block_shape(block)
    return json_response(answer)
