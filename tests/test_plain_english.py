"""Sentences that users and integrators read contain none of the phrases that this project has
dropped. Say who does what instead ("English" in CONTRIBUTING.md).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
DROPPED = re.compile(
    r"\b(whoever|so many|none is|nothing is known|knows nothing|as it comes|anew|for good(?! comments)"
    r"|(is|are|was|were) (said|told)|becomes of|came of it|no more what|throw-away|a blank)\b",
    re.IGNORECASE,
)


def shown_texts(file: Path) -> Iterator[tuple[int, str]]:
    """Each text in the file that may be shown, with its line."""
    content = file.read_text("utf-8")
    if file.suffix == ".py":
        yield from constants(ast.parse(content))
    elif file.suffix == ".json":
        yield from ((1, text) for text in leaves(json.loads(content)))
    else:
        visible = re.sub(r"{#.*?#}", "", content, flags=re.DOTALL)
        yield from enumerate(visible.splitlines(), 1)


def constants(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every string but docstrings: only those of commands are shown."""
    statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or node in statements:
            continue
        if isinstance(node.value, str):
            yield node.lineno, node.value


def leaves(words: Any) -> Iterator[str]:
    for value in words.values():
        if isinstance(value, dict):
            yield from leaves(value)
        else:
            yield value


def files() -> Iterator[Path]:
    for package in ("service", "worker", "models"):
        yield from (ROOT / package).rglob("*.py")
    yield from (ROOT / "service").rglob("templates/**/*.html")
    yield ROOT / "models/locales/en.json"


IS_NO_TEXT_OF_OURS = {"demo.html"}  # the article on the demo page has its own voice


def test_no_shown_text_has_a_phrase_that_was_dropped() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}: {text.strip()[:200]}"
        for file in files()
        if file.name not in IS_NO_TEXT_OF_OURS
        for line, text in shown_texts(file)
        if DROPPED.search(text)
    ]
    assert found == []
