"""Logs are JSON lines of fields that are known to be harmless: never an address, an email or what
anyone wrote.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import threading
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from models.settings import settings
from models.store.faults import in_words

ALLOWED = frozenset(
    {
        # what happened, and where in the program
        *(
            "event",
            "level",
            "timestamp",
            "logger",
            "exception",
            "error",
            "task",
            "part",
            "path",
            "check",
        ),
        # to what: identifiers, and the key of a site
        *("comment", "thread", "site"),
        # how it ended, and how much of it there was
        *(
            "status",
            "verdict",
            "reason",
            "revision",
            "version",
            "attempt",
            "count",
            "comments",
            "threads",
        ),
        *("ms", "waited"),
    }
)
TAKEN_OVER = ("_granian", "granian.access")  # they come with handlers of their own
OURS = str(Path(__file__).parents[1])
_PUT_IN = re.compile(r"%(\(\w+\))?[-#0 +]*[\d.*]*[a-zA-Z]")
# What Celery says in so few words of its own that nothing is left of them without what was put in.
_MEANT = {
    "consumer: Cannot connect to %s: %s.": "broker.away",
    "%s (%r)": "broker.away",
    "Task %(name)s[%(id)s] %(description)s: %(exc)s": "task.failed",
}


def configure_logs(least: str = "") -> None:
    """Once a process, at its start. `least` is the level to begin at, where it is not the settings'
    one.
    """
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
        logger_factory=structlog.PrintLoggerFactory(_Steady(sys.stderr)),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    if not any(isinstance(handler, _Others) for handler in logging.root.handlers):
        logging.root.addHandler(_Others(max(level, logging.WARNING)))
    for name in TAKEN_OVER:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _thread_died


class _Steady:
    """A stream where a line that cannot be written is lost: a full disk must not fail what is
    logged.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


class _Others(logging.Handler):
    """What libraries log, in our form. A message is told without what was put into it: that may be
    anything.
    """

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        error = record.exc_info[1] if record.exc_info else None
        said = str(record.msg).strip().partition("\n")[0][:200]
        meant = _MEANT.get(said) if record.name.startswith("celery") else None
        told = {"logger": record.name, "exc_info": error} | _why(record)
        log.log(max(record.levelno, logging.WARNING), meant or _PUT_IN.sub("…", said), **told)


def _why(record: logging.LogRecord) -> dict[str, str]:
    """Of an error that was put into a message, what it means."""
    put_in = record.args if isinstance(record.args, tuple) else ()
    words = filter(None, (in_words(error) for error in put_in if isinstance(error, BaseException)))
    return {"reason": word} if (word := next(words, None)) else {}


def _thread_died(about: threading.ExceptHookArgs) -> None:
    name = about.thread.name if about.thread else None
    structlog.get_logger().error("thread.died", part=name, exc_info=about.exc_value)


def _only_where(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """Of an exception its type, where it arose, and what it means if a store was the cause: its own
    message may quote what a reader typed.
    """
    error = entry.pop("exc_info", None)
    if isinstance(error, BaseException):
        entry["error"] = type(error).__name__
        if words := in_words(error):
            entry.setdefault("reason", words)
        entry["exception"] = _frames(error)
    return entry


def _frames(error: BaseException) -> list[str]:
    """Those in code of ours and the last: a library's own way to it says nothing. All, where none
    is ours.
    """
    frames, ours, trace = [], [], error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        if code.co_filename.startswith(OURS) and "site-packages" not in code.co_filename:
            ours.append(frames[-1])
        trace = trace.tb_next
    if ours and ours[-1] != frames[-1]:
        ours.append(frames[-1])
    return (ours or frames)[-12:]


def _allowed(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    return {name: value for name, value in entry.items() if name in ALLOWED}
