"""`/health/…`: whether this process lives, whether it can serve, and whether all parts work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Literal

from flask import Response
from pydantic import Field
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.judgement.scores import SCORES
from models.records import Heartbeat
from models.settings import settings
from models.store import storage
from models.store.database import begin, insert_new, now, reading
from models.store.faults import in_words
from service.http.calls import Noun
from service.http.requests import Query
from service.http.responses import json_response
from service.sites import lookup

SILENT_SECONDS = 30  # a worker sends a heartbeat with every sweep

api = Noun("health", "Operations", "Whether this Greenroom works, and its metrics.")


class Alive(TypedDict):
    """This process is running."""

    status: Literal["ok"]


class Health(TypedDict):
    """`parts` has `ok` or an error for each part. `failing` lists the parts that fail."""

    status: Literal["ok", "failing"]
    failing: list[str]
    parts: Annotated[dict[str, str], Field(examples=[{"storage": "ok", "sites": "ok"}])]


class ReadyQuery(Query):
    """What the process must be ready for. `writing` also asks the database."""

    wish: Annotated[Literal["reading", "writing"], Field(alias="for")] = "reading"


@api.call(
    "GET", "/health/live", summary="Check that this process lives", says="The process is running."
)
def check_life() -> Alive:
    """Answer 200 while the web process runs, whatever the state of other parts."""
    return {"status": "ok"}


@api.call(
    "GET",
    "/health/ready",
    summary="Check that this process can serve",
    says="It can serve readers.",
    answers={503: "It cannot serve readers. `failing` lists the parts that do not work."},
    answer=Health,
)
def check_readiness(query: ReadyQuery) -> Response:
    """Check that this web process can serve readers: the storage responds, and the process knows
    the sites. It reads the sites from the database once, so it stays ready if the database fails
    later. `?for=writing` also checks that it can accept comments.
    """
    parts: dict[str, Callable[[], str | None]] = {"storage": _readable, "sites": lookup.learn_all}
    return _answer(parts | {"database": _database} if query.wish == "writing" else parts)


@api.call(
    "GET",
    "/health/system",
    summary="Check that all parts work",
    says="All parts work.",
    answers={503: "Some parts do not work. `failing` lists them."},
    answer=Health,
)
def check_system() -> Response:
    """Check the database, the broker, the workers, the storage and the base models."""
    return _answer(
        {
            "database": _writable,
            "broker": _broker,
            "workers": _workers,
            "storage": _storage,
            "model": _model,
        }
    )


def parts_down() -> set[str]:
    """Return the failing parts other than the database; without the database, nobody could
    report them.
    """
    parts = {"broker": _broker, "workers": _workers, "storage": _storage, "model": _model}
    return {name for name, check in parts.items() if _try(check)}


def _answer(parts: dict[str, Callable[[], str | None]]) -> Response:
    """Each part's check returns None if all is well, otherwise what is wrong."""
    found = {name: _try(check) for name, check in parts.items()}
    broken = [name for name, wrong in found.items() if wrong]
    told = {name: wrong or "ok" for name, wrong in found.items()}
    body = {"status": "failing" if broken else "ok", "failing": broken, "parts": told}
    return json_response(body, 503 if broken else 200, {"Cache-Control": "no-store"})


def _try(check: Callable[[], str | None]) -> str | None:
    try:
        return check()
    except Exception as error:  # whatever error a part raises, that part is the one that fails
        return in_words(error) or f"does not respond ({type(error).__name__})"


def _database() -> None:
    with reading() as session:
        _ask(session)


def _ask(session: Session) -> None:
    session.execute(text("SELECT 1 FROM sites LIMIT 1"))


def _writable() -> None:
    """Write a row and roll it back, because a database with a full disk, or a standby, still
    answers queries.
    """
    with begin(synced=False) as session:
        session.connection().execute(insert_new(Heartbeat), {"name": "health", "at": now()})
        session.execute(delete(Heartbeat).where(Heartbeat.name == "health"))
        _ask(session)


def _broker() -> str | None:
    # Celery is loaded only by processes that ring, not by each health check
    from worker.bell import trouble  # noqa: PLC0415

    return trouble()


def _workers() -> str | None:
    recent = select(Heartbeat.name).where(
        Heartbeat.at > now() - timedelta(seconds=silent_seconds())
    )
    with reading() as session:
        return None if session.execute(recent).first() else "no worker is running"


def silent_seconds() -> float:
    """Return how long a working worker may be silent."""
    return max(SILENT_SECONDS, 3 * settings().sweep_seconds)


def _readable() -> None:
    storage.get("health")


def _storage() -> None:
    storage.put("health", now().isoformat().encode(), "text/plain")


def _model() -> str | None:
    """Check that the base models can be loaded; this process itself never loads them."""
    from models.classifier.file import model_path  # noqa: PLC0415

    missing = [score for score in SCORES if not model_path(score).is_file()]
    return f"the {missing[0]} model's file is missing" if missing else None
