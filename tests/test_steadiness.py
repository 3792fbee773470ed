"""Habits that make a test fail only sometimes are forbidden here, and their replacements are
tested.
"""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.greenroom import until
from tests.ports import free_port
from tests.processes import descendants, is_running, still_running

TESTS = Path(__file__).parent
CLOCKS = {"monotonic", "perf_counter", "time"}
LIFE_SIGNS = {"pid_exists", "wait_procs", "process_iter", "is_running", "children"}
LEAST_SECONDS = 10
# Names of functions whose value differs each time.
RANDOM = re.compile(r"new_|uuid|token_|urandom|random|now$|time$")


def asks_psutil_itself(node: ast.AST) -> bool:
    """It counts a zombie as alive: use tests/processes.py."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LIFE_SIGNS
    )


def sends_signal_0(node: ast.AST) -> bool:
    """A zombie accepts it: use tests/processes.py."""
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"os.kill", "os.killpg"}
        and ast.unparse(node.args[-1]) == "0"
    )


def waits_for_a_short_time(node: ast.AST) -> bool:
    """A loaded machine may need longer: leave out the seconds of until(). Only a failing test waits
    so long.
    """
    if not (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("until")
        and len(node.args) == 2
    ):
        return False
    seconds = node.args[1]
    return isinstance(seconds, ast.Constant) and seconds.value < LEAST_SECONDS


def asserts_a_time_on_the_clock(node: ast.AST) -> bool:
    """It depends on the machine's speed: measure CPU time, count, or compare with another
    measurement of the test.
    """
    if not isinstance(node, ast.Assert) or not isinstance(node.test, ast.Compare):
        return False
    reads = {
        ast.unparse(call.func).rpartition(".")[2]
        for call in ast.walk(node.test)
        if isinstance(call, ast.Call)
    } & CLOCKS
    bounds = [bound.value for bound in node.test.comparators if isinstance(bound, ast.Constant)]
    return bool(reads) and any(
        isinstance(bound, int | float) and bound < LEAST_SECONDS for bound in bounds
    )


def asks_a_dns_server_hastily(node: ast.AST) -> bool:
    """The test uses the seconds of the service or of the fixture `data`: use the server's `serve`
    or `environment`.
    """
    if isinstance(node, ast.Dict):
        pairs = [
            (ast.unparse(key), value)
            for key, value in zip(node.keys, node.values, strict=True)
            if key
        ]
    elif isinstance(node, ast.Call):
        pairs = [(repr(keyword.arg), keyword.value) for keyword in node.keywords]
        pairs += [(ast.unparse(node.args[0]), node.args[1])] if len(node.args) == 2 else []
    else:
        return False
    return any(
        key == "'GREENROOM_DNS'" and ast.unparse(value).endswith(".address") for key, value in pairs
    )


def names_a_test_by_chance(node: ast.AST) -> bool:
    """Two processes would collect different tests: give a random case an id, or create it inside
    the test.
    """
    if not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.parametrize")):
        return False
    if any(keyword.arg == "ids" for keyword in node.keywords):
        return False
    named = {
        id(inner)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and any(keyword.arg == "id" for keyword in call.keywords)
        for inner in ast.walk(call)
    }
    return any(
        isinstance(call, ast.Call)
        and id(call) not in named
        and RANDOM.match(ast.unparse(call.func).rpartition(".")[2])
        for call in ast.walk(node)
    )


HABITS = [
    asks_psutil_itself,
    sends_signal_0,
    waits_for_a_short_time,
    asserts_a_time_on_the_clock,
    asks_a_dns_server_hastily,
    names_a_test_by_chance,
]
Habit = Callable[[ast.AST], bool]
AT_HOME = {"processes.py": asks_psutil_itself, "dns_server.py": asks_a_dns_server_hastily}


def places(habit: Habit, source: str) -> Iterator[int]:
    return (getattr(node, "lineno", 0) for node in ast.walk(ast.parse(source)) if habit(node))


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
def test_no_test_depends_on_the_machine(habit: Habit) -> None:
    files = [file for file in TESTS.rglob("*.py") if AT_HOME.get(file.name) is not habit]
    found = [
        f"{file.relative_to(TESTS)}:{line}"
        for file in files
        for line in places(habit, file.read_text("utf-8"))
    ]
    assert not found, habit.__doc__


@pytest.mark.parametrize(
    ("habit", "source"),
    [
        (names_a_test_by_chance, "pytest.mark.parametrize('whom', ['x', new_id()])"),
        (names_a_test_by_chance, "pytest.mark.parametrize('key', [pytest.param(uuid.uuid4())])"),
        (asks_psutil_itself, "assert not psutil.pid_exists(pid)"),
        (asks_psutil_itself, "until(lambda: not process.is_running())"),
        (asks_psutil_itself, "family = psutil.Process(pid).children(recursive=True)"),
        (sends_signal_0, "os.kill(pid, 0)"),
        (waits_for_a_short_time, "until(lambda: is_there(), 2)"),
        (asserts_a_time_on_the_clock, "assert time.monotonic() - began < 0.5"),
        (asserts_a_time_on_the_clock, "assert perf_counter() - began <= 2"),
        (asks_a_dns_server_hastily, "monkeypatch.setenv('GREENROOM_DNS', dns.address)"),
        (asks_a_dns_server_hastily, "running(folder, GREENROOM_DNS=dns.address)"),
        (asks_a_dns_server_hastily, "environment = {'GREENROOM_DNS': dns.address}"),
    ],
)
def test_each_habit_is_noticed(habit: Habit, source: str) -> None:
    assert list(places(habit, source)) == [1]


def test_a_zombie_does_not_run() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        handle = psutil.Process(process.pid)
        assert is_running(process.pid)
        assert still_running([handle]) == [handle]
        assert handle in descendants(os.getpid())
        process.send_signal(signal.SIGKILL)
        until(lambda: not is_running(handle))  # its parent has not waited for it
        assert handle.status() == psutil.STATUS_ZOMBIE
        assert not still_running([handle])
        assert handle not in descendants(os.getpid())
    assert not is_running(process.pid)


def test_a_free_port_is_given_to_one_process_only() -> None:
    ports = [free_port() for _ in range(20)]
    another = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from tests import ports; print(*[p for p in {ports} if ports._is_claimed(p)])",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=TESTS.parent,
    )
    assert len(set(ports)) == 20
    assert another.stdout.strip() == ""
