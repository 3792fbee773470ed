"""Logs are JSON lines of fields that are known to be harmless: never an address, an email or what anyone wrote."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from models.settings import settings

ALLOWED = frozenset(
    {
        *("event", "level", "timestamp", "logger", "exception", "error"),
        *(
            "comment",
            "comments",
            "thread",
            "threads",
            "site",
            "task",
            "check",
            "count",
            "ms",
            "path",
            "part",
            "attempt",
        ),
        *("status", "verdict", "revision", "waited", "version", "reason"),
    }
)


def configure_logs() -> None:
    """Once a process, at its start."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_where,
            _allowed,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings().log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _only_where(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of an exception its type and where it arose: its message may quote what a reader typed."""
    error = entry.pop("exc_info", None)
    if isinstance(error, BaseException):
        entry["error"] = type(error).__name__
        entry["exception"] = _frames(error)
    return entry


def _frames(error: BaseException) -> list[str]:
    frames, trace = [], error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-12:]


def _allowed(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in entry.items() if name in ALLOWED}
