"""The log is JSON with fields that are known to be harmless, whoever writes it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SECRETS = ("ann@example.org", "203.0.113.9", "what Ann wrote")

# Each is a line that the program, a library or a mistake could log.
SAID = {
    "a field nobody allowed": (
        "log.info('accepted', comment='0190', email='ann@example.org', body='what Ann wrote')"
    ),
    "an error that quotes": """
try:
    raise ValueError('what Ann wrote, from 203.0.113.9')
except ValueError as error:
    log.exception('broke', exc_info=error)""",
    "a library's message with arguments": (
        "logging.getLogger('urllib3').warning('to %s from %s', 'ann@example.org', 1)"
    ),
    "a library's error": """
try:
    {}['ann@example.org']
except KeyError:
    logging.getLogger('celery').exception('Task failed: %r', 'what Ann wrote')""",
    "a thread that died": """
def work():
    raise RuntimeError('what Ann wrote')
thread = threading.Thread(target=work, name='bell'); thread.start(); thread.join()""",
}


@pytest.fixture(scope="module")
def lines() -> dict[str, list[dict[str, object]]]:
    """The log of a process that does all of this, by what it does."""
    begin = "import logging, threading, structlog\nfrom models.logs import configure_logs\n"
    begin += "configure_logs(); log = structlog.get_logger()\n"
    told: dict[str, list[dict[str, object]]] = {}
    for name, code in SAID.items():
        done = subprocess.run(
            [sys.executable, "-c", begin + code], capture_output=True, text=True, check=True
        )
        assert not any(secret in done.stderr + done.stdout for secret in SECRETS), done.stderr
        told[name] = [json.loads(line) for line in done.stderr.splitlines()]
    return told


@pytest.mark.parametrize("name", SAID)
def test_it_is_one_line_with_its_time_and_level(
    lines: dict[str, list[dict[str, object]]], name: str
) -> None:
    [line] = lines[name]
    assert str(line["timestamp"]).endswith("Z")
    assert line["level"] in {"info", "warning", "error"}
    assert line["event"]


def test_only_known_fields_are_logged(lines: dict[str, list[dict[str, object]]]) -> None:
    assert lines["a field nobody allowed"][0].keys() == {"comment", "event", "level", "timestamp"}


def test_of_an_error_it_tells_the_type_and_the_place(
    lines: dict[str, list[dict[str, object]]],
) -> None:
    assert lines["an error that quotes"][0]["error"] == "ValueError"
    assert lines["an error that quotes"][0]["exception"] == ["<string>:6 <module>"]
    assert (lines["a library's error"][0]["error"], lines["a library's error"][0]["logger"]) == (
        "KeyError",
        "celery",
    )
    assert (lines["a thread that died"][0]["error"], lines["a thread that died"][0]["part"]) == (
        "RuntimeError",
        "bell",
    )


def test_a_librarys_message_is_logged_without_its_parameters(
    lines: dict[str, list[dict[str, object]]],
) -> None:
    assert lines["a library's message with arguments"][0]["event"] == "to … from …"
