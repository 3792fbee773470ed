"""`greenroom train` and `greenroom evaluate`: the spam classifier, from labelled comments in CSV
files.
"""

# ruff: noqa: PLC0415 — scikit-learn is loaded by the command that needs it

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.settings import settings

if TYPE_CHECKING:
    from models.spam.training.corpus import Row
    from models.spam.training.figures import Figures
    from models.spam.training.measuring import Measured

T = TypeVar("T")
_FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


def _weights(
    ctx: click.Context, parameter: click.Parameter, given: Sequence[str]
) -> dict[str, float]:
    """`x_posts=0.2` for each --weight."""
    weights = {}
    for item in given:
        name, _, factor = item.partition("=")
        try:
            weights[name] = float(factor)
        except ValueError:
            raise click.BadParameter(f"{item!r}: NAME=FACTOR is meant, like x_posts=0.2") from None
        if not 1e-6 <= weights[name] <= 1e6:  # with less a training finds no end
            said = (
                "the factor is above 0, from 0.000001 to 1,000,000; leave a file out to "
                "give it none"
            )
            raise click.BadParameter(f"{item!r}: {said}")
    return weights


def _pages(
    ctx: click.Context, parameter: click.Parameter, given: Sequence[str]
) -> dict[str, list[str]]:
    """`bridge=https://paper.example/bridge` for each --page."""
    pages: dict[str, list[str]] = {}
    for item in given:
        thread, _, address = item.partition("=")
        if "//" not in address:
            raise click.BadParameter(
                f"{item!r}: THREAD=URL is meant, like bridge=https://paper.example/bridge"
            )
        pages.setdefault(thread, []).append(address)
    return pages


def _card(ctx: click.Context, parameter: click.Parameter, given: Path | None) -> Path | None:
    """Better known now than after the measuring."""
    if given is None:
        return None
    try:
        content = json.loads(given.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise click.BadParameter(
            f"{given} is no model's card: a .json file that greenroom train wrote"
        )
    return given


_CARD = click.Path(exists=True, dir_okay=False, path_type=Path)
_PAGES = click.option(
    "--page", "pages", multiple=True, callback=_pages, metavar="THREAD=URL",
    help="Where a thread stands: links to its own page lead nobody away. May be repeated.",
)  # fmt: skip


@click.command()
@click.argument("files", nargs=-1, required=True, type=_FILES)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the model goes.  [default: var/spam.npz]",
)
@click.option(
    "--without-thread",
    multiple=True,
    metavar="NAME",
    help="Leave a thread's comments out; may be repeated.",
)
@click.option(
    "--weight", "weights", multiple=True, callback=_weights, metavar="NAME=FACTOR",
    help="How much the rows of NAME.csv count; may be repeated.  [default: 1]",
)  # fmt: skip
@_PAGES
def train(
    files: Sequence[Path], out: Path | None, without_thread: Sequence[str], weights: dict[str, float],
    pages: dict[str, list[str]],
) -> None:  # fmt: skip
    """Train the spam model on FILES: CSV with text,label[,thread,at,lang], label spam or ham."""
    console = Console()
    out = out or settings().data / "spam.npz"
    with _in_plain_words():
        from models.spam.training import base_model, card, corpus

        out.parent.mkdir(parents=True, exist_ok=True)  # better known now than after the training
        rows = _without(corpus.read(files), without_thread)
        if unknown := set(weights) - {row.source for row in rows}:
            raise click.UsageError(
                f"--weight names {', '.join(sorted(unknown))}, which is none of the files"
            )
        trained = base_model.train(rows, weights, pages=pages, each=_watched("Training", console))
        trained.model.save(out)
        where = card.save(card.card(trained, rows, weights, out), out)
        results = card.held_out(trained)
    console.print(_trained_table(results))
    languages = ", ".join(sorted(trained.model.languages)) or "none with enough rows"
    repeats, size = len(rows) - len(trained.rows), _size(out.stat().st_size)
    console.print(
        f"{len(trained.rows)} comments, {repeats} repeats dropped; languages: {languages}"
    )
    console.print(
        f"Model {trained.model.version}: {out} ({size}), its card {where}",
        soft_wrap=True,
        highlight=False,
    )


@click.command()
@click.argument("files", nargs=-1, type=_FILES)
@click.option(
    "--site",
    "site_key",
    metavar="KEY",
    help="Instead: how often a site's automatic decisions were wrong.",
)
@click.option(
    "--also",
    multiple=True,
    type=_FILES,
    help="Another kind of text, trained beside; may be repeated.",
)
@click.option(
    "--weight", "weights", multiple=True, callback=_weights, metavar="NAME=FACTOR",
    help="How much the rows of NAME.csv count; may be repeated.  [default: 1]",
)  # fmt: skip
@_PAGES
@click.option(
    "--peers",
    is_flag=True,
    help="Also bogofilter and SpamAssassin's Bayes, where they are installed.",
)
@click.option(
    "--card",
    "card_path",
    type=_CARD,
    callback=_card,
    help="Write the results into this model's card (.json, .md, .svg).",
)
def evaluate(
    files: Sequence[Path],
    site_key: str | None,
    card_path: Path | None,
    pages: dict[str, list[str]],
    **options: Any,
) -> None:
    """Measure the classifier on what it has not seen: each of FILES' threads judged by a model of
    the others.
    """
    if site_key:
        from service.commands.error_rates import print_error_rates

        print_error_rates(site_key)
        return
    if not files:
        raise click.UsageError("Name FILES of labelled comments, or a site with --site.")
    console = Console()
    with _in_plain_words():
        from models.spam.training import card, corpus, drawing, measuring

        rows = corpus.read(files)
        spam = sum(row.spam for row in rows)
        if not 0 < spam < len(rows):
            raise corpus.BadCorpus(
                f"{spam} spam and {len(rows) - spam} ham: it takes both to measure anything"
            )
        found = measuring.measure(
            rows,
            others=measuring.Others(corpus.read(options["also"]), options["weights"]),
            pages=pages,
            with_peers=options["peers"],
            watched=lambda doing: _watched(doing, console),
        )
        if card_path:
            card.add_measured(found, card_path)
            drawn = drawing.draw(found.calibration, found.judged)
            card_path.with_suffix(".svg").write_text(drawn, encoding="utf-8")
    console.print(_measured_table(found))


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """A file that is no corpus, or too small a one, is the user's to mend: one line, no traceback."""
    from models.spam.training.corpus import BadCorpus

    try:
        yield
    except (BadCorpus, OSError) as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        if type(error).__name__ != "Untrainable":
            raise
        raise click.ClickException(str(error)) from error


def _without(rows: list[Row], threads: Sequence[str]) -> list[Row]:
    if unknown := set(threads) - {row.thread for row in rows}:
        raise click.UsageError(f"no comment belongs to the thread {', '.join(sorted(unknown))}")
    return [row for row in rows if row.thread not in threads]


def _watched(doing: str, console: Console) -> Callable[[Iterable[T]], Iterable[T]]:
    return partial(track, description=doing, console=console, transient=True)


def _trained_table(results: dict[str, Figures]) -> Table:
    table = _table("Judged by models that had not seen them or their thread", "file")
    for name, result in results.items():
        table.add_row(name, *_cells(result))
    return table


def _measured_table(found: Measured) -> Table:
    from models.spam.training.measuring import COLUMNS

    title = (
        f"{found.made['on']}: each part judged by a model of the others, {found.made['measured']}"
    )
    table = Table(title=title, caption_justify="left", title_justify="left")
    table.add_column("left out", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
    for what, numbers, _ in (line for line in found.lines if line.figures):
        style = "bold" if what.startswith("mean") else None
        table.add_row(what, *(_cell(name, numbers) for name in COLUMNS), style=style)
    words = "\n".join(f"{line.what}: {line.words}" for line in found.lines if line.words)
    table.caption = (
        "recall: of spam, when 1 % of ham may be called spam. dedup: without near-duplicates "
        "of what was trained on. "
        f"Others' F1 at the threshold that suits them best.\n{words}\n{found.made['with']}"
    )
    return table


def _cell(name: str, numbers: Mapping[str, float]) -> str:
    if name not in numbers or isnan(numbers[name]):
        return "" if name not in numbers else "–"
    return f"{numbers[name]:.0f}" if name == "rows" else f"{numbers[name]:.3f}"


def _table(title: str, first: str) -> Table:
    table = Table(title=title, caption_justify="left", title_justify="left")
    table.add_column(first, no_wrap=True)
    for name in ("rows", "AUC", "F1", "recall"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cells(result: Figures) -> list[str]:
    return [str(result.rows), *("–" if isnan(x) else f"{x:.3f}" for x in result[1:])]


def _size(count: int) -> str:
    return f"{count / 1e6:.2f} MB"
