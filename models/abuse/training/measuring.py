"""What the abuse model finds and what it costs, as tables for the card and the command line."""

from __future__ import annotations

import csv
import platform
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.abuse.training.sources import family
from models.abuse.training.training import (
    NEWS,
    OWN,
    REPORTED,
    STRENGTHS,
    TWEETS,
    Each,
    matrix_of,
    part,
)
from models.classifier.model import Floats, LinearModel
from models.classifier.training.base_model import Flags, balance, fit
from models.classifier.training.corpus import Row, deduplicated, normalised
from models.classifier.training.cost import cost
from models.classifier.training.evaluation import Calibration, Judged, calibration
from models.classifier.training.figures import figures

_FEWEST = 20
_DRAWN = ("en", "de", "pt", "ko")


class Table(NamedTuple):
    """A table of the card. `note` says what was measured on what."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float | None, ...], ...]


class Measured(NamedTuple):
    """All tables, and the scores behind the drawing: of all reported rows, and by language."""

    day: str
    software: str
    tables: tuple[Table, ...]
    calibration: Calibration
    judged: Mapping[str, Judged]


class Sentence(NamedTuple):
    """A sentence of ours that no model learned, and the group of people that it names."""

    text: str
    language: str
    term: str


def measure(
    model: LinearModel,
    rows: Sequence[Row],
    sentences: Path,
    watched: Callable[[str], Each] = lambda _: iter,
) -> Measured:
    """Measure a model on the rows that it neither learned from nor was calibrated on, and on the
    sentences in that folder. One table needs a training of its own.
    """
    rows = deduplicated(rows)
    reported = [row for row in rows if part(row) == REPORTED]
    scores = model.log_odds(
        [row.text for row in reported], languages=[row.lang for row in reported]
    )
    toxic = np.array([row.spam for row in reported], bool)
    tables = (
        _by(lambda row: row.lang, "language", reported, toxic, scores),
        _by(lambda row: row.source, "source", reported, toxic, scores),
        _in_language(rows, watched("Each file alone")),
        _left_out(rows, watched("Leaving the news comments out")),
        _sets(model, sentences),
        _identities(model, sentences, reported, scores),
        _cost(model, reported),
    )
    packages = " ".join(f"{name} {version(name)}" for name in ("scikit-learn", "numpy", "scipy"))
    return Measured(
        datetime.now(UTC).date().isoformat(),
        f"Python {platform.python_version()} {packages}",
        tables,
        calibration(toxic, scores),
        _judged(reported, scores),
    )


def _judged(rows: Sequence[Row], scores: Floats) -> dict[str, Judged]:
    """Return the scores of the languages whose curves are drawn."""
    found = {}
    for language in _DRAWN:
        own = [at for at, row in enumerate(rows) if row.lang == language]
        toxic = np.array([rows[at].spam for at in own], bool)
        if len(set(toxic.tolist())) == 2:
            part_of = np.array([language] * len(own))
            found[language] = Judged(part_of, toxic, scores[own], np.zeros(len(own), bool))
    return found


def _by(
    key: Callable[[Row], str], name: str, rows: Sequence[Row], toxic: Flags, scores: Floats
) -> Table:
    groups: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        groups[key(row)].append(at)
    lines = []
    for group, own in sorted(groups.items()):
        bad, log_odds = toxic[own], scores[own]
        if min(bad.sum(), (~bad).sum()) >= _FEWEST:
            found = figures(bad, log_odds)
            held = log_odds > 0
            lines.append(
                (group, found.rows, int(bad.sum()), found.auc, held[bad].mean(), held[~bad].mean())
            )
    return Table(
        f"By {name}",
        "12 % of the comments, which the model neither learned nor was calibrated on.",
        (name, "comments", "toxic", "AUC", "toxic held", "good held"),
        tuple(lines),
    )


def _in_language(rows: Sequence[Row], each: Each) -> Table:
    """Judge a part of each file by a model of the rest of the same file, and of our own sentences
    in its language.
    """
    by_source: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_source[row.source].append(row)
    lines = []
    for source in each(sorted(set(by_source) - {OWN})):
        tested = [row for row in by_source[source] if part(row) == REPORTED]
        bad = np.array([row.spam for row in tested], bool)
        if min(bad.sum(), (~bad).sum()) < _FEWEST:
            continue
        language = tested[0].lang
        learned = [row for row in by_source[source] if part(row) != REPORTED]
        learned += [row for row in by_source[OWN] if row.lang == language]
        toxic = np.array([row.spam for row in learned], bool)
        line = fit(matrix_of(learned), toxic, balance(learned, family), STRENGTHS)
        found = figures(bad, line.scores(matrix_of(tested)))
        lines.append((source, language, found.rows, int(bad.sum()), found.auc))
    return Table(
        "Each file alone",
        "88 % of a file, and our own sentences in its language, teach a model for the other 12 %.",
        ("file", "language", "comments", "toxic", "AUC"),
        tuple(lines),
    )


def _left_out(rows: Sequence[Row], each: Each) -> Table:
    """Judge the English news comments of one file by a model of all other English files."""
    tested = [row for row in rows if row.source == NEWS]
    own = {normalised(row.text) for row in tested}
    others = [
        row
        for row in rows
        if row.lang == "en" and row.source not in {NEWS, TWEETS} and normalised(row.text) not in own
    ]
    lines = []
    for name in each([NEWS] if tested and others else []):
        toxic = np.array([row.spam for row in others], bool)
        line = fit(matrix_of(others), toxic, balance(others, family), STRENGTHS)
        bad = np.array([row.spam for row in tested], bool)
        found = figures(bad, line.scores(matrix_of(tested)))
        lines.append((name, found.rows, int(bad.sum()), found.auc))
    return Table(
        "One news source left out",
        "A model of the other English files but the tweets, without texts that also stand in this "
        "one.",
        ("left out", "comments", "toxic", "AUC"),
        tuple(lines),
    )


def _sets(model: LinearModel, folder: Path) -> Table:
    """Count which of our own sentences the default threshold holds."""
    lines = []
    for name in ("explicit", "heated"):
        sentences = _sentences(folder / f"{name}.csv")
        held = _held(model, sentences)
        languages = sorted({sentence.language for sentence in sentences})
        for language in languages:
            own = [at for at, each in enumerate(sentences) if each.language == language]
            lines.append((name, language, len(own), int(held[own].sum()), held[own].mean()))
        lines.append((name, "all", len(sentences), int(held.sum()), held.mean()))
    return Table(
        "Explicit abuse, and civil anger",
        "200 threats and insults and 200 heated but civil comments, written before the templates "
        "and never learned.",
        ("set", "language", "sentences", "held", "share"),
        tuple(lines),
    )


def _identities(model: LinearModel, folder: Path, reported: Sequence[Row], scores: Floats) -> Table:
    """Compare harmless sentences that name a group of people with good comments in general, and
    with the real good comments in English that name it.
    """
    sentences = _sentences(folder / "identity.csv")
    held = _held(model, sentences)
    good = [
        (f" {normalised(row.text)} ", score > 0)
        for row, score in zip(reported, scores.tolist(), strict=True)
        if not row.spam and row.lang == "en" and row.source != OWN
    ]
    lines = [("all", len(sentences), held.mean(), len(good), _share([each for _, each in good]))]
    for term in dict.fromkeys(sentence.term for sentence in sentences):
        own = [at for at, each in enumerate(sentences) if each.term == term]
        word = f" {normalised(_NAMED.get(term, term.split()[0]))}"
        naming = [is_held for text, is_held in good if word in text]
        lines.append((term, len(own), held[own].mean(), len(naming), _share(naming)))
    return Table(
        "Harmless sentences that name a group of people",
        "Eight sentences of ours in each of five languages for every group, never learned; beside "
        "them, the real good comments in English that name it.",
        ("group", "sentences", "held", "real comments", "real held"),
        tuple(lines),
    )


_NAMED = {"Jews": "jew", "Muslims": "muslim", "lesbians": "lesbian", "immigrants": "immigrant",
          "refugees": "refugee", "Christians": "christian", "Arabs": "arab",
          "Mexicans": "mexican", "atheists": "atheist", "Hindus": "hindu"}  # fmt: skip


def _share(held: Sequence[bool]) -> float | None:
    return sum(held) / len(held) if held else None


def _held(model: LinearModel, sentences: Sequence[Sentence]) -> Flags:
    languages = [sentence.language for sentence in sentences]
    texts = [sentence.text for sentence in sentences]
    return np.asarray(model.log_odds(texts, languages=languages) > 0)


def _sentences(path: Path) -> list[Sentence]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Sentence(row["text"], row["lang"], row.get("term") or "")
            for row in csv.DictReader(file)
        ]


def _cost(model: LinearModel, rows: Sequence[Row]) -> Table:
    spent = cost(model, [row.text for row in rows[:5000]])
    return Table(
        "Cost",
        "The overall score alone, features included, on one core.",
        ("ms for a comment alone", "comments/s in a batch", "ms to load"),
        ((spent.alone_ms, spent.per_second, spent.load_ms),),
    )


def as_text(table: Table) -> Iterator[str]:
    """Yield the lines of a table as Markdown."""
    yield f"### {table.title}"
    yield table.note
    yield ""
    yield f"| {' | '.join(table.columns)} |"
    yield f"| {' | '.join('---' for _ in table.columns)} |"
    for row in table.rows:
        yield f"| {' | '.join(map(cell, row))} |"
    yield ""


def cell(value: str | float | None) -> str:
    """Return a number as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, str | int):
        return str(value)
    return f"{value:,.0f}" if value > 100 else f"{value:.3f}"


def markdown(measured: Measured) -> str:
    """Return everything that was measured as Markdown."""
    head = f"Measured {measured.day} with {measured.software}."
    lines: Iterable[str] = (line for table in measured.tables for line in as_text(table))
    return "\n".join([head, "", *lines]).rstrip()
