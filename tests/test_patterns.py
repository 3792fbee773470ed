"""Patterns over strangers' texts use RE2, or are among the few of `re` that cannot be slow.

`re` backtracks, so one comment can keep it busy for minutes. Each pattern that service, worker and
models pass to `re` must be harmless by its shape, which this test proves, or be in `ALLOWED` with
the reason.
"""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from re import _parser
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from bench.fuzz.families import Family, telling
from bench.fuzz.measuring import growth

ROOT = Path(__file__).parents[1]
PACKAGES = ("service", "worker", "models")
SHORT = 64  # characters: trying so few from each place of a text takes limited time
LITTLE = 300  # characters: with so few, even a square is small

REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
ONE_CHARACTER = {"IN", "LITERAL", "NOT_LITERAL", "ANY", "CATEGORY"}


class Allowed(NamedTuple):
    """Why a pattern cannot be slow although its shape does not prove it, and how long a stranger's
    text for it may be; 0 if it gets none.

    A pattern that gets more than `LITTLE` is measured here, too.
    """

    reason: str
    longest: int = 0
    how: str = "finditer"  # the only way in which it is used


# By file and name, or by file and pattern if it has no name.
ALLOWED = {
    ("models/classifier/text.py", "_TOKEN"): Allowed(
        "repeats are possessive, bounded, or take all that is there", 10_000
    ),
    ("models/classifier/text.py", "_TAG"): Allowed(
        "from each < it reads to the next one, at most 2,000 characters", 10_000
    ),
    ("models/classifier/text.py", "_HOST"): Allowed(
        "its repeat ends the pattern", 2000, how="match"
    ),
    ("models/text/folding.py", "_STRAY"): Allowed(
        "a letter and then all marks that are there", 10_000
    ),
    ("models/text/folding.py", "_MAY_CHANGE"): Allowed(
        "its repeat ends the pattern and takes all that is there", 10_000
    ),
    ("models/text/language.py", "_NO_PROSE"): Allowed(
        "only the beginning of a comment is looked at", 250
    ),
    ("models/text/language.py", "_WORD"): Allowed(
        "only the beginning of a comment is looked at", 250
    ),
    ("models/text/disguise.py", "_MIXED"): Allowed(
        "each letter has its own characters that draw nothing", 10_000
    ),
    ("models/text/disguise.py", "_WORD"): Allowed("takes all that is there", 10_000),
    ("models/text/disguise.py", "_UNSEEN"): Allowed("begins only after a letter", 10_000),
    ("models/text/disguise.py", "_FANCY"): Allowed(
        "repeats are possessive, with one blank at most between two letters", 10_000
    ),
    ("models/text/disguise.py", "_SPELLED_OUT"): Allowed(
        "single letters; the repeat is possessive", 10_000
    ),
    ("models/text/disguise.py", "_SIGNED"): Allowed(
        "repeats are possessive, and it begins only at the beginning of a word", 10_000
    ),
    ("models/text/disguise.py", "_FORGOTTEN_SPACE"): Allowed(
        "each pair of letters has its own exclamation marks", 10_000
    ),
    ("models/text/disguise.py", "_MARKED_ROW"): Allowed("each letter has its own marks", 10_000),
    ("models/abuse/training/own.py", "_SLOT"): Allowed("our own sentences"),
    ("models/abuse/training/own.py", "_HEADING"): Allowed("our own sentences"),
    ("models/abuse/training/own.py", "_LIST"): Allowed("our own sentences"),
    ("models/spam/training/disguising.py", "_WORD"): Allowed("our own sentences"),
    ("models/classifier/training/corpus.py", "_SPELLED_LINE_END"): Allowed(
        "labelled rows of a file"
    ),
    ("models/judgement/disguises.py", "_NUMBER"): Allowed(
        "digits and letters are told apart", 10_000, how="fullmatch"
    ),
    ("service/console/texts.py", "_WORDS"): Allowed("takes all that is there", 10_000),
    ("service/readers/notices.py", "_ID"): Allowed("each repeat has a length of its own", 2000),
    ("service/embed/assets.py", r"'\\bWORDS\\.([a-z]+)(?:\\.([a-z_]+)|\\[)'"): Allowed(
        "our own modules"
    ),
    ("service/console/item.py", "_TAG"): Allowed("what begins matches: the > is optional", 10_000),
    ("service/console/coming_back.py", "_ADDRESS"): Allowed(
        "its repeat ends the pattern", 2000, how="fullmatch"
    ),
    ("service/console/view.py", "_NAMED"): Allowed("a filter has at most 200 characters", 200),
    ("service/people/passwords.py", "own"): Allowed("the account's own words, without a repeat"),
    ("service/webhooks/shapes.py", "HEADER_VALUE"): Allowed("an owner's"),
    ("service/http/calls.py", r"'<(?:\\w+:)?(\\w+)>'"): Allowed("our own routes"),
    ("service/http/calls.py", r"'{(\\w+)}'"): Allowed("our own routes"),
    ("models/failpoints.py", "'(a+)+$'"): Allowed("slow on purpose, for a test"),
    ("models/logs.py", "_PUT_IN"): Allowed("messages in source code"),
    ("models/text/look_alikes.py", "_NAME"): Allowed("names of characters"),
    ("models/store/schema.py", "REVISION"): Allowed("our own migrations"),
    ("models/store/search.py", "OWN"): Allowed("names of tables"),
    ("models/settings.py", "'(?:mailto:|https://|tel:)[!-~]+'"): Allowed("an owner's"),
    ("models/store/storage.py", "_FEED_ID"): Allowed("our own feeds"),
}


def test_every_pattern_is_harmless_or_allowed() -> None:
    assert [
        place
        for place, pattern in _patterns()
        if not _is_harmless(pattern) and place not in ALLOWED
    ] == []


def test_the_list_of_allowed_patterns_has_no_unneeded_entry() -> None:
    needed = {place for place, pattern in _patterns() if not _is_harmless(pattern)}
    assert ALLOWED.keys() - needed == set()


@pytest.mark.parametrize(
    "place", [place for place, allowed in ALLOWED.items() if allowed.longest > LITTLE], ids=" ".join
)
def test_the_cost_of_an_allowed_pattern_grows_with_the_text(place: tuple[str, str]) -> None:
    pattern: Any = dict(_patterns())[place]
    use = getattr(pattern, ALLOWED[place].how)
    slow = {
        family.name: found
        for family in (
            *telling()[::3],
            _repeated("1"),
            _repeated("<a "),
            _repeated("a@"),
            _repeated("_"),
            _repeated("a-"),
        )
        if not (
            found := growth(
                lambda text: (
                    deque(use(text) or (), 0) if ALLOWED[place].how == "finditer" else use(text)
                ),
                family.make,
                ALLOWED[place].longest,
                enough=1,
            )
        ).is_bounded
    }
    assert slow == {}


def _repeated(piece: str) -> Family:
    return Family(piece, lambda length: piece * (length // len(piece)))


@pytest.mark.parametrize(
    ("code", "is_fine"),
    [
        ("import re\nA = re.compile('[a-z]+')", True),
        ("import re\nA = re.compile('[ab]{2,9}c')", True),
        ("import re\nA = re.compile('[a-z]+b')", False),
        ("import re\nA = re.compile('(?:a+b?)+')", False),
        ("import re\nA = re.compile('(?:a|a){30}b')", False),
        ("import re\ndef f(x): return re.sub(r'a+b', '', x)", False),
        ("import re\ndef f(x, y): return re.sub(x, '', y)", False),
        ("import re\ndef f(x): return re.compile(x)", False),
        ("import re as r\nA = r.compile('a')", False),
        ("from re import compile\nA = compile('a')", False),
        ("import re\nfrom functools import partial\nA = partial(re.search, 'a+b')", False),
    ],
)
def test_a_new_pattern_is_noticed(code: str, is_fine: bool) -> None:
    module = ModuleType("new")
    exec(code, vars(module))
    found = list(_patterns_in("new.py", ast.parse(code), module))
    assert all(_is_harmless(pattern) for _, pattern in found) is is_fine


def _patterns() -> Iterator[tuple[tuple[str, str], object]]:
    """Yield every pattern that the packages pass to `re`, by its place; None if the source does not
    show it.
    """
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            name = str(file.relative_to(ROOT))
            tree = ast.parse(file.read_text())
            if any(
                isinstance(node, ast.Import | ast.ImportFrom) and "re" in _imported(node)
                for node in ast.walk(tree)
            ):
                module = import_module(
                    name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                )
                yield from _patterns_in(name, tree, module)


def _imported(node: ast.Import | ast.ImportFrom) -> set[str | None]:
    return (
        {node.module} if isinstance(node, ast.ImportFrom) else {alias.name for alias in node.names}
    )


def _patterns_in(
    file: str, tree: ast.AST, module: ModuleType
) -> Iterator[tuple[tuple[str, str], object]]:
    """A compiled pattern has a name in its module. In other calls, the first argument is the
    pattern.
    """
    named = {name: value for name, value in vars(module).items() if isinstance(value, re.Pattern)}
    yield from (((file, name), pattern) for name, pattern in named.items())
    assigned = {
        id(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for node in ast.walk(node.value)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(
            alias.name == "re" and alias.asname for alias in node.names
        ):
            yield (file, "re under another name"), None
        if isinstance(node, ast.ImportFrom) and node.module == "re":
            yield (file, "a part of re"), None
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "re"
        ):
            continue
        if node.attr in {"escape", "Pattern", "Match", "error"} or node.attr.isupper():
            continue
        call = calls.get(id(node))
        if call is None:
            yield (file, ast.unparse(node)), None
        elif node.attr != "compile":
            yield (file, ast.unparse(call.args[0])), _value(call.args[0], module)
        elif id(call) not in assigned:
            yield (file, ast.unparse(call)), None


def _value(node: ast.expr, module: ModuleType) -> object:
    """Return the pattern of a call: a literal, or a constant of the module."""
    if isinstance(node, ast.Name):
        node_value = vars(module).get(node.id)
        return re.compile(node_value) if isinstance(node_value, str) else None
    return re.compile(node.value) if isinstance(node, ast.Constant) else None


def _is_harmless(pattern: object) -> bool:
    """Whether its shape proves that `re` needs limited time at each place of a text: one repeated
    character that takes what it can and is done, or something short that repeats nothing containing
    a repeat or a choice.
    """
    if not isinstance(pattern, re.Pattern):
        return False
    parsed = _parser.parse(pattern.pattern, pattern.flags)
    if len(parsed) == 1 and str(parsed[0][0]) in REPEATS:
        repeated = parsed[0][1][2]
        return len(repeated) == 1 and str(repeated[0][0]) in ONE_CHARACTER
    return parsed.getwidth()[1] <= SHORT and all(
        str(op) not in REPEATS
        or argument[1] == 1
        or not any(_chooses(inner) for inner in _all_of(argument[2]))
        for op, argument in _all_of(parsed)
    )


def _chooses(part: tuple[Any, Any]) -> bool:
    return str(part[0]) in REPEATS or str(part[0]) == "BRANCH"


def _all_of(parsed: Any) -> Iterator[tuple[Any, Any]]:
    for op, argument in parsed:
        yield op, argument
        for inner in _inside(str(op), argument):
            yield from _all_of(inner)


def _inside(op: str, argument: Any) -> list[Any]:
    if op in REPEATS:
        return [argument[2]]
    if op == "SUBPATTERN":
        return [argument[3]]
    if op == "BRANCH":
        return list(argument[1])
    if op in {"ASSERT", "ASSERT_NOT"}:
        return [argument[1]]
    return [argument] if op == "ATOMIC_GROUP" else []
