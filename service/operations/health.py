"""`/health/…`: whether this process lives, whether it can serve, and whether all parts work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from models.records import Heartbeat
from models.settings import settings
from models.store import storage
from models.store.database import begin, insert_new, now, reading
from models.store.faults import in_words
from service.api.public import json_response
from service.http.problems import Problem
from service.sites import lookup

SILENT_SECONDS = 30  # a worker says it is alive with every sweep

api = Blueprint("health", __name__)


@api.get("/health/live")
def live() -> Response:
    return json_response({"status": "ok"})


@api.get("/health/ready")
def ready() -> Response:
    """Whether this web process can serve readers: storage answers, and it knows the sites.

    It learns the sites from the database once. So a process that starts while the database is away
    is not ready, and one that loses the database later stays ready. `?for=writing` asks whether it
    can take comments too.
    """
    wish = request.args.get("for", "reading")
    if wish not in {"reading", "writing"}:
        message = "Ask for reading or writing."
        raise Problem(422, message, errors=[{"field": "for", "message": message}])
    parts: dict[str, Callable[[], str | None]] = {"storage": _readable, "sites": lookup.learn_all}
    return _answer(parts | {"database": _database} if wish == "writing" else parts)


@api.get("/health/system")
def system() -> Response:
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
    """Those beside the database that do not work: without that one there would be nobody to tell."""
    parts = {"broker": _broker, "workers": _workers, "storage": _storage, "model": _model}
    return {name for name, check in parts.items() if _try(check)}


def _answer(parts: dict[str, Callable[[], str | None]]) -> Response:
    """Each part's check answers None when all is well, else what is wrong in words."""
    found: dict[str, Any] = {name: _try(check) for name, check in parts.items()}
    broken = [name for name, wrong in found.items() if wrong]
    told = {name: wrong or "ok" for name, wrong in found.items()}
    body = {"status": "failing" if broken else "ok", "failing": broken, "parts": told}
    return json_response(body, 503 if broken else 200, {"Cache-Control": "no-store"})


def _try(check: Callable[[], str | None]) -> str | None:
    try:
        return check()
    except Exception as error:  # whatever a part throws, it is that part that does not work
        return in_words(error) or f"does not answer ({type(error).__name__})"


def _database() -> None:
    with reading() as session:
        _ask(session)


def _ask(session: Session) -> None:
    session.execute(text("SELECT 1 FROM sites LIMIT 1"))


def _writable() -> None:
    """A row that goes as it came, for a database with a full disk, or a standby, still answers
    questions.
    """
    with begin(synced=False) as session:
        session.connection().execute(insert_new(Heartbeat), {"name": "health", "at": now()})
        session.execute(delete(Heartbeat).where(Heartbeat.name == "health"))
        _ask(session)


def _broker() -> str | None:
    # Celery is loaded by whoever rings, not by each health check
    from worker.bell import trouble  # noqa: PLC0415

    return trouble()


def _workers() -> str | None:
    recent = select(Heartbeat.name).where(
        Heartbeat.at > now() - timedelta(seconds=silent_seconds())
    )
    with reading() as session:
        return None if session.execute(recent).first() else "no worker gave a sign of life"


def silent_seconds() -> float:
    """How long a worker that works may be silent."""
    return max(SILENT_SECONDS, 3 * settings().sweep_seconds)


def _readable() -> None:
    storage.get("health")


def _storage() -> None:
    storage.put("health", now().isoformat().encode(), "text/plain")


def _model() -> str | None:
    """The base model is there to be loaded; this process itself never loads it."""
    from models.spam.file import model_path  # noqa: PLC0415

    return None if model_path().is_file() else "the spam model's file is missing"
