"""Our own labelled sentences, made from the templates in `own.txt`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from random import Random

from models.classifier.training.corpus import Row

PATH = Path(__file__).with_name("own.txt")
MOST = 100  # sentences of one template; more would only repeat its words
_SLOT = re.compile(r"\{([^{}]*)\}")
_HEADING = re.compile(r"\[(toxic|ok)((?: \w+)*)\]")
_LIST = re.compile(r"(\w+): (.+)")
_MANY_TRIES = 3 * MOST


class BadTemplate(ValueError):
    """Raised for a line of the templates that cannot be read. The message names it."""


def read(path: Path = PATH) -> list[Row]:
    """Return the sentences of all templates. The same templates always give the same sentences."""
    return list(_rows(path.read_text(encoding="utf-8").splitlines()))


def _rows(lines: list[str]) -> Iterator[Row]:
    language, is_toxic, kinds = "", False, frozenset[str]()
    lists: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if line.startswith("## "):
            language, lists = line[3:].strip(), {}
        elif not line or line.startswith("#"):
            continue
        elif heading := _HEADING.fullmatch(line):
            is_toxic, kinds = heading[1] == "toxic", frozenset(heading[2].split())
        elif named := _LIST.fullmatch(line):
            lists[named[1]] = named[2]
        elif not language:
            raise BadTemplate(f"line {number} stands before the first language: {line!r}")
        else:
            for text in sentences(line, lists):
                yield Row(text, is_toxic, f"{language} {line}", language, "own", kinds=kinds)


def sentences(template: str, lists: Mapping[str, str]) -> list[str]:
    """Return up to `MOST` different sentences of a template, each choice drawn at random."""
    drawn = Random(template)  # noqa: S311 — the seed makes the sentences repeatable
    found: dict[str, None] = {}
    for tried in count():
        if tried == _MANY_TRIES or len(found) == MOST:
            break
        found[_filled(template, lists, drawn)] = None
    return list(found)


def _filled(template: str, lists: Mapping[str, str], drawn: Random) -> str:
    """Replace the innermost choices until none is left."""

    def choice(slot: re.Match[str]) -> str:
        return drawn.choice(lists.get(slot[1], slot[1]).split("|"))

    while (filled := _SLOT.sub(choice, template)) != template:
        template = filled
    return " ".join(template.split())
