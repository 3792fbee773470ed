"""Whoever decides has a name that other moderators know."""

from __future__ import annotations

from sqlalchemy import select

from models.identifiers import new_id
from models.records import Moderator
from models.store.database import reading
from service.people import accounts
from service.people.names import names_of


def test_everyone_in_a_log_has_a_name(data: object) -> None:
    accounts.add_moderator("ann@paper.example", "demo", "owner", "correct horse battery")
    with reading() as session:
        ann = f"moderator:{session.scalars(select(Moderator.id)).one()}"
        gone = f"moderator:{new_id()}"
        names = names_of(session, [ann, gone, "policy", "key:abc", "lost keys", "moderator:x", ann])
    assert names == {
        ann: "ann@paper.example",
        gone: "someone who left",
        "policy": "Greenroom",
        "key:abc": "a program",
        "lost keys": "lost keys",
        "moderator:x": "someone who left",
    }


def test_nobody_needs_no_query(data: object) -> None:
    with reading() as session:
        assert names_of(session, []) == {}
