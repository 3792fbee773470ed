"""Logs are JSON lines of fields that are known to be harmless: never an address, an email or what anyone wrote."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import MutableMapping
from typing import Any

import structlog

from models.settings import settings

ALLOWED = frozenset(
    {
        # what happened, and where in the program
        *("event", "level", "timestamp", "logger", "exception", "error", "task", "part", "path", "check"),
        # to what: identifiers, and the key of a site
        *("comment", "thread", "site"),
        # how it ended, and how much of it there was
        *("status", "verdict", "reason", "revision", "version", "attempt", "count", "comments", "threads"),
        *("ms", "waited"),
    }
)
TAKEN_OVER = ("_granian", "granian.access")  # they come with handlers of their own


def configure_logs(least: str = "") -> None:
    """Once a process, at its start. `least` is the level to begin at, where it is not the settings' one."""
    level = getattr(logging, (least or settings().log_level).upper())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_where,
            _allowed,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    if not any(isinstance(handler, _Others) for handler in logging.root.handlers):
        logging.root.addHandler(_Others(max(level, logging.WARNING)))
    for name in TAKEN_OVER:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _thread_died


class _Others(logging.Handler):
    """What libraries log, in our form. A message is told without what was put into it: that may be anything."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        error = record.exc_info[1] if record.exc_info else None
        said = str(record.msg).strip().partition("\n")[0][:200]
        log.log(max(record.levelno, logging.WARNING), said, logger=record.name, exc_info=error)


def _thread_died(about: threading.ExceptHookArgs) -> None:
    name = about.thread.name if about.thread else None
    structlog.get_logger().error("thread.died", part=name, exc_info=about.exc_value)


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
