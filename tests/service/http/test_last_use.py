"""A last use is recorded after the answer, and seldom."""

from __future__ import annotations

from datetime import datetime, timedelta

import time_machine
from flask import Flask
from sqlalchemy import Update, select, update

from models.records import Site
from models.store.database import now, reading
from service.http.last_use import LastUse


def noted() -> datetime | None:
    with reading() as session:
        return session.scalars(select(Site.learned_at)).one()


def learned(at: datetime) -> Update:
    return update(Site).values(learned_at=at)


def test_a_use_is_noted_after_the_answer_and_not_again_for_a_while(data: object) -> None:
    app, uses = Flask("last use"), LastUse(timedelta(minutes=5))

    @app.get("/")
    def use() -> str:
        uses.note("x", noted(), learned)
        return str(noted())

    with time_machine.travel(now(), tick=False) as clock:
        with app.test_client().get("/") as answer:
            assert answer.text == "None"
        first = noted()
        assert first == now()
        clock.shift(60)
        app.test_client().get("/").close()
        assert noted() == first
        clock.shift(300)
        app.test_client().get("/").close()
        assert noted() == now()


def test_a_note_that_fails_does_not_spoil_the_answer(data: object) -> None:
    app, uses = Flask("last use"), LastUse(timedelta(minutes=5))

    @app.get("/")
    def use() -> str:
        uses.note("x", None, lambda at: update(Site).values(key=None))
        return "fine"

    with app.test_client().get("/") as answer:
        assert answer.text == "fine"
    assert noted() is None
