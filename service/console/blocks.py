"""Block or trust an author, a host or a word until a date; list blocks and end them; make a rule
for a campaign.
"""

from __future__ import annotations

from typing import NamedTuple

from flask import redirect, render_template, request
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.records import Block, Site
from models.store.database import begin, now, reading
from service.console import item as items
from service.console import words
from service.console.blueprint import acting, console, looking, way_back
from service.console.sessions import SignedIn
from service.http.problems import Problem, from_validation
from service.moderation.blocks import NewBlock, apply, covered, did, end, make, standing
from service.moderation.deciding import MOST_AT_ONCE, publish_soon
from service.people.names import names_of

DAYS = {"1": 1, "7": 7, "30": 30, "90": 90, "": None}
KINDS = {"author": "Author", "host": "Host", "word": "Word", "like": "Comments like"}

STANCES = {
    "block": "Blocked",
    "trust": "Trusted",
    "approve": "Approve",
    "flag": "Hold",
    "reject": "Reject",
}


@console.get("/blocks")
def blocks() -> str:
    who = looking()
    with reading() as session:
        sites = dict(
            session.execute(select(Site.id, Site.key).where(Site.key.in_(who.sites))).all()
        )
        found = session.scalars(standing(list(sites), now()).limit(1000)).all()
        rows = [(block, sites[block.site_id]) for block in found]
        names = names_of(session, {block.by for block in found})
    return render_template(
        "console/blocks.html",
        who=who,
        rows=rows,
        names=names,
        kinds=KINDS,
        stances=STANCES,
        words=words,
    )


@console.post("/comments/<comment_id>/block")
def block(comment_id: str) -> BaseResponse:
    """Block or trust what this comment shows: its author, a host that it links to, or a word; or
    make a rule for all similar comments. If the form asks for it, waiting comments are decided with
    it, as one batch.
    """
    who = acting()
    new = _asked(comment_id)
    with begin() as session:
        comment, site = items.find(session, who, comment_id)
        items.check_may(who, site, "moderator")
        made, settled, batch = make(session, comment.site_id, new, comment, by=who.actor)
        told = {"batch": batch} if batch else {"blocked": made.id}
    for each in settled:
        publish_soon(each)
    return redirect(way_back(item=comment_id, **told), 303)


def _asked(comment_id: str) -> NewBlock:
    form = request.form
    days = form.get("days", "1" if form.get("kind") == "like" else "30")
    if days not in DAYS:
        raise Problem(422, "Choose what to block, and for how long.")
    given = {name: form[name] for name in ("kind", "stance", "value") if name in form}
    try:
        return NewBlock.model_validate(
            {**given, "comment": comment_id, "days": DAYS[days], "others": bool(form.get("others"))}
        )
    except ValidationError as error:
        raise Problem(
            422, " ".join(each["message"] for each in from_validation(error).errors)
        ) from None


@console.post("/blocks/<block_id>/apply")
def apply_block(block_id: str) -> BaseResponse:
    """Decide the waiting comments that a block is about, as one batch."""
    who = acting()
    with begin() as session:
        block = _found(session, who, block_id)
        if not _is_in_force(block):
            raise Problem(409, "This block has ended.")
        settled, batch = apply(session, block, by=who.actor)
    for each in settled:
        publish_soon(each)
    return redirect(way_back(batch=batch), 303)


@console.post("/blocks/<block_id>/end")
def end_block(block_id: str) -> BaseResponse:
    who = acting()
    with begin() as session:
        end(session, _found(session, who, block_id), by=who.by)
    return redirect("/console/blocks", 303)


def _found(session: Session, who: SignedIn, block_id: str) -> Block:
    """Return the block, for a moderator of its site."""
    wanted = select(Block, Site.key).join(Site, Site.id == Block.site_id)
    row = session.execute(wanted.where(Block.id == items.known(block_id))).one_or_none()
    if row is None or row[1] not in who.sites:
        raise Problem(404, "There is no such block.")
    items.check_may(who, row[1], "moderator")
    return row[0]


def _is_in_force(block: Block) -> bool:
    return block.ended_at is None and (block.until is None or block.until > now())


class Offer(NamedTuple):
    """A block that was made just now, and the comments that it can also be applied to."""

    id: str
    did: str
    size: int
    is_with_the_open_one: bool
    has_more: bool


def offered(session: Session, who: SignedIn, item: str) -> Offer | None:
    """Return the block that the address names, with the waiting comments that it could reject."""
    try:
        block = _found(session, who, request.args.get("blocked", ""))
    except Problem:
        return None
    if not _is_in_force(block):
        return None
    ids = {comment.id for comment in covered(session, block)}
    return Offer(block.id, did(block), len(ids), item in ids, len(ids) == MOST_AT_ONCE)
