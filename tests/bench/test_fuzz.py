"""A short part of `make fuzz`: no text of legal length costs much, and no cost grows faster than
the text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.fuzz import readers, screening
from bench.fuzz.families import Family, families, telling
from bench.fuzz.measuring import Growth, growth

ROOT = Path(__file__).parents[2]

# Files that read strangers' texts. bench/fuzz/readers.py must list every public function in them
# that takes such a text.
READING = (
    *(
        "models/text/disguise.py",
        "models/text/email.py",
        "models/text/folding.py",
        "models/text/language.py",
        "models/text/markdown.py",
        "models/store/search.py",
    ),
    *(
        "models/text/cleaning.py",
        "models/text/urls.py",
        "models/classifier/explanation.py",
        "models/classifier/features.py",
        "models/classifier/place.py",
    ),
    *(
        "models/classifier/text.py",
        "service/moderation/campaigns.py",
        "service/comments/submission.py",
        "service/http/form_tokens.py",
        "worker/webhooks/chats.py",
    ),
    *("worker/publishing/feeds.py", "service/console/item.py", "models/classifier/place.py"),
    *("models/judgement/words.py", "models/judgement/form.py", "models/judgement/disguises.py"),
    "models/judgement/language.py",
    *("worker/screening/__init__.py", "worker/screening/examination.py"),
    *(str(file.relative_to(ROOT)) for file in sorted((ROOT / "worker/checks").glob("*.py"))),
)
TEXTS = {
    "text",
    "body",
    "original",
    "originals",
    "texts",
    "html",
    "rendered",
    "url",
    "address",
    "address_",
    "website",
}
TEXTS |= {
    "token",
    "value",
    "words",
    "comment",
    "batch",
    "folded",
    "chunk",
    "fields",
    "word",
    "host",
    "label",
}
# Functions that take no stranger's text, although their parameters look like it.
NO_STRANGERS = {
    "service.console.item.item": "takes an id",
    "models.judgement.words.problems": "reads the owner's lists",
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # needed only for the keys
def test_no_cost_grows_faster_than_the_text(data: Path) -> None:
    readers.warm()
    slow = [
        f"{reader.name}, {family.name}: {found}"
        for reader in readers.READERS
        for family in _some_of(reader)
        if not (found := growth(reader.read, family.make, reader.longest, enough=1)).is_bounded
    ]
    assert slow == []


def _some_of(reader: readers.Reader) -> Iterator[Family]:
    """Yield a different few for each reader, so that all families have their turn and the test
    takes seconds.
    """
    some = telling()
    start = readers.READERS.index(reader)
    yield from (some[(start * 5 + n) % len(some)] for n in range(5))


@pytest.mark.parametrize(
    "database_url", ["sqlite"], indirect=True
)  # the database's own work is the same for every text
def test_no_comment_of_legal_length_costs_much(data: Path) -> None:
    screening.prepare()
    readers.warm()
    screening.screen(screening.ORDINARY)
    costs = {family.name: screening.cost(family.make(readers.BODY)) for family in telling()}
    assert {name: cost for name, cost in costs.items() if cost.ratio > screening.MOST} == {}


@pytest.mark.parametrize("length", [0, 1, 10, 1000, 10_000])
def test_no_family_is_longer_than_asked_for(length: int) -> None:
    assert [
        family.name for family in families(mixed=20) if len(family.make(length)) > max(length, 1)
    ] == []


def test_growth_distinguishes_a_square_from_a_line() -> None:
    def square(text: str) -> None:
        for at in range(len(text)):
            for _ in text[at:]:
                pass

    letters = "a".__mul__
    assert growth(lambda text: text.split("a"), letters, 10_000).is_bounded
    assert not growth(square, letters, 4_000).is_bounded
    assert Growth(1.0, 4.5, 10_000).is_bounded
    assert not Growth(1.0, 16.0, 10_000).is_bounded


def test_every_check_and_every_reader_of_texts_is_measured() -> None:
    missing = [name for file in READING for name in _readers_in(file) if name not in _measured()]
    assert missing == [], "add a line to bench/fuzz/readers.py"


def test_every_function_in_the_list_exists() -> None:
    there = {name for file in (*READING, "service/api/public.py") for name in _functions_of(file)}
    assert there >= _measured()


def _measured() -> set[str]:
    named = {name for reader in readers.READERS for name in reader.reads}
    return {*named, *screening.READS, *NO_STRANGERS}


def _functions_of(file: str) -> dict[str, ast.AST]:
    module = file.removesuffix(".py").replace("/", ".")
    body = ast.parse((ROOT / file).read_text()).body
    return {
        f"{module}.{node.name}": node
        for node in body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def _readers_in(file: str) -> Iterator[str]:
    """Return the file's public functions that may take a stranger's text."""
    for name, node in _functions_of(file).items():
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            arguments = [*node.args.args, *node.args.kwonlyargs]
            if any(argument.arg in TEXTS for argument in arguments):
                yield name
