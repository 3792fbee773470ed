"""Everyone who decides has a name that other moderators know."""

from __future__ import annotations

from sqlalchemy import select

from models.identifiers import new_id
from models.records import Moderator
from models.store.database import begin, reading
from service.people import accounts, api_keys
from service.people.names import actors_of, names_of


def test_everyone_in_a_log_has_a_name(data: object) -> None:
    accounts.add_moderator("ann@paper.example", "demo", "owner", "correct horse battery")
    with begin() as session:
        site = api_keys.site_id_of(session, "demo")
        named, unnamed = (
            api_keys.create(session, site, api_keys.NewKey(("read",), name), by="moderator:x")
            for name in ("CMS", "")
        )
    with reading() as session:
        ann = f"moderator:{session.scalars(select(Moderator.id)).one()}"
        gone = f"moderator:{new_id()}"
        bys = [ann, gone, "policy", "key:abc", "lost keys", "moderator:x", ann]
        bys += [f"key:{made.row.id}" for made in (named, unnamed)]
        names = names_of(session, bys)
        actors = actors_of(session, bys)
    assert names == {
        ann: "ann@paper.example",
        gone: "a former moderator",
        "policy": "Greenroom",
        "key:abc": "a program",
        f"key:{unnamed.row.id}": "a program",
        f"key:{named.row.id}": "CMS",
        "lost keys": "lost keys",
        "moderator:x": "a former moderator",
    }
    id_of_ann, id_of_gone = (by.removeprefix("moderator:") for by in (ann, gone))
    assert actors[ann] == {"type": "moderator", "id": id_of_ann, "name": "ann@paper.example"}
    assert actors[gone] == {"type": "moderator", "id": id_of_gone, "name": None}
    assert actors["policy"] == {"type": "policy", "id": None, "name": "Greenroom"}
    assert actors[f"key:{named.row.id}"] == {"type": "key", "id": named.row.id, "name": "CMS"}
    assert actors["lost keys"] is actors["moderator:x"] is None


def test_nobody_needs_no_query(data: object) -> None:
    with reading() as session:
        assert names_of(session, []) == {}
