"""Logs: JSON lines with fields that are known to be harmless, never an IP address, an email address
or text that a person wrote.
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
        # What happened, and where in the program.
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
        # What it happened to: identifiers, and the key of a site.
        *("comment", "thread", "site"),
        # How it ended, and how large it was.
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
TAKEN_OVER = ("_granian", "granian.access")  # these bring handlers of their own
OURS = str(Path(__file__).parents[1])
_PUT_IN = re.compile(r"%(\(\w+\))?[-#0 +]*[\d.*]*[a-zA-Z]")
# Celery's own messages of so few words that only their parameters mean anything.
_MEANT = {
    "consumer: Cannot connect to %s: %s.": "broker.away",
    "%s (%r)": "broker.away",
    "Task %(name)s[%(id)s] %(description)s: %(exc)s": "task.failed",
}


def configure_logs(least: str = "") -> None:
    """Configure logging, once per process, at its start. `least` overrides the level of the
    settings.
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
    """A stream that drops a line it cannot write: on a full disk, logging must not fail the work
    that it logs.
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
    """Writes what libraries log in our form. It leaves out the parameters of a message, because
    they may contain anything.
    """

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        error = record.exc_info[1] if record.exc_info else None
        said = str(record.msg).strip().partition("\n")[0][:200]
        meant = _MEANT.get(said) if record.name.startswith("celery") else None
        told = {"logger": record.name, "exc_info": error} | _why(record)
        log.log(max(record.levelno, logging.WARNING), meant or _PUT_IN.sub("…", said), **told)


def _why(record: logging.LogRecord) -> dict[str, str]:
    """Explain an error that was a parameter of a message."""
    put_in = record.args if isinstance(record.args, tuple) else ()
    words = filter(None, (in_words(error) for error in put_in if isinstance(error, BaseException)))
    return {"reason": word} if (word := next(words, None)) else {}


def _thread_died(about: threading.ExceptHookArgs) -> None:
    name = about.thread.name if about.thread else None
    structlog.get_logger().error("thread.died", part=name, exc_info=about.exc_value)


def _only_where(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """Replace an exception by its type, its place, and an explanation if a store was the cause. Its
    own message may quote text that a reader typed.
    """
    error = entry.pop("exc_info", None)
    if isinstance(error, BaseException):
        entry["error"] = type(error).__name__
        if words := in_words(error):
            entry.setdefault("reason", words)
        entry["exception"] = _frames(error)
    return entry


def _frames(error: BaseException) -> list[str]:
    """Return the frames in our code and the last one; the library's own frames say little. Return
    all frames if none is ours.
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
